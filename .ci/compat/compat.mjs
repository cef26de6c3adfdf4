// Starts a box and drives it with the SDKs of the vendors whose wire formats it
// speaks, unchanged; prints a table and exits non-zero if anything failed. A
// vendor without an SDK for codes by SMS (SSOJet) has no line.
//
//   node compat.mjs             all suites
//   node compat.mjs web twilio  only these

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { start } from '../box.mjs';
import { apps, config, origin } from './box.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const suites = {
  node: ['node', 'node.mjs'],
  core: ['node', 'core.mjs'],
  web: ['node', 'web.mjs'],
  passage4: ['node', 'passage4.mjs'],
  passage3: ['node', 'passage3.mjs'],
  passagenode: ['node', 'passagenode.mjs'],
  gotrue: ['node', 'supabase.mjs', 'gotrue'],
  strike: ['node', 'supabase.mjs', 'strike'],
  twilio: ['node', 'twilio.mjs'],
  go: ['./sdks'], // both of Go; built below
};
const columns = ['start', 'login', 'wrong', 'used', 'token', 'other', 'refresh', 'logout', 'limit', 'more'];
const patience = 60_000;

const asked = process.argv.slice(2);
for (const name of asked) if (!suites[name]) throw new Error(`there is no suite ${name}; there are ${Object.keys(suites).join(', ')}`);
const wanted = Object.keys(suites).filter((name) => !asked.length || asked.includes(name));

const dir = mkdtempSync(join(tmpdir(), 'compat'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

function build(output, from, command, ...args) {
  const { status } = spawnSync(command, args, { cwd: resolve(here, from), stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`could not build ${output}`);
  return output;
}

// run runs one suite and returns what its steps reported. A suite that ends
// badly reports that as a step of its own.
async function run(name, box, first) {
  const [command, ...args] = suites[name];
  const child = spawn(command === 'node' ? process.execPath : resolve(dir, command), args, {
    cwd: command === 'node' ? here : dir,
    env: { ...process.env, COMPAT: JSON.stringify({ ...box, apps, origin, first }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patience,
  });
  const steps = [];
  let said = '';
  child.stderr.on('data', (text) => (said = (said + text).slice(-2000)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      steps.push(JSON.parse(line));
    } catch {
      said += line; // an SDK that talks
    }
  });
  const ended = await new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)));
  if (ended !== 0 || !steps.length) {
    steps.push({ sdk: steps[0]?.sdk ?? name, call: 'more', rule: 'the suite runs to its end', error: `it ended with ${ended}: ${said}` });
  }
  return steps;
}

function print(steps) {
  const sdks = [...new Set(steps.map((s) => s.sdk))];
  const width = Math.max(...sdks.map((sdk) => sdk.length));
  const cell = (sdk, column) => {
    const own = steps.filter((s) => s.sdk === sdk && s.call === column);
    return own.length === 0 ? '-' : own.some((s) => s.error) ? 'FAIL' : 'ok';
  };
  console.log([''.padEnd(width), ...columns].map((c) => c.padEnd(7)).join(' '));
  for (const sdk of sdks) console.log([sdk.padEnd(width), ...columns.map((c) => cell(sdk, c).padEnd(7))].join(' '));
  const failed = steps.filter((s) => s.error);
  for (const s of failed) console.log(`\nFAIL ${s.sdk}: ${s.rule}\n     ${s.error}`);
  console.log(`\n${steps.length} steps, ${failed.length} failed`);
  return failed.length;
}

const program = process.env.PROGRAM ?? build(join(dir, 'pinferry'), '../..', 'make', '--no-print-directory', 'build', `OUT=${join(dir, 'pinferry')}`);
if (wanted.includes('go')) build(join(dir, 'sdks'), 'go', 'go', 'build', '-o', join(dir, 'sdks'), '.');
const box = await start(program, dir, config);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (box.stop(), process.exit(1)));
let failures;
try {
  const steps = [];
  for (const [i, name] of wanted.entries()) {
    steps.push(...(await run(name, { base: box.base, handset: box.handset }, (i + 1) * 1000)));
  }
  failures = print(steps);
  const grave = readFileSync(box.log, 'utf8').split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line));
  if (grave.length) console.log(`\nthe box complained:\n${grave.slice(-10).join('\n')}`);
} finally {
  box.stop();
}
process.exit(failures ? 1 : 0);
