// A route as a card: what carries the messages, how well, and what is wrong.

import { el } from './dom.js';
import { count, lasting, lit, when, words } from './format.js';
import { bars } from './icon.js';
import { badge, facts, note, prose } from './part.js';

const states = { ready: 'ready', coming: 'coming up', down: 'down' };
const signals = ['no signal', 'very weak', 'weak', 'fair', 'good', 'strong'];

// routeCard returns the card of a route. more are nodes at its end.
export function routeCard(route, ...more) {
  return el('article.card.stack.route', { 'aria-label': `Route ${route.name}` },
    el('div.row.apart', null,
      el('div', null, el('h3', null, route.name), el('span.soft', null, [words(route.kind), route.test && 'test only'].filter(Boolean).join(', '))),
      badge(route.level ?? (route.state === 'ready' ? 'green' : 'red'), states[route.state] ?? route.state)),
    reason(route), figures(route), more);
}

// reason says why a route does not send, and what to do.
function reason(route) {
  const checks = route.checks ?? [];
  if (checks.length) {
    return checks.map(check => note(check.level, el('p', null, el('strong', null, check.text)), check.fix && el('p.fix', null, prose(check.fix))));
  }
  if (!route.reason) return null;
  return note('amber', el('p', null, el('strong', null, words(route.reason))), route.detail && el('p', null, prose(route.detail)));
}

function figures(route) {
  return facts([
    ['Operator', operator(route)],
    ['Signal', signal(route)],
    ['SIM', sim(route)],
    ['Queue', route.queue ? `${count(route.queue)}, wait ${lasting(route.wait_seconds)}` : count(route.queue)],
    ['Pace', route.pace_seconds >= 0.1 ? `${lasting(route.pace_seconds)} a message` : ''],
    ['Balance', balance(route)],
    ['Today', route.daily_cap ? `${count(route.cap_used)} of ${count(route.daily_cap)}` : ''],
  ]);
}

function operator({ operator: name, technology, registration }) {
  if (!name && !technology) return '';
  const roaming = registration === 'roaming' && 'roaming';
  return el('bdi', null, [name, technology?.toUpperCase(), roaming].filter(Boolean).join(' · '));
}

function signal({ bars: told, signal_dbm: dBm }) {
  if (dBm === null || dBm === undefined) return '';
  const n = told ?? lit(dBm);
  return el('span', null, bars(n), `${dBm} dBm, ${signals[n]}`);
}

function sim({ iccid, pin_tries: tries, reason: why }) {
  if (why === 'no_sim') return 'none';
  return [iccid && `ends in ${iccid.replace(/^\.+/, '')}`, tries > 0 && tries < 3 && `${tries} PIN tries left`].filter(Boolean).join(', ');
}

function balance({ balance: amount, balance_at: at, balance_low: low }) {
  if (!amount) return '';
  return el('span.row', null, el('bdi', null, amount), low && badge('amber', 'low'), at && el('span.soft', null, when(at)));
}
