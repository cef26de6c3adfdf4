// Makes this process look like a page in a browser to an SDK that needs one,
// with the rules of a browser for calls across origins: an SDK for browsers
// must not work here and fail there.

import { JSDOM } from 'jsdom';
import { origin, reroute } from './suite.mjs';

const outside = globalThis.fetch;

const safeHeaders = ['accept', 'accept-language', 'content-language'];
const safeTypes = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'];
const readable = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'];

const names = (value) => (value ?? '').toLowerCase().split(',').map((name) => name.trim()).filter(Boolean);

const simple = ([name, value]) =>
  safeHeaders.includes(name) || (name === 'content-type' && safeTypes.includes(value.split(';')[0].trim()));

function admit(answer, what, credentials) {
  const allowed = answer.headers.get('access-control-allow-origin');
  if (allowed !== origin && (credentials || allowed !== '*')) throw new TypeError(`CORS: ${what}: the origin is not allowed`);
  if (credentials && answer.headers.get('access-control-allow-credentials') !== 'true') {
    throw new TypeError(`CORS: ${what}: credentials are not allowed`);
  }
}

// fetch as a page has it.
async function fetchAcross(input, init) {
  const asked = new Request(input, init);
  if (new URL(asked.url).hostname.endsWith('.cloudfunctions.net')) {
    return new Response(null, { status: 204 }); // where an SDK counts its uses
  }
  const { method } = asked;
  const url = reroute(asked.url);
  const credentials = init?.credentials === 'include';
  const what = `${method} ${new URL(url).pathname}`;

  const notable = [...asked.headers].filter((header) => !simple(header)).map(([name]) => name);
  if (notable.length || !['GET', 'HEAD', 'POST'].includes(method)) {
    const headers = { Origin: origin, 'Access-Control-Request-Method': method };
    if (notable.length) headers['Access-Control-Request-Headers'] = notable.sort().join(',');
    const preflight = await outside(url, { method: 'OPTIONS', headers });
    if (!preflight.ok) throw new TypeError(`CORS: ${what}: the preflight was answered ${preflight.status}`);
    admit(preflight, `preflight of ${what}`, credentials);
    const methods = names(preflight.headers.get('access-control-allow-methods'));
    if (!methods.includes(method.toLowerCase())) throw new TypeError(`CORS: ${what}: the method is not allowed`);
    const allowed = names(preflight.headers.get('access-control-allow-headers'));
    const barred = notable.filter((name) => !allowed.includes(name));
    if (barred.length) throw new TypeError(`CORS: ${what}: not allowed: ${barred.join(', ')}`);
  }

  const headers = new Headers(asked.headers);
  headers.set('Origin', origin);
  const body = ['GET', 'HEAD'].includes(method) ? undefined : await asked.text();
  const answer = await outside(url, { method, headers, body, redirect: 'error' });
  admit(answer, what, credentials);
  const shown = [...readable, ...names(answer.headers.get('access-control-expose-headers'))];
  const text = await answer.text();
  return new Response([204, 205, 304].includes(answer.status) ? null : text, {
    status: answer.status,
    headers: [...answer.headers].filter(([name]) => shown.includes(name)),
  });
}

const page = new JSDOM('', { url: `${origin}/` }).window;
Object.assign(globalThis, {
  window: page,
  document: page.document,
  location: page.location,
  localStorage: page.localStorage,
  sessionStorage: page.sessionStorage,
  fetch: fetchAcross,
});
if (!globalThis.navigator) globalThis.navigator = page.navigator;
page.fetch = fetchAcross;
