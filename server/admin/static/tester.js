// The test SMS: a number, a button, and each step in words.

import { get, post } from './api.js';
import { el, put } from './dom.js';
import { form } from './form.js';
import { choice, failure, field, note } from './part.js';
import { link } from './place.js';
import { onTheWay } from './state.js';
import { timeline } from './timeline.js';

const pace = 1000; // milliseconds between two looks at the message
const patience = 90000; // milliseconds after which nobody waits for a report

const ends = {
  delivered: ['green', 'It has arrived. The network says that the phone has it.'],
  sent: ['green', 'The network has taken it. Not every network reports the arrival, so look at the phone.'],
  undelivered: ['red', 'The network has taken it, and the phone did not get it.'],
  failed: ['red', 'It could not be sent.'],
  expired: ['red', 'No route could take it in time.'],
  unknown: ['amber', 'It was handed over, and the network did not answer. Look at the phone.'],
  superseded: ['amber', 'Another message has taken its place.'],
};

// tester returns a form that sends a test SMS. routes are the names to choose
// from, if there is more than one; signal ends the waiting.
export function tester({ routes = [], signal }) {
  const number = el('input#test-to', { type: 'tel', inputmode: 'tel', autocomplete: 'tel', required: true, placeholder: '+41 79 123 45 67' });
  const button = el('button#test-send.primary', { type: 'submit' }, 'Send a test SMS');
  const route = choice(null, [['', 'As the order of the routes says'], ...routes.map(name => [name, name])]);
  const steps = timeline();
  const result = el('div', { role: 'status' });
  const log = el('div.stack', { hidden: true }, el('h3', null, 'What happens'), steps.node, result);
  let turn = 0; // a further test ends the waiting for the one before

  async function send() {
    number.removeAttribute('aria-invalid');
    try {
      const message = await post('messages', { to: number.value.replace(/[^+\d]/g, ''), ...route.value && { route: route.value } });
      log.hidden = false;
      put(result);
      steps.show([]);
      follow(message.id, ++turn);
    } catch (error) {
      if (error.code === 'invalid_phone') number.setAttribute('aria-invalid', 'true');
      throw Object.assign(error, { field: number.id });
    }
  }

  async function follow(id, mine) {
    const until = Date.now() + patience;
    try {
      for (;;) {
        const message = await get(`messages/${id}`);
        if (signal.aborted || mine !== turn) return;
        steps.show(message.timeline);
        if (!onTheWay(message.state) || Date.now() > until) return end(message);
        if (message.state === 'sent' && !result.firstChild) {
          put(result, note('wait', el('p', null, 'The network has taken it. Waiting for its report of the arrival…')));
        }
        await new Promise(resolve => setTimeout(resolve, pace));
      }
    } catch (error) {
      put(result, failure(error, () => follow(id, mine)));
    }
  }

  function end(message) {
    const [level, words] = ends[message.state] ?? ['wait', 'It still waits for a route.'];
    put(result, note(level, el('p', null, el('strong', null, words)), level === 'green'
      ? el('p', null, 'Next: ', el('a', { href: '#/apps' }, 'copy a call for your app'), '.')
      : el('p.fix', null, el('a', { href: '#/doctor' }, 'ask the doctor'), ', or ', el('a', { href: link('messages', message.id) }, 'look at the message'), '.')));
  }

  return el('div.stack', null,
    form(button, [
      field('Phone number', number, 'With its country code. A plain test sentence is sent to it, which costs what an SMS costs.'),
      routes.length > 1 && field('Route', route),
    ], send),
    log);
}
