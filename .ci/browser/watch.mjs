// Whether the other suites would see what they look for.

import { issues } from './look.mjs';
import { made } from './payload.mjs';
import { must, same } from './report.mjs';

/** Runs the suite. */
export default async function watch({ report, stage, shop }) {
  await report.step('a page that does what none may is seen to do it', async () => {
    const page = await stage.visitor();
    await page.goto(shop.broken);
    await page.waitForTimeout(200);
    const seen = stage.faults().join('; ');
    for (const fault of ['asked https://elsewhere.example', 'a dialog: opened', 'threw: thrown', 'script-src-elem forbids inline', 'the console says']) {
      must(seen.includes(fault), `not seen: ${fault}`);
    }
    same((await page.evaluate(made)).length, 1, 'what a payload has made');
    const found = (await issues(page)).map((issue) => issue.split(' ')[0]);
    for (const id of ['color-contrast', 'image-alt']) must(found.includes(id), `axe has not found ${id}`);
    await page.context().close();
  });
}
