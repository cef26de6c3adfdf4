// A real box for the checks that drive it from node: the built program in a
// process of its own, and a simulated modem on a pseudo-terminal, whose handset
// shows the messages as a phone would.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What a config file has in place of a key. */
export const digest = (key) => `sha256:${createHash('sha256').update(key).digest('hex')}`;

const freePort = (host) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, host, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Waits until ok() is truthy, for 15 s at most, and returns what it was then. */
export async function eventually(what, ok) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await ok();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

/**
 * Starts a modem and a box in the directory dir, and returns once the box can
 * send. config(at) writes its config file: at has listen ("HOST:PORT"), dir (for
 * its data) and device. Of the rest, which may be left out, host is where the box
 * listens, and simulator are further arguments for the modem. Returned are the
 * port, the base URL from this machine, the file of the handset (a JSON line for
 * each message that arrived), the file of the log, type(line), which tells the
 * modem a line on stdin, and stop().
 */
export async function start(program, dir, config, { host = '127.0.0.1', simulator = [] } = {}) {
  const handset = join(dir, 'handset');
  const log = join(dir, 'log');
  const file = join(dir, 'pinferry.toml');
  const device = join(dir, 'modem');
  const port = await freePort(host);
  const base = `http://127.0.0.1:${port}`;
  writeFileSync(file, config({ listen: `${host}:${port}`, port, dir: join(dir, 'data'), device }), { mode: 0o600 });

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
    run(handset, log, 'simulate', '--link', device, ...simulator);
    await eventually('the modem', () => {
      if (processes[0].exitCode !== null) throw new Error('the modem did not start');
      return readFileSync(handset, 'utf8').includes('\n');
    });
    run(join(dir, 'output'), log, 'serve', '--config', file, '--socket', join(dir, 'admin.sock'));
    await eventually('the box to be ready', () => {
      if (processes[1].exitCode !== null) throw new Error('the box did not start');
      return fetch(`${base}/readyz`).then((r) => r.ok, () => false);
    });
  } catch (e) {
    stop();
    throw new Error(`${e.message}; the log ends in\n${readFileSync(log, 'utf8').slice(-2000)}`);
  }
  return { base, port, handset, log, type: (line) => processes[0].stdin.write(`${line}\n`), stop };
}
