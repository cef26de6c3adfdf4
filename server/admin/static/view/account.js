// Account: the administrator's password, second factor and sessions.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el } from '../dom.js';
import { form, operator, password, shortest, strong } from '../form.js';
import { when } from '../format.js';
import { notice } from '../notice.js';
import { badge, card, facts, field, head, later, note } from '../part.js';

// show draws the view.
export function show() {
  const parts = el('div');
  const draw = () => later(parts, () => get('account'), account => el('div.halves.loose', null,
    el('div.stack', null, secret(account, draw), second(account.second_factor, draw)), sessions(account.sessions)));
  draw();
  return [head('Account', 'The one who may do everything here.'), parts];
}

function secret({ password_changed_at: changed }, again) {
  const old = password('old-password', 'current-password');
  const next = password('new-password', 'new-password');
  const twice = password('new-again', 'new-password');
  return card('Password',
    el('p.soft', null, 'Changed ', when(changed), '. A new one ends every other session.'),
    form('Change the password', [
      operator(),
      field('Present password', old),
      field('New password', next, `At least ${shortest} characters.`),
      field('The new one once more', twice),
    ], async () => {
      strong(next, twice);
      await post('password', { password: old.value, new_password: next.value });
      notice('The password has changed.');
      await again();
    }));
}

function second({ enabled, phone, app, unavailable }, again) {
  const word = password('factor-password', 'current-password');
  if (enabled) {
    return card('Second factor', el('p', null, badge('green', 'on')),
      el('p.soft', null, 'Each sign-in asks for a code that goes to ', el('strong', null, phone), app && `, sent by the app ${app}`, '.'),
      el('div', null, el('button.danger', { type: 'button', on: { click: async () => {
        if (!await ask({
          title: 'Switch the second factor off?', verb: 'Switch it off', danger: true,
          words: 'The password alone will open this page.', fields: [field('Password', word)],
          act: () => post('account/phone/remove', { password: word.value }),
        })) return;
        notice('The second factor is off.');
        again();
      } } }, 'Switch it off…')));
  }
  const number = el('input', { type: 'tel', inputmode: 'tel', autocomplete: 'tel', required: true, placeholder: '+41 79 123 45 67' });
  return card('Second factor', el('p', null, badge('idle', 'off')),
    el('p.soft', null, 'The box sends a code to your phone at each sign-in, by its own modem.'),
    unavailable ? note('amber', el('p', null, unavailable)) : form('Send me a code', [
      field('Your phone number', number), field('Password', word),
    ], async () => {
      const { second_factor: sent } = await post('account/phone', { password: word.value, phone: number.value.replace(/[^+\d]/g, '') });
      if (await confirm(sent)) {
        notice('The second factor is on.');
        again();
      }
    }));
}

// confirm asks for the code that has been sent.
function confirm(sent) {
  const code = el('input.code', { inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: sent.code_length, required: true });
  return ask({
    title: 'Type the code', verb: 'Switch it on',
    words: `A code is on its way to ${sent.to}.`, fields: [field('Code', code)],
    act: () => post('account/phone/confirm', { verification: sent.verification, code: code.value.replace(/\D/g, '') }),
  });
}

function sessions(list) {
  return card('Sessions',
    el('p.soft', null, 'A session ends after 30 minutes without a call, and after 12 hours in any case.'),
    el('ul.stack', null, list.map(session => el('li.note', null, el('div', null,
      el('div.row', null, el('strong', null, el('bdi', null, session.from)), session.current && badge('green', 'this one')),
      facts([['Signed in', when(session.created_at)], ['Last seen', when(session.seen_at)], ['Ends', when(session.expires_at)]]))))),
    el('div', null, el('button.danger', { type: 'button', on: { click: async () => {
      if (await ask({
        title: 'Sign out everywhere?', verb: 'Sign out everywhere', danger: true,
        words: 'All sessions end, this one too.', act: () => post('logout-everywhere'),
      })) location.reload();
    } } }, 'Sign out everywhere…')));
}
