// Webhooks: what could not be told to the apps yet, and what was given up.

import { get, post } from '../api.js';
import { el } from '../dom.js';
import { count, when } from '../format.js';
import { given } from '../list.js';
import { notice } from '../notice.js';
import { action, badge, empty, head, later } from '../part.js';

// show draws the view.
export function show() {
  const lists = el('div');
  const draw = () => later(lists, () => get('events'), answer => el('div.stack', null, dead(answer.dead ?? [], draw), waiting(answer.waiting ?? [])));
  draw();
  return [head('Webhooks', 'The box tells an app at once what happens to its messages, and tries again for three days if the app does not answer.',
    action('button', 'Refresh', draw, 'refresh')), lists];
}

const columns = level => [
  { name: 'Event', cell: event => badge(level, event.type) },
  { name: 'App', cell: event => event.app },
  { name: 'From', cell: event => when(event.at) },
  { name: 'Tries', cell: event => count(event.tries) },
];

function dead(rows, again) {
  const replay = async what => {
    const { replayed } = await post('events/replay', what);
    notice(`${count(replayed)} tried again.`);
    await again();
  };
  return el('section.stack', null,
    el('div.row.apart', null, el('h2', null, 'Given up'), rows.length > 1 && action('button.small', 'Replay all', () => replay({ all: true }), 'refresh')),
    given({
      caption: 'Deliveries that were given up', rows,
      columns: [...columns('red'), { name: '', bare: true, cell: event => action('button.small', 'Replay', () => replay({ id: event.id })) }],
      none: empty('green', 'No event was given up', 'Deliveries that failed for three days appear here.'),
    }));
}

const waiting = rows => el('section.stack', null, el('h2', null, 'Waiting'), given({
  caption: 'Deliveries that wait', rows,
  columns: [...columns('wait'), { name: 'Next try', cell: event => when(event.due_at) }],
  none: empty('webhooks', 'Nothing waits', 'An event is here for a moment only, unless its app does not answer.'),
}));
