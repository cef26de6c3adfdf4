// Pages on plain HTTP by an address of the network, where browsers hide their
// cryptography: captchas are solved all the same, and the operator's page lets
// nobody in.

import { house } from './box.mjs';
import { ask, narrow, tries, welcomed } from './person.mjs';
import { Phone } from './phone.mjs';
import { must, same } from './report.mjs';
import { section } from './shop.mjs';

/** Runs the suite. */
export default async function captcha({ report, stage, shop, lan, more }) {
  if (!lan) return report.skip('captchas and the operator\'s page over a network', 'this machine has no address in one');
  const box = await more('open', (at) => house(at) + section('guarded', shop, 'name = "Guarded"\ncaptcha = "always"'), { host: '0.0.0.0' });
  const base = `http://${lan}:${box.port}`;
  stage.admit(base);
  const visit = async (run, options = {}) => {
    const page = await stage.visitor({ ...narrow, ...options });
    await run(page);
    await page.context().close();
  };

  await report.step('a captcha is solved without the browser\'s cryptography', () => visit(async (page) => {
    const solutions = [];
    page.on('request', (r) => { if (r.method() === 'POST') solutions.push(new URLSearchParams(r.postData() ?? '').get('captcha')); });
    const phone = await ask(page, { shop, box }, { app: 'guarded', base });
    same(await page.evaluate(() => [isSecureContext, typeof crypto.subtle].join()), 'false,undefined', 'what the browser has here');
    must(solutions[0]?.length > 50, 'no solution was sent');
    const sent = tries(page);
    await page.locator('#code').pressSequentially(await phone.code());
    await welcomed(page);
    same(sent.count, 1, 'tries');
  }));

  await report.step('without a solution no SMS is sent, and the page says why', () => visit(async (page) => {
    const phone = new Phone(box);
    await page.goto(shop.link(base, 'guarded'));
    must(/JavaScript|scripts?/i.test(await page.locator('main').innerText()), 'nothing tells that scripts are needed');
    await page.locator('#phone').fill(phone.number);
    await page.locator('#phone-form button.main').click();
    await page.locator('#error').waitFor();
    same(await page.locator('#code').count(), 0, 'fields for a code');
    same(phone.arrived(), 0, 'messages');
  }, { javaScriptEnabled: false }));

  await report.step('over plain HTTP the operator\'s page opens on the box itself only', () => visit(async (page) => {
    await page.goto(`${base}/admin/`);
    await page.locator('[data-view=refused] h1').waitFor();
    same(await page.locator('input').count(), 0, 'fields');
    const setup = await page.request.post(`${base}/admin/setup`, {
      headers: { 'Pinferry-Admin': '1', Origin: base }, data: { secret: 'AAAA-BBBB-CCCC-DDDD', password: 'a password for nobody' },
    });
    same(setup.status(), 403, 'a setup from elsewhere');
  }));
}
