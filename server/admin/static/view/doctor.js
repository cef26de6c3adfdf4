// Doctor: everything that sending needs, looked at one by one, and the clock.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el } from '../dom.js';
import { counted, fully, lasting } from '../format.js';
import { icon } from '../icon.js';
import { action, card, facts, head, later, level, note, prose } from '../part.js';

const verdicts = { green: 'fine', amber: 'attention', red: 'broken' };
const skew = 120; // seconds by which clocks may differ

// show draws the view.
export function show() {
  const result = el('div');
  const clock = el('div');
  const look = () => later(result, () => get('doctor'), draw);
  const time = () => later(clock, () => get('clock'), now => clockCard(now, time));
  look();
  time();
  return [head('Doctor', 'Looks at everything that sending needs, and says what to do.',
    action('button.primary', 'Look again', () => Promise.all([look(), time()]), 'refresh')),
  el('section', { 'aria-live': 'polite' }, result), clock];
}

function draw({ checks, level: told }) {
  const bad = checks.filter(check => check.level !== 'green');
  const words = { green: 'All is well.', amber: `${counted(bad.length, 'thing needs', 'things need')} attention.`, red: `${counted(bad.filter(check => check.level === 'red').length, 'thing keeps', 'things keep')} the box from working.` };
  const order = ['red', 'amber', 'green'];
  return el('div.stack', null, note(told, el('p', null, el('strong', null, words[told]))),
    el('ul.card.flush.checks', null, [...checks].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level)).map(row)));
}

const row = ({ name, level: told, text, fix }) => el(`li.${level(told)}`, null, icon(level(told)),
  el('div.grow', null, el('strong', null, name), ' ', el('span.quiet', null, `${verdicts[told] ?? told}: `), el('p', null, prose(text)), fix && el('p.fix', null, prose(fix))));

function clockCard(clock, again) {
  const apart = Math.abs(Date.parse(clock.now) - Date.parse(clock.wall)) / 1000;
  return card('Clock',
    apart > skew && note('amber', el('p', null, el('strong', null, `The clock of the machine and the time of the box are ${lasting(apart)} apart.`)),
      el('p.fix', null, 'see which one is right, and accept the clock of the machine if it is.')),
    facts([
      ['Time of the box', fully(clock.now)],
      ['Clock of the machine', fully(clock.wall)],
      ['Clock of the network', clock.network && `${fully(clock.network.time)} by ${clock.network.route}`],
      ['Kept right', clock.synchronised ? 'yes, by the system' : 'no'],
    ]),
    apart > skew && el('div', null, el('button.danger', { type: 'button', on: { click: async () => {
      if (await ask({
        title: 'Accept the clock of the machine?', verb: 'Accept the clock', danger: true,
        words: `The box goes on from ${fully(clock.wall)}. Every code that waits to be typed is worthless at once.`,
        act: () => post('clock'),
      })) again();
    } } }, 'Accept the clock of the machine…')));
}
