// Words of attackers on the operator's page: they are shown, and make nothing.

import { eventually } from '../box.mjs';
import { go, places } from './admin.mjs';
import { made, payloads, texts } from './payload.mjs';
import { ask, narrow } from './person.mjs';
import { Phone } from './phone.mjs';
import { must, same } from './report.mjs';
import { call } from './shop.mjs';

// Marks that have one thing read as another. The page shows that they were there.
const turns = /[\u202a-\u202e]/g;

/** Runs the suite. */
export default async function hostile(scene) {
  const { report, stage, box, shop, admin: page } = scene;
  const harmless = async () => {
    same(JSON.stringify(await page.evaluate(made)), '[]', 'what was made');
  };

  await report.step(`${texts.length} hostile texts arrive`, async () => {
    await go(page, box, 'home'); // and are told there live
    for (const [i, text] of texts.entries()) box.type(`sms ${i % 3 ? `+4179555000${i % 10}` : payloads.sender} ${text}`);
    const { inbound } = await eventually('the texts', async () => {
      const answer = await call(box, 'shop', 'GET', 'inbound?limit=50');
      return answer.inbound.length >= texts.length && answer;
    });
    must(inbound.length >= texts.length, 'texts are missing');
  });

  await report.step('hostile metadata, and a user of an app with a hostile name', async () => {
    const phone = new Phone(box);
    const begun = await call(box, 'hostile', 'POST', 'verifications', {
      to: phone.number, purpose: 'sign_up', metadata: { note: payloads.metadata },
    });
    const { session } = await call(box, 'hostile', 'POST', `verifications/${begun.id}/check`, { code: await phone.code() });
    await call(box, 'hostile', 'PATCH', `users/${session.user.id}`, { metadata: { [payloads.metadata]: payloads.metadata } });
  });

  await report.step('each text is shown as it came', async () => {
    await go(page, box, 'inbound');
    await page.locator('.foreign').first().waitFor();
    const words = await page.locator('main').evaluate((e) => e.textContent);
    for (const text of [...texts, payloads.sender]) must(words.includes(text.replace(turns, '\ufffd')), `not shown: ${text.slice(0, 20)}`);
    must(!turns.test(words), 'a text may turn the direction around');
    await harmless();
  });

  for (const place of places) {
    await report.step(`nothing is made on ${place}`, async () => {
      await go(page, box, place);
      await page.waitForTimeout(200);
      await harmless();
    });
  }

  await report.step('nothing is made where one thing is shown', async () => {
    for (const place of ['verifications', 'messages', 'users']) {
      await go(page, box, place);
      const link = page.locator(`main a[href^="#/${place}/"]`).first();
      await link.click();
      await page.locator('main dl').first().waitFor();
      await harmless();
    }
  });

  await report.step('the answer to a USSD code is shown as it came', async () => {
    await go(page, box, 'routes');
    await page.getByRole('button', { name: /^USSD/ }).first().click();
    await page.locator('dialog input[name=argument]').fill('*100#');
    await page.keyboard.press('Enter');
    await page.locator('dialog .answer', { hasText: payloads.credit }).waitFor();
    await harmless();
    await page.keyboard.press('Escape');
  });

  await report.step('a text to try makes nothing', async () => {
    await go(page, box, 'texts');
    await page.locator('main textarea').fill(`{code} ${payloads.operator}`);
    await page.locator('.bubble', { hasText: payloads.operator }).waitFor();
    await harmless();
  });

  await report.step('the sign-in page shows the hostile name, and carries a hostile state', async () => {
    const visitor = await stage.visitor(narrow);
    await ask(visitor, scene, { app: 'hostile', more: { state: payloads.state } });
    must((await visitor.locator('main').innerText()).includes(payloads.name), 'the name is not shown');
    same(JSON.stringify(await visitor.evaluate(made)), '[]', 'what was made');
    for (const name of ['app', 'redirect_uri', 'locale', 'purpose', 'code_challenge']) {
      await visitor.goto(shop.link(box.base, 'hostile', { [name]: payloads.state }));
      same(JSON.stringify(await visitor.evaluate(made)), '[]', `what ${name} has made`);
    }
    await visitor.goto(shop.link(box.base, 'hostile'));
    await visitor.locator('#phone').fill(payloads.name);
    await visitor.locator('#phone').press('Enter');
    await visitor.locator('#error').waitFor();
    same(JSON.stringify(await visitor.evaluate(made)), '[]', 'what the number has made');
    await visitor.context().close();
  });
}
