// @passageidentity/passage-node 2: the backend that a page built with passage-js
// talks to. The address of its key set is compiled in, over node:https.

import { ok, strictEqual as equal } from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { apps, base, claims, forge, Phone, reroute, Suite, thrown } from './suite.mjs';

https.get = (url, options) => http.get(reroute(url), { ...options, agent: undefined });
syncBuiltinESMExports();
const { Passage } = await import('@passageidentity/passage-node');

const suite = new Suite('passage-node 2');
const at = (app) => new Passage({ appID: app.passage, apiKey: app.secret });
const sdk = at(apps.a);
const other = at(apps.b);

async function post(app, path, body) {
  const answer = await fetch(`${base}/v1/apps/${app.passage}${path}`, { method: 'POST', body: JSON.stringify(body) });
  ok(answer.ok, `status ${answer.status}`);
  return answer.json();
}

async function enter(app) {
  const phone = new Phone();
  const { otp_id } = await post(app, '/register/otp', { identifier: phone.number });
  return (await post(app, '/otp/activate', { otp_id, otp: await phone.code() })).auth_result;
}

await suite.step('token', 'a token validates with the key set of the box', async () => {
  const { auth_token: token } = await enter(apps.a);
  equal(await sdk.auth.validateJwt(token), claims(token).sub);
  ok(claims(token).aud.includes(apps.a.passage), 'the app is not in aud');
});
await suite.step('token', 'a request with the token is that user\'s', async () => {
  const { auth_token: token } = await enter(apps.a);
  const request = { headers: { authorization: `Bearer ${token}` } };
  equal(await sdk.authenticateRequestWithHeader(request), claims(token).sub);
});
await suite.step('token', 'a forged token does not', async () => {
  const { auth_token: token } = await enter(apps.a);
  await thrown(() => sdk.auth.validateJwt(forge(token)));
});
await suite.step('other', 'a token of one app is none of another', async () => {
  const { auth_token: token } = await enter(apps.b);
  await other.auth.validateJwt(token);
  await thrown(() => sdk.auth.validateJwt(token));
});
await suite.step('refresh', 'a refreshed token validates too', async () => {
  const { refresh_token } = await enter(apps.a);
  const { auth_result } = await post(apps.a, '/tokens', { refresh_token });
  await sdk.auth.validateJwt(auth_result.auth_token);
});
suite.end();
