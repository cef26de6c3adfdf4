// An app that people sign in to: a server of its own beside the box, which does
// what the readme tells apps to do.

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { digest } from '../box.mjs';

const random = () => randomBytes(32).toString('base64url');

// The keys of apps, before their ids: of pages, and of servers.
const keys = { publishable: 'pk_shop', secret: 'sk_shop' };

/** The lines of a config that make an app; more are further lines. */
export const section = (id, shop, more = '') => `
[[app]]
id = "${id}"
keys = ["${digest(keys.publishable + id)}", "${digest(keys.secret + id)}"]
countries = ["CH", "DE", "FR", "IT"]
login = true
redirects = ["${shop.origin}/welcome"]
origins = ["${shop.origin}"]
${more}`;

/** Calls the native API of a box as the server of an app does. */
export async function call(box, app, method, path, body) {
  const response = await fetch(`${box.base}/v1/${path}`, {
    method, body: body && JSON.stringify(body),
    headers: { Authorization: `Bearer ${keys.secret}${app}`, ...body && { 'Content-Type': 'application/json' } },
  });
  if (!response.ok) throw new Error(`${method} ${path.split('/')[0]} was answered ${response.status}`);
  return response.status === 204 ? null : response.json();
}

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
<link rel="icon" href="data:,"><main>${body}</main></html>`;

// A page that does all that no page may.
const broken = {
  headers: { 'Content-Security-Policy': "script-src 'self' 'nonce-good'" },
  page: page(`<h1 style="color:#ccc;background:#fff">Broken</h1><img src="https://elsewhere.example/x.png"><p id=pwned>
<script nonce="good">setTimeout(() => { throw new Error('thrown') }); alert('opened')</script><script>forbidden()</script>`),
};

/** Starts the app's server on a port of its own. */
export async function open() {
  const visits = new Map(); // by state: of whom it sent to sign in
  const server = createServer((request, response) => {
    const url = new URL(request.url, shop.origin);
    const answer = (body) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(page(body));
    if (url.pathname === '/widget') return answer(widget(url.searchParams));
    if (url.pathname === '/broken') return response.writeHead(200, { 'Content-Type': 'text/html', ...broken.headers }).end(broken.page);
    if (url.pathname !== '/welcome') return response.writeHead(404).end();
    welcome(url.searchParams).then(answer, (e) => answer(`<h1>Not signed in</h1><p id="why">${e.message}</p>`));
  });

  async function welcome(answer) {
    const visit = visits.get(answer.get('state'));
    if (!visit) throw new Error('a state that is none of ours');
    if (answer.has('error')) throw new Error(answer.get('error'));
    const exchange = { code: answer.get('code'), code_verifier: visit.verifier, redirect_uri: `${shop.origin}/welcome` };
    const response = await fetch(`${visit.base}/v1/token/exchange`, {
      method: 'POST', body: JSON.stringify(exchange),
      headers: { Authorization: `Bearer ${keys.secret}${visit.app}`, 'Content-Type': 'application/json' },
    });
    const session = await response.json();
    if (!session.access_token || !session.user?.id) throw new Error(`the exchange was answered ${response.status}`);
    return `<h1>Welcome</h1><p id="user">${session.user.id}</p>`;
  }

  const widget = (query) => `<h1>Our shop</h1><div id="login"></div><script type="module">
import { pinferryLogin } from '${query.get('base')}/login/widget.js'
pinferryLogin({ app: 'shop', key: '${keys.publishable}shop', element: document.getElementById('login'),
  onApproved: (session) => { document.querySelector('h1').textContent = session.access_token ? 'Welcome' : 'No session' } })
</script>`;

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const shop = {
    /** Where it is. */
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Where it sends people to sign in, at the box of this base URL; more are further parameters. */
    link(base, app = 'shop', more = {}) {
      const [verifier, state] = [random(), random()];
      visits.set(state, { base, app, verifier });
      return `${base}/login?${new URLSearchParams({
        app, state, redirect_uri: `${shop.origin}/welcome`, code_challenge_method: 'S256',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'), ...more,
      })}`;
    },
    /** The address of its page with the widget of the box at base. */
    widget: (base) => `${shop.origin}/widget?${new URLSearchParams({ base })}`,
    /** The address of a page that does all that no page may. */
    broken: `http://127.0.0.1:${server.address().port}/broken`,
    close: () => server.close(),
  };
  return shop;
}
