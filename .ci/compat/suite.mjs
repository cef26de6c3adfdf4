// What a suite has at hand: the box, phones, and steps that report what became
// of them.

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const given = JSON.parse(process.env.COMPAT);

/** The base URL of the box, and its apps. See box.mjs. */
export const { base, apps, origin } = given;

const hosts = ['auth.passage.id', 'api.passage.id'];

/**
 * Returns url on the box if its host is compiled into an SDK. What is neither
 * there nor on the box is an error: no SDK talks to anybody else from here.
 */
export function reroute(url) {
  const wanted = new URL(url);
  if (wanted.origin === base) return wanted.href;
  if (hosts.includes(wanted.host)) return new URL(wanted.pathname + wanted.search, base).href;
  throw new TypeError(`${wanted.host} is not the box`);
}

let phones = 0;

/** A phone with a number that nobody had before, and its owner's eyes. */
export class Phone {
  #read = 0;
  #last = '';

  constructor() {
    this.number = `+4179${String(given.first + phones++).padStart(7, '0')}`;
  }

  /** Waits for the next message and returns the code in it. */
  async code() {
    for (let tries = 0; tries < 200; tries++) {
      const [next] = this.#messages().slice(this.#read);
      if (next) {
        this.#read++;
        [this.#last] = next.text.match(/\b\d{6}\b/) ?? [''];
        if (!this.#last) throw new Error('a message without a code');
        return this.#last;
      }
      await pause(50);
    }
    throw new Error('no message came');
  }

  /** A code that is not the one in the message read last. */
  wrong(n = 1) {
    return String((Number(this.#last) + n) % 1e6).padStart(6, '0');
  }

  #messages() {
    const lines = readFileSync(given.handset, 'utf8').split('\n').slice(1, -1);
    return lines.map((line) => JSON.parse(line)).filter((sms) => sms.to === this.number);
  }
}

/** Runs the steps of one SDK, each of which reports in a line of JSON. */
export class Suite {
  constructor(sdk) {
    this.sdk = sdk;
  }

  /**
   * Runs a step: call is its column in the table, rule what it proves. A step
   * that throws has failed, and the next is run all the same.
   */
  async step(call, rule, run) {
    let error;
    try {
      await run();
    } catch (e) {
      // Neither a code nor a number may be shown, wherever an SDK put it.
      const [line] = String(e?.stack).match(/\w+\.mjs:\d+(?=:\d+\)?$)/m) ?? [''];
      error = `${e?.cause?.message ?? e?.message ?? e} (${line})`.replace(/\b\d{6,}\b/g, '******').replace(/ey[\w-]+\.[\w.-]+/g, '<token>');
    }
    await new Promise((done) => process.stdout.write(JSON.stringify({ sdk: this.sdk, call, rule, error }) + '\n', done));
  }

  /** Ends the process, whatever timers an SDK has left. */
  end() {
    process.exit(0);
  }
}

/** The claims of a token, unchecked. */
export const claims = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));

/** Returns a token with the seal of jwt and somebody else's claims. */
export function forge(jwt) {
  const [head, , seal] = jwt.split('.');
  const body = JSON.stringify({ ...claims(jwt), sub: 'somebody else' });
  return [head, Buffer.from(body).toString('base64url'), seal].join('.');
}

/** Returns what rejects or throws in run, which must. */
export async function thrown(run) {
  try {
    await run();
  } catch (e) {
    return e;
  }
  throw new Error('nothing was refused');
}
