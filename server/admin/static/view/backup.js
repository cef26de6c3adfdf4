// Backup: the whole database as one file.

import { file } from '../api.js';
import { el, put } from '../dom.js';
import { bytes } from '../format.js';
import { form, operator, password } from '../form.js';
import { card, field, head, note } from '../part.js';

const linger = 60000; // milliseconds for which the browser may read the file

// show draws the view.
export function show() {
  const word = password('backup-password', 'current-password');
  const result = el('div', { role: 'status' });
  const load = async () => {
    put(result);
    const { name, blob } = await file('backup', { password: word.value });
    save(blob, name ?? 'pinferry.backup');
    word.value = '';
    put(result, note('green', el('p', null, `The backup has ${bytes(blob.size)}. Keep it where the box is not.`)));
  };
  return [head('Backup', 'The whole database as one file: users, sessions, messages, limits and the audit trail.'),
    el('div.halves.loose', null,
      card('Take one', form('Download a backup', [operator(),
        field('Administrator password', word, 'It is asked for again, because the file holds every phone number.')], load), result),
      card('Put one back',
        el('p', null, 'With the box stopped, on its terminal:'),
        el('pre.answer', { tabindex: '0', role: 'region', 'aria-label': 'Commands' }, 'sudo systemctl stop pinferry\nsudo pinferry restore FILE\nsudo systemctl start pinferry'),
        el('p.soft', null, 'The keys of the box are not in the file. A copy with them is made on the terminal, locked by a passphrase: ', el('code', null, 'sudo pinferry backup FILE --with-keys'), '.')))];
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  el('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), linger);
}
