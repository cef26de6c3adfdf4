// The states of the nouns as badges, and what is the same wherever they are shown.

import { post } from './api.js';
import { el, put } from './dom.js';
import { words } from './format.js';
import { action, badge } from './part.js';
import { link } from './place.js';

export const messageStates = {
  accepted: 'wait', sending: 'wait', sent: 'green', delivered: 'green', undelivered: 'red',
  superseded: 'idle', unknown: 'amber', failed: 'red', expired: 'amber',
};

export const verificationStates = { pending: 'wait', approved: 'green', canceled: 'idle', expired: 'amber', exhausted: 'red' };

export const messageBadge = state => badge(messageStates[state] ?? 'idle', words(state));
export const verificationBadge = status => badge(verificationStates[status] ?? 'idle', words(status));

// onTheWay tells whether a message may still come into another state soon.
export const onTheWay = state => ['accepted', 'sending', 'sent', 'unknown'].includes(state);

const usual = 20; // characters that a masked number has at most

// number returns a masked number, or what stands in its place, which may be
// anything and of any length.
export const number = text => el(text.length > usual ? 'bdi' : 'bdi.number', null, text);

// to returns a masked number as the way to what it belongs to.
export const to = (place, id, masked, query) => el('a', { href: link(place, id, query) }, number(masked || 'without a number'));

// reveal returns a masked number with a button that shows it whole, which the
// audit trail keeps.
export function reveal(id, masked) {
  const shown = number(masked);
  const node = el('span.row', null, shown);
  const button = action('button.plain.reveal', ['Show', el('span.quiet', null, ' the whole number')], async () => {
    const { phone } = await post('reveal', { id });
    put(shown, phone);
    shown.tabIndex = -1;
    shown.focus();
    button.remove();
  });
  button.title = 'The audit trail keeps that you have looked.';
  node.append(button);
  return node;
}
