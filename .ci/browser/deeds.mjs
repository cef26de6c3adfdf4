// What an operator does on the page, and what comes of it.

import { go, password } from './admin.mjs';
import { Phone } from './phone.mjs';
import { must, same } from './report.mjs';
import { call } from './shop.mjs';

/** Runs the suite. */
export default async function deeds({ report, stage, box, admin: page }) {
  const press = (name) => page.getByRole('button', { name }).first().click();
  // answer fills the fields of the open dialog, and says yes to it.
  const answer = async (verb, ...fields) => {
    const dialog = page.locator('dialog[open]:not(#gate)');
    for (const [i, value] of fields.entries()) await dialog.locator('input:not(.quiet)').nth(i).fill(value);
    await dialog.getByRole('button', { name: verb }).click();
    await dialog.waitFor({ state: 'detached' });
  };

  await report.step('a number is shown whole on demand, and the audit trail keeps that', async () => {
    const phone = new Phone(box);
    await call(box, 'shop', 'POST', 'verifications', { to: phone.number });
    await phone.code();
    await go(page, box, 'verifications');
    await page.locator('main a[href^="#/verifications/"]').first().click();
    const main = page.locator('main');
    await main.locator('dl').first().waitFor();
    must(!(await main.innerText()).replaceAll(/\s/g, '').includes(phone.number), 'the number is shown at once');
    await press('Show');
    await page.waitForFunction((whole) => document.querySelector('main').textContent.replaceAll(/\s/g, '').includes(whole), phone.number);
    await go(page, box, 'audit');
    await page.locator('main', { hasText: 'reveal' }).waitFor();
  });

  await report.step('a verification that is canceled ends, and its code is dead', async () => {
    const phone = new Phone(box);
    const { id } = await call(box, 'shop', 'POST', 'verifications', { to: phone.number });
    const code = await phone.code();
    await go(page, box, `verifications/${id}`);
    await press('Cancel it');
    await answer('Cancel the verification');
    await page.locator('main .badge', { hasText: 'canceled' }).first().waitFor();
    const late = await call(box, 'shop', 'POST', `verifications/${id}/check`, { code }).then(() => 'taken', (e) => e.message);
    must(/422/.test(late), `the code was ${late}`);
  });

  await report.step('a blocked user has no session, and an unblocked one may have a new one', async () => {
    const phone = new Phone(box);
    const begun = await call(box, 'shop', 'POST', 'verifications', { to: phone.number, purpose: 'sign_up' });
    const { session } = await call(box, 'shop', 'POST', `verifications/${begun.id}/check`, { code: await phone.code() });
    const refreshed = () => call(box, 'shop', 'POST', 'token/refresh', { refresh_token: session.refresh_token }).then(() => true, () => false);
    await go(page, box, `users/${session.user.id}?app=shop`);
    await press(/^Block/);
    await answer('Block the user');
    await page.locator('main .badge', { hasText: 'blocked' }).waitFor();
    same(await refreshed(), false, 'the session goes on');
    await press('Unblock');
    await page.locator('main .badge', { hasText: 'enabled' }).waitFor();
  });

  await report.step('a number at its limit is explained, and let through again', async () => {
    const phone = new Phone(box);
    const start = () => call(box, 'shop', 'POST', 'verifications', { to: phone.number }).then(() => true, () => false);
    while (await start()) await phone.code();
    await go(page, box, 'account');
    await go(page, box, 'protection');
    await page.locator('#why').fill(phone.number);
    await page.keyboard.press('Enter');
    await page.getByText(/limits? stops? it now/).waitFor();
    await press('Lift all of them');
    await page.getByText('No limit stops it now').waitFor();
  });

  await report.step('the chain of the audit trail is whole', async () => {
    await go(page, box, 'audit');
    await press('Verify the chain');
    await page.getByText('The chain is whole').waitFor();
  });

  await report.step('a backup comes down for the password', async () => {
    await go(page, box, 'backup');
    await page.locator('#backup-password, main input[type=password]').first().fill(password);
    const [download] = await Promise.all([page.waitForEvent('download'), press('Download a backup')]);
    must(/^pinferry/.test(download.suggestedFilename()), 'the name of the file');
    await page.getByText('The backup has').waitFor();
  });

  await report.step('with a second factor the password alone does not sign in', async () => {
    const phone = new Phone(box);
    await go(page, box, 'account');
    const card = page.locator('section.card', { hasText: 'Second factor' });
    await card.locator('input[type=tel]').fill(phone.number);
    await card.locator('input[type=password]').fill(password);
    await card.getByRole('button', { name: 'Send me a code' }).click();
    await page.locator('dialog[open]').waitFor();
    await answer('Switch it on', await phone.code());
    await card.locator('.badge', { hasText: 'on' }).waitFor();

    const other = await stage.visitor();
    await other.goto(`${box.base}/admin/`);
    await other.locator('#login-password').fill(password);
    await other.keyboard.press('Enter');
    await other.locator('#login-code').waitFor();
    same((await other.request.get(`${box.base}/admin/overview`)).status(), 401, 'a call before the code');
    await other.locator('#login-code').fill(await phone.code());
    await other.keyboard.press('Enter');
    await other.locator('#sentence').waitFor();
    await other.context().close();

    await press(/^Switch it off/);
    await answer('Switch it off', password);
    await card.locator('.badge', { hasText: 'off' }).waitFor();
  });
}
