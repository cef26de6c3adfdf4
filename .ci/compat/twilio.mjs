// twilio's Verify. It has no users and no tokens: its answer is a yes or a no.

import { notStrictEqual as differ, ok, strictEqual as equal } from 'node:assert/strict';
import twilio from 'twilio';
import { apps, base, Phone, Suite, thrown } from './suite.mjs';

const suite = new Suite('twilio');
const account = `AC${'0'.repeat(32)}`;

function at(app, secret = app.secret) {
  const client = twilio(account, secret);
  client.verify.baseUrl = base;
  return client.verify.v2.services(app.service);
}

const here = at(apps.a);
const send = (service, phone) => service.verifications.create({ to: phone.number, channel: 'sms' });
const check = (service, phone, code) => service.verificationChecks.create({ to: phone.number, code });

async function refused(run, status, code) {
  const e = await thrown(run);
  equal(e.constructor.name, 'RestException', `${e}`);
  equal(`${e.status} ${e.code}`, `${status} ${code}`, e.message);
  return e;
}

await suite.step('start', 'a verification is pending', async () => {
  const phone = new Phone();
  const v = await send(here, phone);
  ok(/^VE[0-9a-f]{32}$/.test(v.sid), 'no sid');
  equal(v.serviceSid, apps.a.service);
  equal(v.status, 'pending');
  equal(v.to, phone.number);
  equal(v.valid, false);
  ok(v.dateCreated instanceof Date && !Number.isNaN(+v.dateCreated), 'no date');
  const again = await here.verifications(v.sid).fetch();
  equal(again.status, 'pending');
  equal((await here.verifications(phone.number).fetch()).sid, v.sid);
});
await suite.step('start', 'what is no phone is 60200', () => refused(() => send(here, { number: '12' }), 400, 60200));
await suite.step('start', 'a channel that is not there is 60200', () =>
  refused(() => here.verifications.create({ to: new Phone().number, channel: 'whatsapp' }), 400, 60200));
await suite.step('login', 'the right code approves', async () => {
  const phone = new Phone();
  const { sid } = await send(here, phone);
  const checked = await check(here, phone, await phone.code());
  equal(checked.sid, sid);
  equal(checked.status, 'approved');
  equal(checked.valid, true);
});
await suite.step('login', 'a check by the sid', async () => {
  const phone = new Phone();
  const { sid: verificationSid } = await send(here, phone);
  const { valid } = await here.verificationChecks.create({ verificationSid, code: await phone.code() });
  equal(valid, true);
});
await suite.step('wrong', 'a wrong code is pending, and the sixth is 60202', async () => {
  const phone = new Phone();
  await send(here, phone);
  const code = await phone.code();
  for (let n = 1; n <= 5; n++) {
    const checked = await check(here, phone, phone.wrong(n));
    equal(checked.valid, false);
    differ(checked.status, 'approved');
  }
  await refused(() => check(here, phone, code), 429, 60202);
});
await suite.step('wrong', 'a key that is not the app\'s is 20003', async () => {
  await refused(() => send(at(apps.a, 'sk_nobody'), new Phone()), 401, 20003);
  await refused(() => send(at(apps.a, apps.a.publishable), new Phone()), 401, 20003);
});
await suite.step('used', 'a used code is 20404', async () => {
  const phone = new Phone();
  await send(here, phone);
  const code = await phone.code();
  await check(here, phone, code);
  await refused(() => check(here, phone, code), 404, 20404);
});
await suite.step('other', 'a verification of one app is nothing at another', async () => {
  const phone = new Phone();
  const { sid } = await send(here, phone);
  const code = await phone.code();
  await refused(() => check(at(apps.b), phone, code), 404, 20404);
  await refused(() => at(apps.b).verifications(sid).fetch(), 404, 20404);
  await refused(() => check(at(apps.a, apps.b.secret), phone, code), 401, 20003);
  equal((await check(here, phone, code)).valid, true);
});
await suite.step('limit', 'the fourth send is 60203', async () => {
  const phone = new Phone();
  for (let n = 0; n < 3; n++) {
    await send(here, phone);
    await phone.code(); // one that waits for the modem would be sent but once
  }
  await refused(() => send(here, phone), 429, 60203);
});
await suite.step('more', 'a repeat is the same verification and the same code', async () => {
  const phone = new Phone();
  const first = await send(here, phone);
  const code = await phone.code();
  const second = await send(here, phone);
  equal(second.sid, first.sid);
  equal(second.sendCodeAttempts.length, first.sendCodeAttempts.length + 1);
  equal(await phone.code(), code);
});
await suite.step('more', 'a canceled one is over, and nobody approves without the code', async () => {
  const phone = new Phone();
  const { sid } = await send(here, phone);
  const code = await phone.code();
  await refused(() => here.verifications(sid).update({ status: 'approved' }), 400, 60200);
  equal((await here.verifications(phone.number).update({ status: 'canceled' })).status, 'canceled');
  await refused(() => check(here, phone, code), 404, 20404);
});
suite.end();
