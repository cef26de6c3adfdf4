// The documentation in the box.

import { look } from './look.mjs';
import { must, same } from './report.mjs';

/** Runs the suite. */
export default async function docs({ report, stage, box, artefacts }) {
  const page = await stage.visitor();
  const start = '/docs';
  const known = new Set([start]);

  await report.step('every page opens, and every link in it leads somewhere', async () => {
    const dead = [];
    for (const path of known) {
      const response = await page.goto(box.base + path);
      if (response.status() !== 200) {
        dead.push(`${path} is answered ${response.status()}`);
        continue;
      }
      await page.locator('h1').first().waitFor();
      for (const href of await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((a) => a.href))) {
        const url = new URL(href);
        if (url.origin === box.base && url.pathname.startsWith(start)) known.add(url.pathname);
      }
    }
    must(!dead.length, dead.join('; '));
    must(known.size > 5, `there are ${known.size} pages only`);
  });

  await report.step('every code of an error is explained where its type leads', async () => {
    const answer = await page.request.get(`${box.base}/v1/verifications/vrf_0`);
    const { type, code } = await answer.json();
    await page.goto(new URL(type, box.base).href);
    must(await page.locator(`[id="${code}"]`).isVisible(), `no explanation of ${code}`);
  });

  await report.step('the description of the API is OpenAPI 3.1', async () => {
    const description = await (await page.request.get(`${box.base}/openapi.json`)).json();
    same(description.openapi?.slice(0, 3), '3.1', 'its version');
  });

  await report.step('without scripts they can be read as well', async () => {
    const bare = await stage.visitor({ javaScriptEnabled: false });
    for (const path of known) {
      await bare.goto(box.base + path);
      must((await bare.locator('main').innerText()).length > 500, `${path} is empty`);
    }
    await bare.context().close();
  });

  for (const path of known) {
    await page.goto(box.base + path);
    await look(report, page, path.slice(1).replaceAll('/', '-'), artefacts);
  }
  await page.context().close();
}
