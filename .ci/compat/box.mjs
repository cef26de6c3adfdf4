// The box for the SDKs: two apps whose every door is open.

import { digest } from '../box.mjs';

/** Where the pages of the browser SDKs stand. */
export const origin = 'https://shop.example';

// An app under the id of each vendor's form.
const app = (id, digit) => ({
  id,
  publishable: `pk_${id}`,
  secret: `sk_${id}`,
  project: `P2${digit.repeat(26)}`, // Descope
  passage: digit.repeat(24),
  service: `VA${digit.repeat(32)}`, // Twilio
  client: digit.repeat(20), // SSOJet
});

/** The two apps: a token of one is worth nothing at the other. */
export const apps = { a: app('acme', 'a'), b: app('bolt', 'b') };

const list = (...items) => JSON.stringify(items);

const section = (a) => `
[[app]]
id = "${a.id}"
aliases = ${list(a.project, a.passage, a.service, a.client)}
keys = ${list(digest(a.publishable), digest(a.secret))}
doors = ["native", "ssojet", "passage", "strike", "gotrue", "descope", "twilio"]
default = ${a === apps.a}
countries = ["CH"]
origins = ${list(origin)}
redirects = ${list(origin + '/')}
`;

/**
 * Writes its config file; see start in ../box.mjs. All calls come from one
 * address. What a number may get stays as it is.
 */
export const config = ({ listen, dir, device }) => `
[server]
listen = "${listen}"
[storage]
dir = "${dir}"
[[modem]]
name = "gsm0"
device = "${device}"
[routes]
order = ["gsm0"]
[limits]
sends_per_address = []
sends_per_block = []
sends_per_large_block = []
sends_per_country = []
sends_per_box = []
tries_per_address = ["100/10m"]
refusals_per_address = []
${section(apps.a)}${section(apps.b)}`;
