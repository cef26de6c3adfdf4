// What the pages weigh on the way to the browser, compressed as they travel.

import { go, password, places } from './admin.mjs';
import { ask } from './person.mjs';
import { must } from './report.mjs';

// Adds up the bodies of what a page loads, each address once.
function weigh(page, counts) {
  const seen = new Map();
  page.on('requestfinished', (request) => {
    const { pathname } = new URL(request.url());
    if (counts(pathname) && !seen.has(pathname)) seen.set(pathname, request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  return async () => (await Promise.all(seen.values())).reduce((sum, size) => sum + size, 0);
}

/** Runs the suite. */
export default async function weight({ report, stage, shop, box }) {
  const within = async (limit, sum) => {
    const bytes = await sum();
    console.log(`     ${bytes} bytes of ${limit}`);
    must(bytes > 1000 && bytes <= limit, `${bytes} bytes of ${limit}`);
  };

  await report.step('the operator\'s page and all its places take 120 KB', async () => {
    const page = await stage.visitor();
    const sum = weigh(page, (path) => path === '/admin/' || path.startsWith('/admin/static/'));
    await page.goto(`${box.base}/admin/`);
    await page.locator('#login-password').fill(password);
    await page.keyboard.press('Enter');
    await page.locator('#sentence').waitFor();
    for (const place of places) await go(page, box, place);
    await within(120 * 1024, sum);
    await page.context().close();
  });

  await report.step('the sign-in page takes 15 KB', async () => {
    const page = await stage.visitor();
    const sum = weigh(page, (path) => path.startsWith('/login') || path === '/captcha.js');
    await ask(page, { shop, box });
    await within(15 * 1024, sum);
    await page.context().close();
  });
}
