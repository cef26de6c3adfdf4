// @supabase/auth-js at both of its doors: node supabase.mjs gotrue, and strike,
// which has the same routes at the root.

import { notStrictEqual as differ, ok, strictEqual as equal } from 'node:assert/strict';
import './browser.mjs';
import { GoTrueClient, isAuthApiError } from '@supabase/auth-js';
import { apps, base, forge, Phone, Suite } from './suite.mjs';

const gotrue = process.argv[2] === 'gotrue';
const suite = new Suite(`auth-js at ${gotrue ? 'gotrue' : 'strike'}`);

// client returns a fresh client, and the paths that it asks for.
function client(app = apps.a) {
  const paths = [];
  const kept = new Map();
  const auth = new GoTrueClient({
    url: base + (gotrue ? '/auth/v1' : ''),
    headers: { apikey: app.publishable, Authorization: `Bearer ${app.publishable}` },
    storageKey: `store-${Math.random()}`,
    storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) },
    autoRefreshToken: false,
    detectSessionInUrl: false,
    fetch: (input, init) => {
      paths.push(new URL(input).pathname);
      return fetch(input, init);
    },
  });
  return { auth, paths };
}

async function good(answer) {
  const { data, error } = await answer;
  if (error) throw error;
  return data;
}

// refused checks that the SDK has an error with this status and, where the
// wire format has names for errors, this name.
async function refused(answer, name, ...statuses) {
  const { error } = await answer;
  ok(error, 'it was not refused');
  ok(isAuthApiError(error), `${error.name}: ${error.message}`);
  ok(statuses.includes(error.status), `status ${error.status}: ${error.message}, want ${statuses.join(' or ')}`);
  if (gotrue) equal(error.code, name);
  return error;
}

const ask = (auth, phone, options = { shouldCreateUser: true }) => auth.signInWithOtp({ phone: phone.number, options });
const verify = (auth, phone, token, type = 'sms') => auth.verifyOtp({ phone: phone.number, token, type });

async function enter(auth, phone = new Phone()) {
  await good(ask(auth, phone));
  return (await good(verify(auth, phone, await phone.code()))).session;
}

const bare = (phone) => phone.number.slice(1);

await suite.step('login', 'a code logs in', async () => {
  const { auth } = client();
  const phone = new Phone();
  const session = await enter(auth, phone);
  equal(session.token_type, 'bearer');
  ok(session.refresh_token && session.expires_at > Date.now() / 1000, 'no session');
  equal(session.user.phone, bare(phone));
  equal(session.user.role, 'authenticated');
  ok(session.user.phone_confirmed_at, 'the phone is not confirmed');
  equal((await good(auth.getUser())).user.id, session.user.id);
});
await suite.step('login', 'who is known logs in again, without being created', async () => {
  const { auth } = client();
  const phone = new Phone();
  const { user } = await enter(auth, phone);
  await good(ask(auth, phone, { shouldCreateUser: false }));
  equal((await good(verify(auth, phone, await phone.code()))).user.id, user.id);
});
await suite.step('login', 'data of a sign-up is kept', async () => {
  const { auth } = client();
  const phone = new Phone();
  await good(ask(auth, phone, { shouldCreateUser: true, data: { shade: 'green' } }));
  const { user } = await good(verify(auth, phone, await phone.code()));
  equal(user.user_metadata.shade, 'green');
});
await suite.step('start', 'who is unknown and shall not be created is refused', () =>
  refused(ask(client().auth, new Phone(), { shouldCreateUser: false }), 'otp_disabled', gotrue ? 422 : 404));
await suite.step('start', 'what is no phone is refused', () =>
  refused(client().auth.signInWithOtp({ phone: '12' }), 'validation_failed', 400));
await suite.step('start', 'a channel that is not there is refused', () =>
  refused(ask(client().auth, new Phone(), { shouldCreateUser: true, channel: 'whatsapp' }), 'validation_failed', 400));
