// Starts a box and drives its pages in a real Chromium; prints what was proven
// and exits non-zero if anything failed. The screenshots are in $ARTEFACTS, or
// in bin/screenshots.
//
//   node browser.mjs               all suites
//   node browser.mjs login hostile only these, and setup, which they stand on
//
// PROGRAM is the pinferry, bin/pinferry if that is not set, and CHROMIUM the
// browser.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from '../box.mjs';
import { config, simulator } from './box.mjs';
import setup from './setup.mjs';
import { Report } from './report.mjs';
import * as shops from './shop.mjs';
import { Stage } from './stage.mjs';

const suites = ['watch', 'login', 'bare', 'widget', 'hostile', 'deeds', 'captcha', 'lan', 'docs', 'weight', 'tour'];

const asked = process.argv.slice(2).filter((name) => name !== 'setup');
for (const name of asked) if (!suites.includes(name)) throw new Error(`there is no suite ${name}; there are setup, ${suites.join(', ')}`);
const wanted = process.argv.length > 2 ? suites.filter((name) => asked.includes(name)) : suites;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const dir = mkdtempSync(join(tmpdir(), 'browser'));
const boxes = [];
const stop = () => {
  boxes.forEach((box) => box.stop());
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
};
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const program = resolve(root, process.env.PROGRAM ?? 'bin/pinferry');
const artefacts = resolve(root, process.env.ARTEFACTS ?? 'bin/screenshots');
mkdirSync(artefacts, { recursive: true });
for (const name of readdirSync(artefacts)) if (name.endsWith('.png')) rmSync(join(artefacts, name));

/** The first address of this machine that others reach it by. */
const lan = Object.values(networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;

const stage = await Stage.open(process.env.CHROMIUM ?? '/usr/bin/chromium', ['127.0.0.1', ...lan ? [lan] : []]);
const report = new Report(() => stage.faults());
const shop = await shops.open();
stage.admit(shop.origin);

// more starts one more box; see start in ../box.mjs.
async function more(name, write, options) {
  mkdirSync(join(dir, name));
  const box = await start(program, join(dir, name), write, options);
  boxes.push(box);
  stage.admit(box.base);
  return box;
}

try {
  const box = await more('box', config(shop), { simulator });
  const rest = []; // what suites have left for the end, so that nobody waits
  const scene = { report, stage, shop, box, lan, artefacts, more, later: (run) => rest.push(run) };
  report.suite('setup');
  scene.admin = await setup(scene);
  for (const name of wanted) {
    report.suite(name);
    const { default: run } = await import(`./${name}.mjs`);
    await report.step('the suite runs to its end', () => run(scene));
  }
  report.suite('rest');
  for (const run of rest) await run();
  const grave = boxes.flatMap((b) => readFileSync(b.log, 'utf8').split('\n')).filter((line) => /"level":"(error|fatal|panic)"/.test(line));
  await report.step('no box complained', async () => {
    if (grave.length) throw new Error(grave.slice(-10).join('\n'));
  });
} finally {
  report.end();
  await stage.close();
  shop.close();
}
process.exit(report.failed.length ? 1 : 0);
