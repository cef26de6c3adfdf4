// The first minutes with a box: the secret in its log, a password, a test SMS; and
// the way out and in again.

import { password, secret, setUp, shown } from './admin.mjs';
import { Phone } from './phone.mjs';
import { must, same } from './report.mjs';

/** Runs the suite; the page stays signed in and is returned. */
export default async function setup({ report, stage, box }) {
  const page = await stage.visitor({ viewport: { width: 390, height: 844 } });

  await report.step('the first start asks for the secret, and a wrong one is told apart', async () => {
    await page.goto(`${box.base}/admin/`);
    await page.locator('#setup-secret').fill('AAAA-BBBB-CCCC-DDDD');
    await page.locator('#setup-password').fill(password);
    await page.locator('#setup-again').fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    must(await page.locator('#setup-secret').evaluate((e) => e === document.activeElement), 'the focus is not on the secret');
  });

  await report.step('the secret of the log and a password sign in', async () => {
    await setUp(page, box);
  });

  await report.step('a test SMS is told step by step, and arrives', async () => {
    const phone = new Phone(box);
    await page.locator('#test-to').fill(phone.national.replace(/^0/, '+41 '));
    await page.locator('#test-send').click();
    must((await phone.text()).length > 0, 'an empty SMS');
    await page.getByText('It has arrived').waitFor();
  });

  await report.step('the sentence says that codes are being delivered', async () => {
    await page.locator('#sentence', { hasText: /codes are being delivered/i }).waitFor();
  });

  await report.step('sign-out ends the session, and the password opens it again', async () => {
    const menu = page.getByRole('button', { name: 'Places' });
    await menu.click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#login-password').fill(password);
    const outside = await page.request.get(`${box.base}/admin/overview`);
    same(outside.status(), 401, 'a call after sign-out');
    await page.keyboard.press('Enter');
    await page.locator('#sentence').waitFor();
  });

  await report.step('the setup secret is good once', async () => {
    const stranger = await stage.visitor();
    const again = await stranger.request.post(`${box.base}/admin/setup`, {
      headers: { 'Pinferry-Admin': '1', Origin: box.base }, data: { secret: await secret(box), password: `${password}!` },
    });
    same(again.status(), 409, 'a second setup');
    await stranger.context().close();
  });

  await report.step('every place opens by the keyboard alone, and takes the focus', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${box.base}/admin/`);
    await page.locator('#sentence').waitFor();
    await page.keyboard.press('Tab');
    same(await page.evaluate(() => document.activeElement.className), 'skip', 'what the first Tab reaches');
    await page.locator('a.place[data-place="messages"]').focus();
    await page.keyboard.press('Enter');
    await shown(page, 'messages');
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  });

  return page;
}
