// Verifications: who was asked to prove a number, and how it went.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el } from '../dom.js';
import { follow } from '../follow.js';
import { count, when, words } from '../format.js';
import { filters, listing } from '../list.js';
import { apps, states } from '../option.js';
import { back, card, empty, facts, head } from '../part.js';
import { go, link } from '../place.js';
import { messageBadge, reveal, to, verificationBadge, verificationStates } from '../state.js';
import { timeline } from '../timeline.js';

// show draws the list, or one verification.
export const show = place => (place.id ? one(place) : all(place));

async function all(place) {
  const { form, values } = filters('verifications', [
    states('status', 'Status', verificationStates),
    { name: 'phone', words: 'Phone number', control: el('input', { type: 'tel', placeholder: '+41 79 123 45 67', autocomplete: 'off' }) },
    await apps(),
  ], () => list.reload());
  const list = listing({
    caption: 'Verifications, the newest first',
    columns: [
      { name: 'To', cell: one => to('verifications', one.id, one.to) },
      { name: 'Status', cell: one => verificationBadge(one.status) },
      { name: 'Message', cell: one => (one.message ? messageBadge(one.message.state) : '–') },
      { name: 'Purpose', cell: one => words(one.purpose) },
      { name: 'App', cell: one => [one.app, one.door && one.door !== 'native' && ` by ${one.door}`] },
      { name: 'Started', cell: one => when(one.created_at) },
    ],
    load: async cursor => {
      const page = await get('verifications', { ...values, cursor });
      return { rows: page.verifications, next: page.next_cursor };
    },
    none: empty('verifications', 'No verification here', 'Either no app has asked for one of late, or the filter leaves none. Ended ones are kept for 24 hours.'),
  });
  place.live('event', event => { if (event.type.startsWith('verification.')) list.fresh(); });
  return [head('Verifications', 'Each is one proof that somebody holds a number. Codes are never shown.'), form, list.node];
}

async function one(place) {
  const verification = await get(`verifications/${place.id}`);
  const steps = timeline();
  const state = el('span.row');
  const table = el('div');
  const number = reveal(verification.id, verification.to); // once: what was shown stays
  const messages = el('ul.stack.tight');
  const actions = el('div.actions');
  const cancel = el('button.danger', { type: 'button', on: { click: async () => {
    const done = await ask({
      title: 'Cancel this verification?', verb: 'Cancel the verification', danger: true,
      words: 'Its code is worthless at once. Whoever waits for it has to ask for another.',
      act: () => post(`verifications/${verification.id}/cancel`),
    });
    if (done) go(false);
  } } }, 'Cancel it');
  const tell = next => {
    state.replaceChildren(verificationBadge(next.status));
    steps.show(next.timeline);
    actions.replaceChildren(state, ...next.status === 'pending' ? [cancel] : []);
    messages.replaceChildren(...next.messages.map(message => el('li.row', null,
      messageBadge(message.state), el('a', { href: link('messages', message.id) }, `by ${message.route || 'no route yet'}`), when(message.created_at))));
    table.replaceChildren(facts([
      ['To', number],
      ['Purpose', words(next.purpose)],
      ['Channel', words(next.channel)],
      ['Wrong tries left', count(next.attempts_left)],
      ['Messages', count(next.sends)],
      ['App', next.app],
      ['Door', next.door],
      ['Started', when(next.created_at)],
      ['Ended', next.ended_at && when(next.ended_at)],
      ['Good until', when(next.expires_at)],
      ['Id', el('code', null, next.id)],
    ]));
  };
  tell(verification);
  follow(place, `verifications/${verification.id}`, verification, next => next.status === 'pending', tell);
  return [back('verifications', 'Verifications'), head(`Verification of ${verification.to}`, null, actions),
    el('div.halves', null, card('Timeline', steps.node),
      el('div.stack', null, card('Details', table), card('Its messages', verification.messages.length ? messages : el('p.muted', null, 'None was needed.'))))];
}
