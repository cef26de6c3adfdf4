// What both ages of passage-js have to do at the box. A driver gives their
// calls one form; see passage3.mjs and passage4.mjs.

import { notStrictEqual as differ, ok, strictEqual as equal } from 'node:assert/strict';
import { apps, origin, Phone, thrown } from './suite.mjs';

/** Logs a new phone in; the SDK keeps the tokens. */
export async function enter(driver, phone = new Phone()) {
  const id = await driver.register(phone.number);
  return driver.activate(await phone.code(), id);
}

// Checks that the session of the page is not refreshed. Version 4 keeps its lock
// after a refusal, until the page is left.
async function stale(driver) {
  await thrown(() => driver.session.refresh());
  delete globalThis.__PASSAGE__;
}

async function refused(run, ...statuses) {
  const e = await thrown(run);
  equal(e.name, 'PassageError', `${e}`);
  ok(statuses.includes(e.statusCode), `status ${e.statusCode}: ${e.message}, want ${statuses.join(' or ')}`);
  return e;
}

/** Runs the flow of OTP and session. at returns the driver of an app. */
export async function flow(suite, at) {
  const sdk = at(apps.a);
  const other = at(apps.b);
  const phone = new Phone();

  await suite.step('login', 'the code of a registration logs in', async () => {
    const result = await enter(sdk, phone);
    ok(result.token && result.refresh, 'a token is missing');
    equal(result.redirect, `${origin}/`);
    ok(result.until > Date.now() / 1000, 'the refresh token is over');
  });
  await suite.step('login', 'the code of a login logs in', async () => {
    const id = await sdk.login(phone.number);
    ok((await sdk.activate(await phone.code(), id)).token, 'no token');
  });
  await suite.step('start', 'who is unknown cannot log in', () => refused(() => sdk.login(new Phone().number), 404));
  await suite.step('start', 'who is known cannot register', async () => {
    const { message } = await refused(() => sdk.register(phone.number), 400);
    equal(message, 'user: already exists.');
  });
  await suite.step('start', 'what is no identifier is refused', () => refused(() => sdk.register('nobody'), 400));
  await suite.step('start', 'an app that is not there is refused', () =>
    refused(() => at({ ...apps.a, passage: 'nowhere' }).register(new Phone().number), 404));
  await suite.step('wrong', 'a wrong code is refused, and one address cannot try on', async () => {
    const victim = new Phone();
    const id = await sdk.register(victim.number);
    const code = await victim.code();
    for (let n = 1; n <= 4; n++) await refused(() => sdk.activate(victim.wrong(n), id), 400);
    await refused(() => sdk.activate(code, id), 401, 429);
  });
  await suite.step('wrong', 'an id that is none is refused', () => refused(() => sdk.activate('123456', '0'.repeat(32)), 400));
  await suite.step('used', 'a used code is refused', async () => {
    const user = new Phone();
    const id = await sdk.register(user.number);
    const code = await user.code();
    await sdk.activate(code, id);
    await refused(() => sdk.activate(code, id), 400);
  });
  await suite.step('other', 'a code of one app is nothing at another', async () => {
    const user = new Phone();
    const id = await sdk.register(user.number);
    const code = await user.code();
    await refused(() => other.activate(code, id), 400);
    await sdk.activate(code, id);
  });
  await suite.step('other', 'a token of one app is nothing at another', async () => {
    await enter(sdk); // the drivers share the store of the page
    ok(await sdk.user(), 'the app does not know its own token');
    ok(!(await other.user().catch(() => undefined)), 'another app knows the token');
    await stale(other);
    await enter(sdk);
    await sdk.session.refresh();
  });
  await suite.step('token', 'the SDK takes the session for one', async () => {
    const user = new Phone();
    const { token } = await enter(sdk, user);
    equal(await sdk.session.authGuard(), true);
    equal(await sdk.session.getAuthToken(), token);
    const { id, phone: number, status } = await sdk.user();
    ok(id, 'no id');
    equal(number, user.number);
    equal(status, 'active');
  });
  await suite.step('refresh', 'refresh gives a new pair, and again', async () => {
    const { refresh } = await enter(sdk);
    await sdk.session.refresh();
    differ(localStorage.getItem('psg_refresh_token'), refresh);
    await sdk.session.refresh();
    ok(await sdk.user(), 'the new token is none');
  });
  await suite.step('logout', 'the session is over once it was signed out', async () => {
    const { token, refresh } = await enter(sdk);
    equal(await sdk.session.signOut(), true);
    equal(await sdk.session.authGuard(), false);
    localStorage.setItem('psg_auth_token', token);
    localStorage.setItem('psg_refresh_token', refresh);
    await stale(sdk);
    ok(!(await sdk.user().catch(() => undefined)), 'the token still stands for somebody');
  });
  await suite.step('limit', 'the fourth send is 429', async () => {
    const user = new Phone();
    await enter(sdk, user);
    for (let n = 0; n < 2; n++) {
      await sdk.login(user.number);
      await user.code();
    }
    await refused(() => sdk.login(user.number), 429);
  });
  await suite.step('more', 'what the app is', async () => {
    const { ttl } = await sdk.otp();
    ok(ttl > 0, `ttl ${ttl}`);
  });
  await suite.step('more', 'who exists', async () => {
    const user = new Phone();
    await enter(sdk, user);
    ok((await sdk.known(user.number)).id, 'no id');
  });
}
