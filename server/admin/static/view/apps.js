// Apps: who uses the box, as the config file has it, with calls to copy.

import { get } from '../api.js';
import { el } from '../dom.js';
import { counted, lasting, words } from '../format.js';
import { live } from '../live.js';
import { badge, empty, facts, head, note, prose, sample } from '../part.js';

// show draws the view.
export async function show() {
  const [{ apps }, overview] = await Promise.all([get('apps'), live.overview ?? get('overview')]);
  return [head('Apps', 'Applications that use the box. They are defined in the config file; the box reads it when it starts.'),
    apps.length ? apps.map(app => draw(app, overview.demo === true)) : el('div.card', null, empty('apps', 'No app yet',
      prose('Run `sudo pinferry key new NAME` on the box: it prints a key and the lines for the config file.')))];
}

function draw(app, demo) {
  return el('section.card.stack', { 'aria-label': `App ${app.name || app.id}` },
    el('div.row.apart', null, el('div', null, el('h2', null, app.name || app.id), el('span.soft', null, el('code', null, app.id))),
      el('div.row', null, app.default && badge('idle', 'default'), app.mode === 'test' ? badge('amber', 'test mode') : badge('green', app.mode))),
    app.mode === 'test' && note('amber', el('p', null, `Test mode: ${counted(app.test_numbers, 'number has', 'numbers have')} a fixed code, and nothing is sent to them.`)),
    el('div.halves.right', null, facts([
      ['Countries', list(app.countries)],
      ['Doors', list(app.doors)],
      ['Codes', `${app.code_length} digits, good for ${lasting(app.code_ttl_seconds)}`],
      ['Resend', app.resend === 'new' ? 'a new code each time' : 'the same code'],
      ['Sessions', app.sessions ? 'yes' : 'no'],
      ['Private', app.private && 'tells nobody who is registered'],
      ['Aliases', list(app.aliases)],
      ['Origins', list(app.origins)],
      ['Redirects', list(app.redirects)],
      ['Hosts', list(app.hosts)],
      ['Web domain', app.web_domain],
      ['Inbound', app.inbound && 'people may prove a number by a text to the box'],
      ['Webhook', app.webhook && 'yes'],
    ]), el('div.stack', null,
      sample('Send a code', start(demo), `with ${app.id}`),
      sample('Check the code', check(demo), `with ${app.id}`),
      el('p.hint', null, demo ? ['Everybody knows the keys of the demo: pk_demo and sk_demo. Its SMS arrive at the ', el('a', { href: '/demo/handset', target: '_blank', rel: 'noopener' }, 'pretended handset'), '.'] : prose(`Keys are shown once, when they are made: \`pinferry key new ${app.id}\`.`)))));
}

const list = values => (values?.length ? el('bdi', null, values.map(words).join(', ')) : '');

const key = demo => (demo ? 'pk_demo' : '$PINFERRY_KEY');

const call = (path, demo, body) => [
  `curl -s ${location.origin}${path} \\`,
  `  -H "Authorization: Bearer ${key(demo)}" \\`,
  '  -H "Content-Type: application/json" \\',
  `  -d '${JSON.stringify(body)}'`,
].join('\n');

const start = demo => call('/v1/verifications', demo, { to: '+41791234567' });

const check = demo => call('/v1/verifications/$ID/check', demo, { code: '123456' });
