// What every JavaScript SDK of Descope has to do at the box: they share the
// calls of core-js-sdk.

import { deepStrictEqual as same, notStrictEqual as differ, ok, strictEqual as equal } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { claims, Phone } from './suite.mjs';

/** Returns the data of an answer that must be a success. */
export async function good(answer) {
  const { ok: fine, code, error, data } = await answer;
  if (!fine) throw new Error(`status ${code}, ${error?.errorCode}: ${error?.errorMessage}`);
  return data;
}

/** Checks that an answer is a refusal with one of these codes, and returns it. */
export async function refused(answer, ...codes) {
  const { ok: fine, code, error } = await answer;
  ok(!fine, 'it was not refused');
  ok(codes.includes(error?.errorCode), `status ${code}, ${error?.errorCode}: ${error?.errorMessage}, want ${codes.join(' or ')}`);
  return error;
}

/** Logs a new phone in. */
export async function enter(sdk, phone = new Phone(), ...options) {
  await good(sdk.otp.signUpOrIn.sms(phone.number, ...options));
  return good(sdk.otp.verify.sms(phone.number, await phone.code()));
}

/**
 * Runs the flow of OTP and session. other is the SDK at app B. attempts is what
 * the last of too many wrong codes is answered.
 */
export async function flow(suite, sdk, other, attempts) {
  const phone = new Phone();
  let first;
  await suite.step('start', 'sign-up answers a masked phone', async () => {
    const { maskedPhone } = await good(sdk.otp.signUp.sms(phone.number, { name: 'Ada' }));
    equal(typeof maskedPhone, 'string');
    ok(!maskedPhone.includes(phone.number.slice(-7)), 'the phone is not masked');
  });
  await suite.step('login', 'the code of a sign-up logs in, for the first time', async () => {
    first = await good(sdk.otp.verify.sms(phone.number, await phone.code()));
    ok(first.sessionJwt && first.refreshJwt, 'a token is missing');
    equal(first.firstSeen, true);
    equal(first.user.verifiedPhone, true);
    equal(first.user.phone, phone.number);
    equal(first.user.name, 'Ada');
    equal(first.user.status, 'enabled');
  });
  await suite.step('login', 'the code of a sign-in logs in, and not for the first time', async () => {
    await good(sdk.otp.signIn.sms(phone.number));
    const again = await good(sdk.otp.verify.sms(phone.number, await phone.code()));
    equal(again.firstSeen, false);
    equal(again.user.userId, first.user.userId);
  });
  await suite.step('login', 'a user has a login name beside the phone', async () => {
    const named = new Phone();
    const name = `ada-${named.number.slice(-4)}`;
    await good(sdk.otp.signUp.sms(name, { phone: named.number }));
    await good(sdk.otp.verify.sms(name, await named.code()));
    await good(sdk.otp.signIn.sms(name));
    const { user } = await good(sdk.otp.verify.sms(name, await named.code()));
    ok(user.loginIds.includes(name), 'the login name is not among the login ids');
  });
  await suite.step('start', 'who is unknown cannot sign in', () => refused(sdk.otp.signIn.sms(new Phone().number), 'E062108'));
  await suite.step('start', 'who is known cannot sign up', () => refused(sdk.otp.signUp.sms(phone.number), 'E062107'));
  await suite.step('start', 'what is no phone is an invalid argument', () =>
    refused(sdk.otp.signUpOrIn.sms('+41 12'), 'E011001', 'E011003', 'E011004'));
  await suite.step('wrong', 'a wrong code is E061102, and too many end the code', async () => {
    const victim = new Phone();
    await good(sdk.otp.signUpOrIn.sms(victim.number));
    const code = await victim.code();
    for (let n = 1; n <= 4; n++) await refused(sdk.otp.verify.sms(victim.number, victim.wrong(n)), 'E061102');
    await sdk.otp.verify.sms(victim.number, victim.wrong(5));
    await refused(sdk.otp.verify.sms(victim.number, code), ...attempts);
  });
  await suite.step('used', 'a used code is refused', async () => {
    const user = new Phone();
    await good(sdk.otp.signUpOrIn.sms(user.number));
    const code = await user.code();
    await good(sdk.otp.verify.sms(user.number, code));
    await refused(sdk.otp.verify.sms(user.number, code), 'E061102', 'E061104');
  });
  await suite.step('used', 'a newer code ends the one before', async () => {
    const user = new Phone();
    await good(sdk.otp.signUpOrIn.sms(user.number));
    const older = await user.code();
    await good(sdk.otp.signUpOrIn.sms(user.number));
    const newer = await user.code();
    if (older !== newer) await refused(sdk.otp.verify.sms(user.number, older), 'E061102');
    await good(sdk.otp.verify.sms(user.number, newer));
  });
  await suite.step('other', 'a code of one app is nothing at another', async () => {
    const user = new Phone();
    await good(sdk.otp.signUpOrIn.sms(user.number));
    await refused(other.otp.verify.sms(user.number, await user.code()), 'E061102', 'E061104');
  });
  await suite.step('other', 'a refresh token of one app is nothing at another', async () => {
    const { refreshJwt } = await enter(sdk);
    equal((await other.refresh(refreshJwt)).ok, false);
    equal((await other.me(refreshJwt)).ok, false);
    await good(sdk.me(refreshJwt));
  });
  await suite.step('refresh', 'refresh gives a new pair, and again', async () => {
    const before = await enter(sdk);
    const after = await good(sdk.refresh(before.refreshJwt));
    ok(after.sessionJwt && after.refreshJwt, 'a token is missing');
    differ(after.refreshJwt, before.refreshJwt);
    ok(after.sessionExpiration > Date.now() / 1000, 'the session is over');
    await good(sdk.refresh(after.refreshJwt));
  });
  await suite.step('refresh', 'two pages that refresh at once both go on', async () => {
    const { refreshJwt } = await enter(sdk);
    const both = await Promise.all([good(sdk.refresh(refreshJwt)), good(sdk.refresh(refreshJwt))]);
    for (const one of both) await good(sdk.me(one.refreshJwt));
  });
  await suite.step('refresh', 'an access token refreshes nothing', async () => {
    const { sessionJwt } = await enter(sdk);
    equal((await sdk.refresh(sessionJwt)).ok, false);
  });
  await suite.step('logout', 'a refresh token is E064001 once it was logged out', async () => {
    const { refreshJwt } = await enter(sdk);
    await good(sdk.logout(refreshJwt));
    await refused(sdk.refresh(refreshJwt), 'E064001');
    equal((await sdk.me(refreshJwt)).ok, false);
  });
  await suite.step('logout', 'logoutAll ends every session of the user', async () => {
    const user = new Phone();
    const one = await enter(sdk, user);
    const two = await enter(sdk, user);
    await good(sdk.logoutAll(two.refreshJwt));
    await refused(sdk.refresh(one.refreshJwt), 'E064001');
  });
  await suite.step('limit', 'the fourth send is E130429 with a time to wait', async () => {
    const user = new Phone();
    for (let n = 0; n < 3; n++) await good(sdk.otp.signUpOrIn.sms(user.number));
    const error = await refused(sdk.otp.signUpOrIn.sms(user.number), 'E130429');
    ok(error.retryAfter > 0, `retryAfter is ${error.retryAfter}`);
  });
  await suite.step('more', 'me, history and tenants', async () => {
    const { refreshJwt, user } = await enter(sdk);
    const me = await good(sdk.me(refreshJwt));
    equal(me.userId, user.userId);
    ok(Array.isArray(await good(sdk.history(refreshJwt))), 'the history is no array');
    same((await good(sdk.myTenants(true, refreshJwt))).tenants, []);
  });
  await suite.step('more', 'another phone, once its code came back', async () => {
    const from = new Phone();
    const to = new Phone();
    const { refreshJwt, user } = await enter(sdk, from);
    await good(sdk.otp.update.phone.sms(from.number, to.number, refreshJwt));
    const changed = await good(sdk.otp.verify.sms(from.number, await to.code()));
    equal(changed.user.userId, user.userId);
    equal(changed.user.phone, to.number);
  });
  await suite.step('more', 'a step-up needs a session and says su', async () => {
    const user = new Phone();
    const { refreshJwt } = await enter(sdk, user);
    equal((await sdk.otp.signIn.sms(user.number, { stepup: true })).ok, false);
    await good(sdk.otp.signIn.sms(user.number, { stepup: true }, refreshJwt));
    const { sessionJwt } = await good(sdk.otp.verify.sms(user.number, await user.code()));
    equal(claims(sessionJwt).su, true);
  });
  await suite.step('more', 'with a PKCE challenge the tokens come from the exchange, once', async () => {
    const user = new Phone();
    const codeVerifier = randomBytes(32).toString('base64url');
    const pkceChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
    const { sessionJwt, refreshJwt, code } = await enter(sdk, user, { pkceChallenge });
    ok(!sessionJwt && !refreshJwt && code, 'tokens came before the exchange');
    const exchange = (verifier) => sdk.httpClient.post('/v1/auth/exchange', { code, codeVerifier: verifier });
    equal((await exchange(codeVerifier.replace(/^./, (c) => (c === 'x' ? 'y' : 'x')))).ok, false);
    const answer = await exchange(codeVerifier);
    ok(answer.ok, `status ${answer.status}`);
    ok((await answer.json()).sessionJwt, 'no token');
    equal((await exchange(codeVerifier)).ok, false);
  });
  await suite.step('more', 'custom claims stay under a name of their own', async () => {
    const { sessionJwt } = await enter(sdk, undefined, { customClaims: { shade: 'green' } });
    const all = claims(sessionJwt);
    equal(all.shade, undefined);
    ok(JSON.stringify(all).includes('"shade":"green"'), 'they are not in the token');
    await refused(sdk.otp.signUpOrIn.sms(new Phone().number, { customClaims: { sub: 'root' } }), 'E011001', 'E011003', 'E011004');
  });
  await suite.step('more', 'a call that is not there is refused in words that the SDK knows', async () => {
    await refused(sdk.magicLink.signIn.email('anna@example.com', 'https://shop.example'), 'E011003');
  });
  await suite.step('more', 'a channel that is not there is refused', async () => {
    const { ok: fine, code } = await sdk.otp.signUpOrIn.whatsapp(new Phone().number);
    ok(!fine && code < 500, `status ${code}`);
  });
}
