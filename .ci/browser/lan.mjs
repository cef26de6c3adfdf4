// A box that speaks TLS with a certificate of its own making.

import { password, setUp } from './admin.mjs';
import { house } from './box.mjs';
import { look } from './look.mjs';
import { must, same } from './report.mjs';
import { section } from './shop.mjs';

const patience = 5; // wrong passwords from one address

/** Runs the suite. */
export default async function lan({ report, stage, shop, artefacts, lan: address = '127.0.0.1', more }) {
  const box = await more('lan', (at) => house(at, 'tls = "lan"') + section('shop', shop), { host: '0.0.0.0' });
  const plain = `http://${address}:${box.port}`;
  const base = plain.replace('http:', 'https:');
  stage.admit(plain);
  stage.admit(base);
  const page = await stage.visitor({ ignoreHTTPSErrors: true });

  await report.step('plain HTTP shows how to trust the box, and where it is', async () => {
    await page.goto(`${plain}/ca`);
    must(await page.locator('svg, img').first().isVisible(), 'there is no QR code');
    must(/([0-9A-F]{2}:){7}/.test((await page.locator('code').allInnerTexts()).join(' ').replaceAll(/\s+/g, ':')), 'there is no fingerprint');
    const file = await page.request.get(`${plain}/ca.crt`);
    same(file.headers()['content-type'], 'application/x-x509-ca-cert', 'the type of ca.crt');
  });

  await look(report, page, 'ca', artefacts);

  await report.step('plain HTTP leads to TLS, where the administrator is set up', async () => {
    await page.goto(`${plain}/admin/`);
    same(new URL(page.url()).origin, address === '127.0.0.1' ? plain : base, 'where the page is');
    await page.goto(`${base}/admin/`);
    await setUp(page, box);
  });

  await report.step('the cookie of the session is for this box and TLS alone', async () => {
    const [cookie, ...others] = await page.context().cookies(base);
    same(others.length, 0, 'further cookies');
    same(cookie.name, '__Host-pinferry', 'its name');
    must(cookie.secure && cookie.httpOnly && cookie.sameSite === 'Strict' && cookie.path === '/', 'its flags');
  });

  await report.step('a session that has ended is asked for again, and the place is kept', async () => {
    await page.goto(`${base}/admin/#/audit`);
    await page.locator('[data-view=audit] h1').waitFor();
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.locator('#login-password').fill(password);
    await page.keyboard.press('Enter');
    await page.getByText('The chain is whole').waitFor();
    same(new URL(page.url()).hash, '#/audit', 'the place');
  });

  await report.step(`after ${patience} wrong passwords the right one has to wait`, async () => {
    const stranger = await stage.visitor({ ignoreHTTPSErrors: true });
    await stranger.goto(`${base}/admin/`);
    const enter = async (word) => {
      await stranger.locator('#login-password').fill(word);
      const [answer] = await Promise.all([stranger.waitForResponse(/\/admin\/login$/), stranger.keyboard.press('Enter')]);
      return answer.status();
    };
    for (let i = 0; i < patience; i++) same(await enter(`${password} ${i}`), 401, 'a wrong password');
    same(await enter(password), 429, 'the right one');
    await stranger.getByRole('alert').filter({ hasText: /wait/i }).waitFor();
    await stranger.screenshot({ path: `${artefacts}/admin-locked.png` });
    await stranger.context().close();
  });
  await page.context().close();
}
