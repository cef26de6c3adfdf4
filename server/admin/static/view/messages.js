// Messages: everything that the box has been asked to send, and its way.

import { get } from '../api.js';
import { el } from '../dom.js';
import { follow } from '../follow.js';
import { when, words } from '../format.js';
import { filters, listing } from '../list.js';
import { apps, routes, states } from '../option.js';
import { back, badge, card, empty, facts, head } from '../part.js';
import { link } from '../place.js';
import { messageBadge, messageStates, onTheWay, reveal, to } from '../state.js';
import { timeline } from '../timeline.js';

// show draws the list, or one message.
export const show = place => (place.id ? one(place) : all(place));

async function all(place) {
  const { form, values } = filters('messages', [
    states('state', 'State', messageStates),
    { name: 'phone', words: 'Phone number', control: el('input', { type: 'tel', placeholder: '+41 79 123 45 67', autocomplete: 'off' }) },
    await routes(),
    await apps(),
  ], () => list.reload());
  const list = listing({
    caption: 'Messages, the newest first',
    columns: [
      { name: 'To', cell: message => to('messages', message.id, message.to) },
      { name: 'State', cell: message => el('span.row', null, messageBadge(message.state), message.reason && el('span.soft', null, words(message.reason))) },
      { name: 'Kind', cell: message => (message.priority === 'code' ? 'code' : `plain, ${message.priority}`) },
      { name: 'Route', cell: message => message.route || '–' },
      { name: 'App', cell: message => message.app || '–' },
      { name: 'Asked for', cell: message => when(message.created_at) },
    ],
    load: async cursor => {
      const page = await get('messages', { ...values, cursor });
      return { rows: page.messages, next: page.next_cursor };
    },
    none: empty('messages', 'No message here', 'Either none was sent in the last days, or the filter leaves none.'),
  });
  place.live('event', event => { if (event.type.startsWith('message.accepted')) list.fresh(); });
  return [head('Messages', 'Everything that the box was asked to send. Texts and codes are never shown.'), form, list.node];
}

async function one(place) {
  const message = await get(`messages/${place.id}`);
  const steps = timeline();
  const state = el('span.row');
  const table = el('div');
  const number = reveal(message.id, message.to); // once: what was shown stays
  const tell = next => {
    state.replaceChildren(messageBadge(next.state), next.possible_duplicate ? badge('amber', 'may have arrived twice') : '');
    steps.show(next.timeline);
    table.replaceChildren(facts([
      ['To', number],
      ['Kind', next.priority === 'code' ? 'a code' : `a plain message, ${next.priority} priority`],
      ['Channel', words(next.channel)],
      ['Reason', words(next.reason)],
      ['Route', next.route],
      ['Attempts', String(next.tries)],
      ['App', next.app],
      ['Asked for', when(next.created_at)],
      ['Last change', when(next.updated_at)],
      ['Sent until', when(next.expires_at)],
      ['Verification', next.verification && el('a', { href: link('verifications', next.verification) }, 'the one whose code it carries')],
      ['Id', el('code', null, next.id)],
    ]));
  };
  tell(message);
  follow(place, `messages/${message.id}`, message, next => onTheWay(next.state), tell);
  return [back('messages', 'Messages'), head(`Message to ${message.to}`, null, state),
    el('div.halves', null, card('Timeline', steps.node), card('Details', table))];
}
