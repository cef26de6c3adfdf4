// @descope/web-js-sdk, as a page uses it: it keeps the tokens itself.

import { ok, strictEqual as equal } from 'node:assert/strict';
import './browser.mjs';
import { enter, flow, good } from './descope.mjs';
import { apps, base, Phone, Suite } from './suite.mjs';

// It looks for window when it is loaded.
const { default: descope } = await import('@descope/web-js-sdk');

const suite = new Suite('@descope/web-js-sdk');
const at = (app, more) => descope({ projectId: app.project, baseUrl: base, autoRefresh: false, ...more });

// The calls with tokens that the caller keeps, then with the SDK's own store.
await flow(suite, at(apps.a), at(apps.b), ['E130429']);

const sdk = at(apps.a, { persistTokens: true });
await suite.step('start', 'a page begins without a session, and without an error', async () => {
  localStorage.clear();
  await good(sdk.refresh(undefined, true));
  localStorage.setItem('DSLI_DISABLED', '1'); // asks the box even so
  const { ok: fine, code } = await sdk.refresh(undefined, true);
  ok(fine || code < 500, `status ${code}`);
  ok(!sdk.getSessionToken(), 'a session came from nothing');
});
await suite.step('token', 'the SDK keeps the tokens', async () => {
  const phone = new Phone();
  const { sessionJwt, refreshJwt } = await enter(sdk, phone);
  equal(sdk.getSessionToken(), sessionJwt);
  equal(sdk.getRefreshToken(), refreshJwt);
  equal(sdk.isJwtExpired(sessionJwt), false);
  equal(sdk.getLastUserLoginId(), phone.number);
});
await suite.step('refresh', 'it refreshes from its own store, and at its start', async () => {
  const { refreshJwt } = await enter(sdk);
  await good(sdk.refresh());
  ok(sdk.getRefreshToken() !== refreshJwt, 'the store has the token of before');
  await good(sdk.refresh(undefined, true));
  await good(sdk.me());
});
await suite.step('logout', 'it logs out from its own store', async () => {
  const { refreshJwt } = await enter(sdk);
  await good(sdk.logout());
  equal(sdk.getRefreshToken(), '');
  equal((await sdk.refresh(refreshJwt)).error.errorCode, 'E064001');
});
await suite.step('logout', 'a session that was ended elsewhere is wiped', async () => {
  const phone = new Phone();
  const { refreshJwt } = await enter(sdk, phone);
  await good(at(apps.a).logout(refreshJwt));
  equal((await sdk.refresh()).ok, false);
  equal(sdk.getSessionToken(), '');
});
await suite.step('wrong', 'a wrong code does not wipe the session', async () => {
  const phone = new Phone();
  await enter(sdk, phone);
  await good(sdk.otp.signIn.sms(phone.number));
  await phone.code();
  equal((await sdk.otp.verify.sms(phone.number, phone.wrong())).ok, false);
  ok(sdk.getSessionToken(), 'it is gone');
});
suite.end();
