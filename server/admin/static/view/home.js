// Home: are codes being delivered, by what, and what has happened of late.

import { get } from '../api.js';
import { chart } from '../chart.js';
import { el, put } from '../dom.js';
import { count, moment, when } from '../format.js';
import { icon } from '../icon.js';
import { live } from '../live.js';
import { badge, card, empty, level, prose, renew } from '../part.js';
import { found } from '../place.js';
import { present } from '../presence.js';
import { routeCard } from '../route.js';
import { tester } from '../tester.js';

const chartPace = 5000; // milliseconds between two looks at whether the chart is right
const chartAge = 60000; // milliseconds after which it is drawn anew in any case
const shownEvents = 20;

const levels = { info: 'step', good: 'green', warn: 'amber', bad: 'red' };

// show draws the view and keeps it as the stream tells it.
export async function show(place) {
  const [overview, series] = await Promise.all([live.overview ?? get('overview'), figures()]);
  const sentence = el('h1#sentence', { tabindex: '-1' });
  const said = el('div.quiet', { role: 'status' });
  const detail = el('div');
  const banner = el('section.card.sentence', { 'aria-label': 'State of the box' });
  const sign = el('span.row');
  const routes = el('div.grid');
  const events = el('div');
  const lines = chart(place.signal);
  const first = !overview.sent_ever && card('Send a test SMS',
    el('p.soft', null, 'The box is set up, and nothing has been sent yet. Send an SMS to your own phone: each step is told here.'),
    tester({ signal: place.signal }));
  let list = overview.events;
  let data = series;
  let counts = overview.counts;
  let before = '';

  function tell(next) {
    const { text } = next.sentence;
    const sort = level(next.sentence.level);
    if (sentence.textContent !== text) sentence.textContent = text;
    if (before && before !== text) said.textContent = text;
    before = text;
    banner.className = `card sentence ${sort}`;
    put(sign, icon(sort), el('span.quiet', null, { green: 'Good:', amber: 'Attention:', red: 'Trouble:' }[sort]));
    put(detail, next.sentence.detail && el('p', null, prose(next.sentence.detail)),
      next.sentence.fix && el('p.fix', null, prose(next.sentence.fix)), facts(next));
    renew(routes, next.routes, () => next.routes.length ? next.routes.map(route => routeCard(route))
      : el('div.card', null, empty('routes', 'No route yet', 'Plug a modem in, or name a relay in the config file. The doctor says what is found.')));
    counts = next.counts;
    lines.show(data, counts);
    list = next.events;
    recent();
  }

  const recent = () => renew(events, list, () => list.length ? el('ol.events', null, list.map(row))
    : empty('wait', 'Nothing has happened yet', 'What goes through the box appears here at once.'));

  place.live('overview', tell);
  place.live('event', event => {
    list = [event, ...list].slice(0, shownEvents);
    recent();
  });
  let drawn = { at: Date.now(), state: JSON.stringify(counts) };
  const timer = setInterval(async () => {
    const state = JSON.stringify(counts);
    if (!present() || (state === drawn.state && Date.now() - drawn.at < chartAge)) return;
    drawn = { at: Date.now(), state };
    data = await figures() ?? data;
    lines.show(data, counts);
  }, chartPace);
  place.signal.addEventListener('abort', () => clearInterval(timer));

  put(banner, sign, el('div.grow', null, sentence, detail));
  requestAnimationFrame(() => tell(live.overview ?? overview)); // the chart has its width then
  return [said, banner, first,
    el('section.stack', { 'aria-label': 'Routes' }, el('h2', null, 'Routes'), routes),
    lines.node,
    el('section.card.flush', null, el('h2', null, 'Last events'), events)];
}

// figures returns those of the chart, or null if they cannot be had now: the rest
// of the page does not wait for them.
async function figures() {
  try {
    return await get('chart', { hours: 24 });
  } catch {
    return null;
  }
}

function facts(overview) {
  const parts = [
    el('span', null, 'Queue ', el('strong', null, count(overview.queue))),
    overview.last_sent_at && el('span', null, 'Last sent ', when(overview.last_sent_at)),
    overview.last_approved_at && el('span', null, 'Last approved ', when(overview.last_approved_at)),
    overview.disk?.low && badge('red', 'the disk is nearly full'),
  ];
  return el('p.row.soft', null, parts);
}

function row(event) {
  const target = found(event.id);
  return el('li', null, moment(event.at), el('div.row', null,
    badge(levels[event.level] ?? 'step', event.type.split('.').pop().replaceAll('_', ' ')),
    el('span.grow', null, target ? el('a', { href: target }, event.text) : event.text)));
}
