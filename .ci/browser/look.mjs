// What a page looks like, and whether everybody can use it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { must } from './report.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Axe is slow, and asked on each screen and in each scheme once.
const looks = [
  { scheme: 'light', width: 360, asked: true },
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 1280, asked: true },
  { scheme: 'dark', width: 360 },
];

// The scroll bars of a phone take no room from the page; here they are hidden, but
// the room for them would be left.
const thin = () => {
  if (document.adoptedStyleSheets.length) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('@media (max-width: 500px) { html { scrollbar-gutter: auto !important } }');
  document.adoptedStyleSheets = [sheet];
};

/**
 * Takes screenshots of what a page shows now, light and dark, on a phone and on a
 * desk, into the folder artefacts under a name; and has axe look for what keeps
 * people from using it, of the impact serious or critical.
 */
export async function look(report, page, name, artefacts) {
  await report.step(`${name}: nothing keeps people from using it`, async () => {
    const found = new Set();
    await page.evaluate(thin);
    for (const { scheme, width, asked } of looks) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const fullPage = await page.locator('dialog[open]').count() === 0;
      await page.screenshot({ path: `${artefacts}/${name}-${scheme}-${width}.png`, fullPage });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) found.add(`${wide} px wide on a screen of ${width}`);
      for (const issue of asked ? await issues(page) : []) found.add(`${scheme} ${width}: ${issue}`);
    }
    must(!found.size, [...found].slice(0, 12).join('\n     '));
  });
}

/** Returns what axe has found on a page, in words. */
export async function issues(page) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe); // the debugger may; no policy lets a script tag in
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} at ${nodes.slice(0, 3).map(({ target }) => target.join(' ')).join(', ')}`);
}
