// Routes: the ways out, with what an operator can do with each.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el, put } from '../dom.js';
import { notice } from '../notice.js';
import { card, empty, field, head, renew } from '../part.js';
import { routeCard } from '../route.js';
import { tester } from '../tester.js';

// show draws the view and keeps it as the stream tells it.
export async function show(place) {
  const { routes } = await get('routes');
  const cards = el('div.grid');
  const tell = list => renew(cards, list, () => list.map(route => routeCard(route, deeds(route))));
  tell(routes);
  place.live('overview', overview => tell(overview.routes));
  return [head('Routes', 'The ways out of the box, in the order in which they are tried.', el('a.button', { href: '#/doctor' }, 'Ask the doctor')),
    el('h2.quiet', null, 'All routes'),
    routes.length ? cards : el('div.card', null, empty('routes', 'No route yet', 'Plug a modem in, or name a relay in the config file, and restart the box. The doctor says what is found.')),
    routes.length > 0 && card('Test SMS', tester({ routes: routes.filter(route => route.channels.includes('sms')).map(route => route.name), signal: place.signal }))];
}

// deeds are what can be done with a modem; a relay is run by its provider.
function deeds(route) {
  if (!['modem', 'simulator'].includes(route.kind)) return null;
  const button = (words, act) => el('button.small', { type: 'button', 'aria-label': `${words} on ${route.name}`, on: { click: () => act(route.name) } }, `${words}…`);
  return el('div.actions', null, button('USSD', ussd), button('AT command', at), route.reason === 'sim_pin' && button('Try the PIN', pin), button('Reset', reset));
}

const order = (route, verb, argument = '') => post('modem', { route, do: verb, argument });

// talk asks for a line, hands it to the modem and shows the answer in the same
// dialog.
function talk(route, verb, { title, words, label, hint }) {
  const line = el('input.mono', { name: 'argument', autocomplete: 'off', spellcheck: 'false', required: true, placeholder: hint });
  const answer = el('pre.answer', { role: 'status', hidden: true });
  return ask({
    title, words, verb: 'Send it to the modem', keep: true,
    fields: [field(label, line), answer],
    act: async () => {
      const { lines } = await order(route, verb, line.value.trim());
      put(answer, lines.join('\n') || 'The modem has said nothing.');
      answer.hidden = false;
    },
  });
}

const ussd = route => talk(route, 'ussd', {
  title: `USSD on ${route}`, label: 'Code', hint: '*100#',
  words: 'A short code that the operator answers, such as for the balance. It may take up to a minute.',
});

const at = route => talk(route, 'at', {
  title: `AT command on ${route}`, label: 'Command', hint: 'AT+CSQ',
  words: 'For those who know the modem. A wrong command can stop it until it is reset. The audit trail keeps that one was sent.',
});

const pin = async route => {
  if (await ask({
    title: `Try the PIN of ${route} again?`, verb: 'Try the PIN',
    words: 'It is read from the pin_file of the config file. A wrong one costs one of its tries.',
    act: () => order(route, 'pin'),
  })) notice('The PIN was tried.');
};

const reset = async route => {
  if (await ask({
    title: `Reset ${route}?`, verb: 'Reset the modem', danger: true,
    words: 'The modem starts anew and is away for up to a minute. Messages wait, or take another route.',
    act: () => order(route, 'reset'),
  })) notice(`${route} is being reset.`);
};
