// The sign-in page as people meet it: a narrow screen, a thumb, a code that is
// pasted.

import { ask, narrow, ready, tries, welcomed } from './person.mjs';
import { Phone } from './phone.mjs';
import { must, same } from './report.mjs';

const focused = (page, id) => page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);

async function paste(page, text) {
  await page.evaluate((t) => navigator.clipboard.writeText(t), text);
  await page.locator('#code').focus();
  await page.keyboard.press('Control+V');
}

// A browser that reads SMS, and what the page asks of it.
const reader = () => {
  window.OTPCredential = class {};
  window.asked = [];
  navigator.credentials.get = (options) => new Promise((resolve) => {
    window.asked.push({ transport: options.otp?.transport, ends: options.signal instanceof AbortSignal });
    window.fill = (code) => resolve({ code });
  });
};

/** Runs the suite. */
export default async function login(scene) {
  const { report, stage, shop, box, later } = scene;
  const visit = async (run, options = {}) => {
    const page = await stage.visitor({ ...narrow, permissions: ['clipboard-read', 'clipboard-write'], ...options });
    await run(page);
    await page.context().close();
  };

  // Its code lives half a minute, which other steps fill.
  const slow = await stage.visitor(narrow);
  let late;
  await report.step('the page of an app whose codes die soon opens', async () => {
    late = await ask(slow, scene, { app: 'brief' });
    await late.code();
  });

  await report.step('320 px are wide enough, and one field takes the code', () => visit(async (page) => {
    const phone = await ask(page, scene);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    must(wide <= 320, `the page is ${wide} px wide`);
    same(await page.locator('input:visible').count(), 1, 'fields');
    same(await page.locator('#code').getAttribute('autocomplete'), 'one-time-code', 'autocomplete');
    same(await page.locator('#code').getAttribute('inputmode'), 'numeric', 'inputmode');
    const said = await page.locator('main').innerText();
    must(said.includes(phone.number.slice(-2)) && !said.replaceAll(' ', '').includes(phone.number.slice(-8)), 'the number is not masked');
    for (const button of await page.locator('button:visible').all()) must((await button.boundingBox()).height >= 44, 'a button is too small for a thumb');
  }));

  await report.step('a number that is none is explained, and can be mended', () => visit(async (page) => {
    await page.goto(shop.link(box.base));
    await page.locator('#phone').fill('079 12');
    await page.locator('#phone').press('Enter');
    await page.locator('#error').waitFor();
    same(await page.locator('#phone').inputValue(), '079 12', 'what was typed');
    await focused(page, 'phone');
  }));

  await report.step('"123 456" is pasted and sent once; after an error nothing is sent by itself', () => visit(async (page) => {
    const phone = await ask(page, scene);
    const code = await phone.code();
    const sent = tries(page);
    const wrong = phone.wrong();
    await paste(page, `${wrong.slice(0, 3)} ${wrong.slice(3)}`);
    await ready(page, '#error[role=alert]');
    same(sent.count, 1, 'tries after the paste');
    await focused(page, 'code');
    same(await page.locator('#code').getAttribute('aria-invalid'), 'true', 'aria-invalid');
    await page.locator('#code').fill('');
    await page.locator('#code').pressSequentially(phone.wrong(2));
    await page.waitForTimeout(400);
    same(sent.count, 1, 'tries after typing into the field with an error');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    await ready(page, '#error[role=alert]');
    await page.locator('#code').fill(code);
    await page.keyboard.press('Enter');
    await welcomed(page);
    same(sent.count, 3, 'tries in all');
  }));

  await report.step('typing the last digit sends the code, and the app redeems it', () => visit(async (page) => {
    const phone = await ask(page, scene);
    const sent = tries(page);
    await page.locator('#code').pressSequentially(await phone.code());
    await welcomed(page);
    same(sent.count, 1, 'tries');
  }));

  await report.step('the browser is asked for the code of the SMS (WebOTP)', () => visit(async (page) => {
    await page.addInitScript(reader);
    const phone = await ask(page, scene);
    const asked = await page.evaluate(() => window.asked);
    same(JSON.stringify(asked), JSON.stringify([{ transport: ['sms'], ends: true }]), 'navigator.credentials.get');
    await page.evaluate((code) => window.fill(code), await phone.code());
    await welcomed(page);
  }));

  await report.step('the state of the delivery is told', () => visit(async (page) => {
    await ask(page, scene);
    await page.locator('#delivery', { hasText: 'has reached your phone' }).waitFor();
  }));

  await report.step('a resend waits for its countdown, and sends the same code', () => visit(async (page) => {
    await page.clock.install();
    const phone = await ask(page, scene);
    const first = await phone.code();
    must(await page.locator('#resend').isDisabled(), 'a resend is offered at once');
    const [, seconds] = (await page.locator('#resend').innerText()).match(/(\d+) s/) ?? [];
    must(seconds > 20 && seconds <= 30, `the countdown begins at ${seconds}`);
    await page.clock.fastForward(21_000);
    must(await page.locator('#resend').isDisabled(), 'the countdown ends too soon');
    await page.clock.fastForward(10_000);
    await page.locator('#resend:not([disabled])').click();
    const second = await phone.code();
    same(first === second, true, 'the codes are the same');
    await page.locator('#resend[disabled]').waitFor();
    await page.locator('#code').fill(second);
    await welcomed(page);
  }));

  await report.step('another number can be taken', () => visit(async (page) => {
    await ask(page, scene);
    await page.locator('#change').click();
    await page.locator('#phone').waitFor();
  }));

  await report.step('texting the box signs in', () => visit(async (page) => {
    const phone = new Phone(box);
    await page.goto(shop.link(box.base));
    await page.locator('#phone').fill(phone.national);
    await page.locator('#text-instead').click();
    phone.send(await page.locator('#text-this').innerText());
    await welcomed(page);
  }));

  await report.step('the page speaks the language that the app asks for', () => visit(async (page) => {
    await page.goto(shop.link(box.base, 'shop', { locale: 'de' }));
    same(await page.locator('html').getAttribute('lang'), 'de', 'lang');
    must(/Handynummer|Mobilnummer|Telefonnummer/.test(await page.locator('main').innerText()), 'no German word for the number');
  }));

  await report.step('whoever leaves goes back to the app', () => visit(async (page) => {
    await page.goto(shop.link(box.base));
    await page.locator('#back').click();
    await page.locator('#why', { hasText: 'access_denied' }).waitFor();
  }));

  await report.step('a redirect that is not registered goes nowhere', () => visit(async (page) => {
    await page.goto(shop.link(box.base, 'shop', { redirect_uri: 'https://pwned.example/' }));
    same(new URL(page.url()).origin, box.base, 'where it went');
    same(await page.locator('[href*="pwned"], form').count(), 0, 'ways out');
  }));

  later(() => report.step('a code that has expired leads to a new one', async () => {
    await slow.locator('#again').waitFor({ timeout: 45_000 });
    must(/not valid any more/.test(await slow.locator('#error').innerText()), 'nothing tells that the code has died');
    await slow.locator('#again').click();
    await ready(slow, '#code');
    await slow.locator('#code').fill(await late.code());
    await welcomed(slow);
    await slow.context().close();
  }));
}
