// A phone with a number that nobody had before, and its owner's eyes.

import { readFileSync } from 'node:fs';
import { eventually } from '../box.mjs';

let phones = 0;

/** A phone in the network of a box's simulated modem. */
export class Phone {
  #box;
  #read = 0;
  #last = '';

  constructor(box) {
    this.#box = box;
    this.national = `079 ${String(1000000 + phones++ * 1111).replace(/(...)(..)(..)/, '$1 $2 $3')}`;
    this.number = `+41${this.national.slice(1).replaceAll(' ', '')}`;
  }

  /** Waits for the next message and returns its text. */
  async text() {
    const sms = await eventually('a message', () => this.#messages()[this.#read]);
    this.#read++;
    return sms.text;
  }

  /** Waits for the next message and returns the code in it. */
  async code() {
    [this.#last] = (await this.text()).match(/\b\d{6}\b/) ?? [''];
    if (!this.#last) throw new Error('a message without a code');
    return this.#last;
  }

  /** A code that is not the one in the message read last. */
  wrong(n = 1) {
    return String((Number(this.#last) + n) % 1e6).padStart(6, '0');
  }

  /** How many messages have come and were not read. */
  arrived() {
    return this.#messages().length - this.#read;
  }

  /** Texts the box. */
  send(text) {
    this.#box.type(`sms ${this.number} ${text}`);
  }

  #messages() {
    const lines = readFileSync(this.#box.handset, 'utf8').split('\n').slice(1, -1);
    return lines.map((line) => JSON.parse(line)).filter((sms) => sms.to === this.number);
  }
}
