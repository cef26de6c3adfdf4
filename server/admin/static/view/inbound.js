// Inbound: what people have texted to the box. Senders and texts are anybody's.

import { get } from '../api.js';
import { el } from '../dom.js';
import { when } from '../format.js';
import { listing } from '../list.js';
import { empty, head } from '../part.js';
import { number, reveal } from '../state.js';

const long = 320; // characters of a text that is shown at once

// show draws the list.
export function show(place) {
  const list = listing({
    caption: 'Received messages, the newest first',
    columns: [
      { name: 'From', cell: message => (message.from.includes('*') ? reveal(message.id, message.from) : number(message.from)) },
      { name: 'Text', wide: true, cell: message => text(message) },
      { name: 'Route', cell: message => message.route },
      { name: 'Received', cell: message => when(message.received_at) },
    ],
    load: async cursor => {
      const page = await get('inbound', { cursor });
      return { rows: page.inbound, next: page.next_cursor };
    },
    none: empty('inbound', 'Nothing was received', 'What people text to the number of a SIM appears here, STOP and START among them.'),
  });
  place.live('event', event => { if (event.type === 'inbound.received') list.fresh(); });
  return [head('Inbound', 'What people have texted to the box. It is shown as it came: open no address that it names.'), list.node];
}

function text(message) {
  if (!message.text) return el('span.muted', null, message.parts > 1 ? 'not all parts have come' : 'without a text');
  const whole = () => el('p.foreign', { dir: 'auto' }, message.text);
  if (message.text.length <= long) return whole();
  return el('details', null, el('summary', null, el('span.foreign', { dir: 'auto' }, `${message.text.slice(0, long / 4)}…`)), whole());
}
