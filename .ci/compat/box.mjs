// A real box for the SDKs: the built program, a configuration with two apps
// whose every door is open, and a simulated modem on a pseudo-terminal, whose
// handset shows the messages as a phone would.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

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

const digest = (key) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
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

// All calls come from one address. What a number may get stays as it is.
const config = (listen, dir, device) => `
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

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function eventually(what, ok) {
  for (let tries = 0; tries < 300; tries++) {
    if (await ok()) return;
    await pause(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

/**
 * Starts a modem and a box in the directory dir and returns, once the box can
 * send, its base URL, the file of the handset (a JSON line for each message
 * that arrived), the file of its log, and stop().
 */
export async function start(program, dir) {
  const handset = join(dir, 'handset');
  const log = join(dir, 'log');
  const file = join(dir, 'pinferry.toml');
  const device = join(dir, 'modem');
  const listen = `127.0.0.1:${await freePort()}`;
  const base = `http://${listen}`;
  writeFileSync(file, config(listen, join(dir, 'data'), device), { mode: 0o600 });

  const processes = [];
  const stop = () => processes.forEach((p) => p.kill('SIGKILL'));
  const run = (output, errors, ...args) => {
    const out = openSync(output, 'w');
    const err = openSync(errors, 'a');
    processes.push(spawn(program, args, { stdio: ['pipe', out, err] }));
    closeSync(out);
    closeSync(err);
  };
  try {
    run(handset, log, 'simulate', '--link', device);
    await eventually('the modem', () => readFileSync(handset, 'utf8').includes('\n'));
    run(join(dir, 'output'), log, 'serve', '--config', file, '--socket', join(dir, 'admin.sock'));
    await eventually('the box to be ready', () => {
      if (processes[1].exitCode !== null) throw new Error('the box did not start');
      return fetch(`${base}/readyz`).then((r) => r.ok, () => false);
    });
  } catch (e) {
    stop();
    throw new Error(`${e.message}; the log ends in\n${readFileSync(log, 'utf8').slice(-2000)}`);
  }
  return { base, handset, log, stop };
}