await suite.step('wrong', 'a wrong code is refused, and one address cannot try on', async () => {
  const { auth } = client();
  const phone = new Phone();
  await good(ask(auth, phone));
  const code = await phone.code();
  for (let n = 1; n <= 4; n++) await refused(verify(auth, phone, phone.wrong(n)), 'otp_expired', 400, 401, 403);
  await refused(verify(auth, phone, code), 'over_request_rate_limit', 429);
});
await suite.step('used', 'a used code is refused', async () => {
  const { auth } = client();
  const phone = new Phone();
  await good(ask(auth, phone));
  const code = await phone.code();
  await good(verify(auth, phone, code));
  await refused(verify(auth, phone, code), 'otp_expired', 400, 401, 403);
});
await suite.step('used', 'a newer code ends the one before', async () => {
  const { auth } = client();
  const phone = new Phone();
  await good(ask(auth, phone));
  const older = await phone.code();
  await good(ask(auth, phone));
  const newer = await phone.code();
  if (older !== newer) await refused(verify(auth, phone, older), 'otp_expired', 400, 401, 403);
  await good(verify(auth, phone, newer));
});
await suite.step('token', 'getClaims checks the token with the key set, not by asking', async () => {
  const { auth, paths } = client();
  const { access_token, user } = await enter(auth);
  paths.length = 0;
  const { claims } = await good(auth.getClaims(access_token));
  equal(paths.join(), `${gotrue ? '/auth/v1' : ''}/.well-known/jwks.json`);
  equal(claims.sub, user.id);
  equal(claims.aud, 'authenticated');
  equal(claims.aal, 'aal1');
  equal(claims.is_anonymous, false);
  equal(claims.amr[0].method, 'otp');
  ok(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(claims.sub), 'the user id is no UUID');
});
await suite.step('token', 'a forged token does not pass', async () => {
  const { auth } = client();
  const { access_token } = await enter(auth);
  ok((await auth.getClaims(forge(access_token))).error, 'it passed');
});
await suite.step('other', 'a token of one app is none of another', async () => {
  const there = client(apps.b);
  const { access_token, refresh_token } = await enter(there.auth);
  await good(there.auth.getClaims(access_token));
  const here = client();
  ok((await here.auth.getClaims(access_token)).error, 'the token passed');
  ok((await here.auth.getUser(access_token)).error, 'the token stands for somebody');
  ok((await here.auth.refreshSession({ refresh_token })).error, 'the token was refreshed');
  await good(there.auth.refreshSession({ refresh_token }));
});
await suite.step('other', 'a code of one app is nothing at another', async () => {
  const phone = new Phone();
  await good(ask(client().auth, phone));
  await refused(verify(client(apps.b).auth, phone, await phone.code()), 'otp_expired', 400, 401, 403);
});
await suite.step('refresh', 'refresh gives a new pair, and again', async () => {
  const { auth } = client();
  const before = await enter(auth);
  const { session } = await good(auth.refreshSession());
  differ(session.refresh_token, before.refresh_token);
  await good(auth.refreshSession());
  await good(auth.getUser());
});
await suite.step('logout', 'nothing of a session is left once it was signed out', async () => {
  const { auth } = client();
  const { access_token, refresh_token } = await enter(auth);
  await good(auth.signOut({ scope: 'local' }).then(({ error }) => ({ error })));
  const { error } = await client().auth.refreshSession({ refresh_token });
  ok(isAuthApiError(error), 'the token was refreshed');
  if (gotrue) ok(['refresh_token_not_found', 'refresh_token_already_used', 'session_not_found'].includes(error.code), `${error.code}`);
  ok((await client().auth.getUser(access_token)).error, 'the token stands for somebody');
});
await suite.step('logout', 'the scopes of a sign-out', async () => {
  const phone = new Phone();
  const [one, two, three] = [client(), client(), client()];
  for (const { auth } of [one, two, three]) await enter(auth, phone);
  await good(three.auth.signOut({ scope: 'others' }).then(({ error }) => ({ error })));
  ok((await one.auth.refreshSession()).error, 'another session lives');
  await good(three.auth.refreshSession());
  await good(three.auth.signOut({ scope: 'global' }).then(({ error }) => ({ error })));
  ok((await two.auth.refreshSession()).error, 'another session lives');
});
await suite.step('limit', 'the fourth send is refused by the SDK\'s name for that', async () => {
  const { auth } = client();
  const phone = new Phone();
  for (let n = 0; n < 3; n++) await good(ask(auth, phone));
  await refused(ask(auth, phone), 'over_sms_send_rate_limit', 429);
});
await suite.step('more', 'a resend', async () => {
  const { auth } = client();
  const phone = new Phone();
  await good(ask(auth, phone));
  await phone.code();
  await good(auth.resend({ type: 'sms', phone: phone.number }));
});
if (gotrue) {
  await suite.step('more', 'another phone, once its code came back', async () => {
    const { auth } = client();
    const to = new Phone();
    const { user } = await enter(auth);
    await good(auth.updateUser({ phone: to.number }));
    await good(verify(auth, to, await to.code(), 'phone_change'));
    const after = (await good(auth.getUser())).user;
    equal(after.id, user.id);
    equal(after.phone, bare(to));
  });
} else {
  await suite.step('more', 'every answer tells what is left', async () => {
    const answer = await fetch(`${base}/otp`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
    equal(answer.status, 400);
    for (const name of ['Limit', 'Remaining', 'Reset']) ok(/^\d+$/.test(answer.headers.get(`X-RateLimit-${name}`)), `no ${name}`);
  });
}
suite.end();
