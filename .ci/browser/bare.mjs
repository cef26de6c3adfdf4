// The sign-in page in a browser without scripts.

import { Phone } from './phone.mjs';
import { must } from './report.mjs';
import { narrow, welcomed } from './person.mjs';

/** Runs the suite. */
export default async function bare({ report, stage, shop, box }) {
  const visitor = () => stage.visitor({ ...narrow, javaScriptEnabled: false });
  const phone = new Phone(box);
  const page = await visitor();

  await report.step('a number is taken', async () => {
    await page.goto(shop.link(box.base));
    await page.locator('#phone').fill(phone.number);
    await page.locator('#phone-form button.main').click();
    await page.locator('#code').waitFor();
  });

  await report.step('a wrong code is told, and a new SMS can be had', async () => {
    await phone.code();
    await page.locator('#code').fill(phone.wrong());
    await page.locator('#code-form button').click();
    await page.locator('#error').waitFor();
    await page.locator('#resend').click();
    await phone.code();
  });

  await report.step('the right one, with a space in it, signs in', async () => {
    const code = phone.wrong(0); // the one that came
    await page.locator('#code').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.locator('#code-form button').click();
    await welcomed(page);
  });

  await report.step('texting the box signs in', async () => {
    const other = await visitor();
    const texter = new Phone(box);
    await other.goto(shop.link(box.base));
    await other.locator('#phone').fill(texter.number);
    await other.locator('#text-instead').click();
    texter.send(await other.locator('#text-this').innerText());
    for (let turn = 0; turn < 20 && !other.url().startsWith(shop.origin); turn++) {
      await other.locator('#texted').click();
      await other.waitForTimeout(200);
    }
    await welcomed(other);
    await other.context().close();
  });

  await report.step('the operator\'s page says that it needs them', async () => {
    const other = await visitor();
    await other.goto(`${box.base}/admin/`);
    must(/JavaScript/.test(await other.locator('body').innerText()), 'an empty page');
    await other.context().close();
  });
  await page.context().close();
}
