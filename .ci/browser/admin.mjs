// The operator's page, and how one gets about in it.

import { readFileSync } from 'node:fs';
import { eventually } from '../box.mjs';

/** The places of the admin page. */
export const places = [
  'home', 'verifications', 'messages', 'inbound', 'users', 'protection', 'routes', 'doctor', 'apps', 'texts', 'webhooks', 'audit', 'backup', 'account',
];

/** The administrator's password. */
export const password = 'a short sentence to remember';

/** Reads the setup secret from the log of a box, as its owner would. */
export function secret(box) {
  return eventually('the setup secret in the log', () => {
    const lines = readFileSync(box.log, 'utf8').split('\n').filter((line) => line.includes('"secret"'));
    return lines.length && JSON.parse(lines.at(-1)).secret;
  });
}

/** Sets the first password of the box that the page shows. */
export async function setUp(page, box) {
  await page.locator('#setup-secret').fill(await secret(box));
  await page.locator('#setup-password').fill(password);
  await page.locator('#setup-again').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('#sentence').waitFor();
}

/** Waits until the admin page shows a place. */
export const shown = (page, view) => page.locator(`[data-view="${view}"] h1`).first().waitFor();

/** Goes to a place of the admin page, and waits until it has drawn what it loads. */
export async function go(page, box, place) {
  await page.goto(`${box.base}/admin/#/${place}`);
  await shown(page, place.split('/')[0]);
  await page.waitForFunction(() => !document.querySelector('main .loading'));
}
