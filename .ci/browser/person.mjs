// What people do to sign in.

import { Phone } from './phone.mjs';

/** The narrowest phone that the pages are made for. */
export const narrow = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };

/** Waits until a page shows this, and its scripts have run. */
export async function ready(page, selector) {
  await page.locator(selector).waitFor();
  await page.waitForLoadState();
}

/** Goes from the app to the page and asks for a code; the phone is returned. */
export async function ask(page, { box, shop }, { app = 'shop', more, base = box.base, phone = new Phone(box) } = {}) {
  await page.goto(shop.link(base, app, more));
  await page.locator('#region').selectOption('CH');
  await page.locator('#phone').fill(phone.national);
  await page.locator('#phone').press('Enter');
  await ready(page, '#code');
  return phone;
}

/** Waits until the app has let the person in. */
export const welcomed = (page) => page.locator('#user').waitFor();

/** Counts the forms with a code that a page sends. */
export function tries(page) {
  const seen = { count: 0 };
  page.on('request', (r) => {
    if (r.method() === 'POST' && new URL(r.url()).pathname === '/login/code' && r.postData()?.includes('do=check')) seen.count++;
  });
  return seen;
}
