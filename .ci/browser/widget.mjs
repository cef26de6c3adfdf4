// The sign-in within an app's own page.

import { Phone } from './phone.mjs';
import { same } from './report.mjs';
import { narrow } from './person.mjs';

/** Runs the suite. */
export default async function widget({ report, stage, shop, box }) {
  await report.step('a wrong code is told, the right one hands the app a session', async () => {
    const page = await stage.visitor(narrow);
    const phone = new Phone(box);
    await page.goto(shop.widget(box.base));
    await page.locator('#phone').fill(phone.national);
    await page.locator('#phone').press('Enter');
    await page.locator('#code').waitFor();
    await phone.code();
    await page.locator('#code').pressSequentially(phone.wrong());
    await page.locator('#error[role=alert]').waitFor();
    await page.locator('#code').fill(phone.wrong(0));
    await page.locator('#code').press('Enter');
    await page.locator('h1', { hasText: 'Welcome' }).waitFor();
    same(page.url(), shop.widget(box.base), 'where the page is');
    await page.context().close();
  });
}
