// Users: who is registered with an app, and whether they may sign in.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el } from '../dom.js';
import { count, when } from '../format.js';
import { filters, listing } from '../list.js';
import { notice } from '../notice.js';
import { apps } from '../option.js';
import { action, back, badge, card, empty, facts, head } from '../part.js';
import { go, link } from '../place.js';
import { reveal, to } from '../state.js';

// show draws the list, or one user.
export const show = place => (place.id ? one(place) : all());

const state = user => (user.enabled ? badge('green', 'enabled') : badge('red', 'blocked'));

async function all() {
  const { form, values } = filters('users', [
    { name: 'phone', words: 'Phone number', control: el('input', { type: 'tel', placeholder: '+41 79 123 45 67', autocomplete: 'off' }) },
    await apps(),
  ], () => list.reload());
  const list = listing({
    caption: 'Users',
    columns: [
      { name: 'Phone', cell: user => to('users', user.id, user.phone, { app: user.app }) },
      { name: 'State', cell: state },
      { name: 'Names', cell: user => el('bdi', null, user.names.join(', ') || '–') },
      { name: 'App', cell: user => user.app },
      { name: 'Sign-ins', cell: user => count(user.logins) },
      { name: 'Last sign-in', cell: user => when(user.last_login_at) },
    ],
    load: async cursor => {
      const page = await get('users', { ...values, cursor });
      return { rows: page.users, next: page.next_cursor };
    },
    none: empty('users', 'No user here', 'A user comes to exist when somebody signs up with an app and the code is right.'),
  });
  return [head('Users', 'Everybody who has signed up with one of the apps.'), form, list.node];
}

async function one(place) {
  const user = await get(`users/${place.id}`, { app: place.query.get('app') });
  const change = verb => post(`users/${user.id}/${verb}`, { app: user.app });
  return [back('users', 'Users'), head(`User ${user.phone}`, null, state(user)),
    el('div.halves.loose', null,
      card('Details', facts([
        ['Phone', reveal(user.id, user.phone)],
        ['Verified', user.verified ? 'yes' : 'no'],
        ['Names', user.names.length && el('bdi', null, user.names.join(', '))],
        ['App', user.app],
        ['Sign-ins', count(user.logins)],
        ['Last sign-in', when(user.last_login_at)],
        ['Registered', when(user.created_at)],
        ['Last change', when(user.updated_at)],
        ['Id', el('code', null, user.id)],
      ])),
      card('What can be done', deeds(user, change)))];
}

function deeds(user, change) {
  const row = (words, button) => el('div.stack.tight', null, el('p.soft', null, words), el('div', null, button));
  return [
    row('Ends all sessions. The user has to prove the number again.', action('button', 'Sign out everywhere', async () => {
      await change('sign-out');
      notice('All sessions of this user have ended.');
    }, 'leave')),
    user.enabled
      ? row('A blocked user cannot sign in, and all sessions end.', question('Block', {
        title: 'Block this user?', verb: 'Block the user', danger: true,
        words: 'All sessions end at once, and there is no sign-in until the user is unblocked.',
        act: () => change('block'),
      }, () => go(false)))
      : row('The user may sign in again.', action('button', 'Unblock', async () => {
        await change('unblock');
        await go(false);
      })),
    row('Removes the user, all names and sessions. It cannot be taken back.', question('Remove', {
      title: 'Remove this user?', verb: 'Remove the user', danger: true,
      words: 'The user, all names and all sessions are gone for ever. Whoever signs up with this number again is a new user.',
      act: () => change('remove'),
    }, () => { location.hash = link('users'); })),
  ];
}

const question = (words, of, then) => el('button.danger', { type: 'button', on: { click: async () => { if (await ask(of)) then(); } } }, `${words}…`);
