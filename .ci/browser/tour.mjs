// Every page of the operator and of people who sign in, looked at: on a box of
// its own, whose pages show an ordinary day.

import { house } from './box.mjs';
import { go, places, setUp } from './admin.mjs';
import { ask } from './person.mjs';
import { look } from './look.mjs';
import { Phone } from './phone.mjs';
import { call, section } from './shop.mjs';

const config = (shop) => (at) => `${house(at, '', 'balance = "*100#"')}
${section('shop', shop, 'name = "Edelweiss Shop"\ninbound = true\ninbound_sign_in = true\ndefault = true')}`;

// An ordinary day's business, so that no page is empty: some sign in, one mistypes,
// one does not answer, one wants no more, and one asks too often.
async function business(box) {
  const start = (phone, more) => call(box, 'shop', 'POST', 'verifications', { to: phone.number, purpose: 'sign_up_or_in', ...more });
  for (let n = 0; n < 4; n++) {
    const phone = new Phone(box);
    const { id } = await start(phone);
    const code = await phone.code();
    if (n === 1) await call(box, 'shop', 'POST', `verifications/${id}/check`, { code: phone.wrong() }).catch(() => {});
    if (n !== 3) await call(box, 'shop', 'POST', `verifications/${id}/check`, { code });
  }
  const eager = new Phone(box);
  for (let n = 0; n < 5; n++) await start(eager).catch(() => {});
  const tired = new Phone(box);
  tired.send('STOP');
  new Phone(box).send('Is anybody there? My code has not come yet.');
  await call(box, 'shop', 'POST', 'messages', { to: new Phone(box).number, text: 'The freezer in hall 2 is at -9 °C.', priority: 'high' });
}

/** Runs the suite. */
export default async function tour({ report, stage, shop, artefacts, more }) {
  const box = await more('tour', config(shop), { simulator: ['--operator', 'Alpine Mobile', '--credit', 'Balance: 23.40'] });
  const shot = (page, name) => look(report, page, name, artefacts);

  const admin = await stage.visitor();
  await admin.goto(`${box.base}/admin/`);
  await admin.locator('#setup-secret').waitFor();
  await shot(admin, 'admin-setup');
  await setUp(admin, box);
  await shot(admin, 'admin-first');
  await admin.locator('#test-to').fill(new Phone(box).number);
  await admin.locator('#test-send').click();
  await admin.getByText('It has arrived').waitFor();
  await shot(admin, 'admin-tested');
  await report.step('an ordinary day', () => business(box));
  await go(admin, box, 'account'); // so that home is drawn anew

  for (const place of places) {
    await go(admin, box, place);
    if (place === 'home') await admin.locator('.events', { hasText: 'was verified' }).waitFor(); // it is told live
    if (place === 'protection') {
      await admin.locator('#why').fill('+41791000000');
      await admin.keyboard.press('Enter');
    }
    await shot(admin, `admin-${place}`);
  }
  for (const place of ['verifications', 'messages', 'users']) {
    await go(admin, box, place);
    await admin.locator(`main a[href^="#/${place}/"]`).first().click();
    await admin.locator('main dl').first().waitFor();
    await shot(admin, `admin-${place}-one`);
  }
  await go(admin, box, 'users');
  await admin.locator('main a[href^="#/users/"]').first().click();
  await admin.getByRole('button', { name: /^Remove/ }).click();
  await admin.locator('dialog[open]').waitFor();
  await shot(admin, 'admin-dialog');
  await admin.keyboard.press('Escape');

  const page = await stage.visitor();
  await page.goto(`${box.base}/admin/`);
  await page.locator('#login-password').waitFor();
  await shot(page, 'admin-sign-in');

  await page.goto(shop.link(box.base));
  await shot(page, 'login-phone');
  await page.locator('#phone').fill('079 12');
  await page.locator('#phone').press('Enter');
  await page.locator('#error').waitFor();
  await shot(page, 'login-phone-error');
  const phone = await ask(page, { shop, box });
  await page.locator('#delivery', { hasText: 'has reached' }).waitFor();
  await shot(page, 'login-code');
  await phone.code();
  await page.locator('#code').fill(phone.wrong());
  await page.locator('#error').waitFor();
  await shot(page, 'login-code-error');
  await page.locator('#text-instead').click();
  await page.locator('#text-this').waitFor();
  await shot(page, 'login-text');
  await page.goto(`${box.base}/login?app=nobody`);
  await shot(page, 'login-refused');
  await page.goto(shop.widget(box.base));
  await page.locator('#phone').waitFor();
  await shot(page, 'login-widget');
  await page.context().close();
}
