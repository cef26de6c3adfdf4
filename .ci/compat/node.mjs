// @descope/node-sdk, as a backend uses it: with the app's secret key in the
// place of Descope's authManagementKey.

import { notStrictEqual as differ, ok, strictEqual as equal } from 'node:assert/strict';
import descope from '@descope/node-sdk';
import { enter, flow, good, refused } from './descope.mjs';
import { apps, base, forge, Phone, Suite, thrown } from './suite.mjs';

const suite = new Suite('@descope/node-sdk');
const quiet = { log() {}, warn() {}, error() {} };
const at = (app) => descope({ projectId: app.project, baseUrl: base, authManagementKey: app.secret, logger: quiet });
const sdk = at(apps.a);
const other = at(apps.b);

await flow(suite, sdk, other, ['E061103']);
await suite.step('token', 'a session validates with the key set of the box', async () => {
  const { sessionJwt, user } = await enter(sdk);
  const { token } = await sdk.validateSession(sessionJwt);
  equal(token.sub, user.userId);
  equal(token.iss, apps.a.project);
  equal(token.drn, 'DS');
  ok(token.amr.includes('sms'), 'no amr');
  await sdk.validateSession(sessionJwt, { audience: apps.a.project });
});
await suite.step('token', 'a forged token does not', async () => {
  const { sessionJwt } = await enter(sdk);
  await thrown(() => sdk.validateSession(forge(sessionJwt)));
});
await suite.step('other', 'a token of one app is none of another', async () => {
  const { sessionJwt, refreshJwt } = await enter(other);
  await other.validateSession(sessionJwt);
  await thrown(() => sdk.validateSession(sessionJwt));
  await thrown(() => sdk.refreshSession(refreshJwt));
});
await suite.step('refresh', 'refreshSession validates what it gets', async () => {
  const { refreshJwt } = await enter(sdk);
  const session = await sdk.refreshSession(refreshJwt);
  equal(session.token.drn, 'DS');
  differ(session.refreshJwt, refreshJwt);
  await sdk.validateAndRefreshSession('', session.refreshJwt);
});
await suite.step('logout', 'refreshSession throws once the token was logged out', async () => {
  const { refreshJwt } = await enter(sdk);
  await good(sdk.logout(refreshJwt));
  await thrown(() => sdk.refreshSession(refreshJwt));
});
await suite.step('wrong', 'a key of another app is refused', async () => {
  const stranger = descope({ projectId: apps.a.project, baseUrl: base, authManagementKey: apps.b.secret, logger: quiet });
  const { ok: fine, code } = await stranger.otp.signUpOrIn.sms(new Phone().number);
  ok(!fine && code === 401, `status ${code}`);
});
await suite.step('wrong', 'the errors are those that the SDK has names for', async () => {
  const { userNotFound, wrongOTPCode } = descope.DescopeErrors;
  await refused(sdk.otp.signIn.sms(new Phone().number), userNotFound);
  const phone = new Phone();
  await good(sdk.otp.signUpOrIn.sms(phone.number));
  await phone.code();
  await refused(sdk.otp.verify.sms(phone.number, phone.wrong()), wrongOTPCode);
});
suite.end();
