// Audit: who has done what, each record bound to the one before it.

import { get } from '../api.js';
import { el, put } from '../dom.js';
import { count, when } from '../format.js';
import { listing } from '../list.js';
import { action, empty, failure, head, note } from '../part.js';
import { found } from '../place.js';
import { number } from '../state.js';

// show draws the view.
export function show() {
  const verdict = el('div', { role: 'status' });
  const list = listing({
    caption: 'Records, the newest first',
    columns: [
      { name: 'No.', cell: record => count(record.seq) },
      { name: 'When', cell: record => when(record.at) },
      { name: 'Who', cell: record => el('div', null, record.who, record.from && el('div.soft', null, record.from)) },
      { name: 'What', cell: record => el('code', null, record.action) },
      { name: 'Of', cell: record => target(record.target) },
      { name: 'Digest', cell: record => el('code.soft', null, record.digest) },
    ],
    load: async cursor => {
      const page = await get('audit', { cursor });
      return { rows: page.audit, next: page.next_cursor };
    },
    none: empty('audit', 'No record yet', 'Whatever changes something on this page or by a command leaves one.'),
  });
  const verify = async () => {
    try {
      put(verdict, tell(await get('audit/verify')));
    } catch (error) {
      put(verdict, failure(error));
    }
  };
  return [head('Audit', 'Who has done what. Each record holds the digest of the one before it, so none can be changed or taken out unseen.',
    action('button.primary', 'Verify the chain', verify, 'verifications')), verdict, list.node];
}

function target(words) {
  const place = found(words);
  if (!words) return '–';
  return place ? el('a', { href: place }, el('code', null, `${words.slice(0, 12)}…`)) : number(words);
}

const tell = ({ intact, records, head: digest, detail, broken_at: broken }) => note(intact ? 'green' : 'red',
  el('p', null, el('strong', null, intact ? `The chain is whole: ${count(records)} records.` : `The chain is broken at record ${count(broken)}.`)),
  detail && el('p', null, detail), digest && el('p.soft', null, 'Last digest: ', el('code', null, digest)));
