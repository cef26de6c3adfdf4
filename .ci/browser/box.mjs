// The box whose pages are driven.

import { payloads } from './payload.mjs';
import { section } from './shop.mjs';

/** What its modem reports of the network, which may be anybody's. */
export const simulator = ['--operator', payloads.operator, '--credit', payloads.credit];

// Lifts the limits per address: all people here have the same.
const limits = `
[limits]
sends_per_address = []
sends_per_address_phone = []
sends_per_block = []
sends_per_large_block = []
sends_per_country = []
sends_per_box = []
refusals_per_address = []
`;

/** The lines of a config that every box here has. */
export const house = ({ listen, dir, device }, server = '', modem = '') => `
[server]
listen = "${listen}"
${server}
[storage]
dir = "${dir}"
[[modem]]
name = "gsm0"
device = "${device}"
number = "+41791112233"
${modem}
[routes]
order = ["gsm0"]
${limits}`;

/**
 * Returns what writes the config file; see start in ../box.mjs. The app brief has
 * codes that die soon, and hostile has a name that is no name.
 */
export const config = (shop) => (at) => `${house(at)}
${section('shop', shop, 'name = "Edelweiss Shop"\ndefault = true\ninbound = true\ninbound_sign_in = true')}
${section('brief', shop, 'name = "Brief"\ncode_ttl = "30s"')}
${section('hostile', shop, `name = ${JSON.stringify(payloads.name)}`)}`;
