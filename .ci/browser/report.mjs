// What was proven, and what was not.

/** Collects the steps of all suites, and prints each as it ends. */
export class Report {
  #faults;
  #suite = '';
  #began = performance.now();
  passed = 0;
  skipped = [];
  failed = [];

  /** faults returns what pages did, since it was asked last, that none may. */
  constructor(faults) {
    this.#faults = faults;
  }

  /** Begins a suite. */
  suite(name) {
    this.#suite = name;
  }

  /**
   * Runs a step: rule is what it proves. A step that throws has failed, as has one
   * in which a page did what none may; the next is run all the same.
   */
  async step(rule, run) {
    const began = performance.now();
    const errors = [];
    await run().catch((e) => errors.push(scrub(e)));
    errors.push(...this.#faults().slice(0, 5).map(scrub));
    if (errors.length) this.failed.push(`${this.#suite}: ${rule}`);
    else this.passed++;
    const took = ((performance.now() - began) / 1000).toFixed(1);
    console.log([`${errors.length ? 'FAIL' : 'ok  '} ${this.#suite.padEnd(8)} ${took.padStart(5)} s  ${rule}`, ...errors].join('\n     '));
  }

  /** Says aloud that a step cannot be run here. */
  skip(rule, why) {
    this.skipped.push(rule);
    console.log(`SKIP ${this.#suite.padEnd(8)}          ${rule}: ${why}`);
  }

  /** Prints the last lines. */
  end() {
    if (this.failed.length) console.log(`failed:\n  ${this.failed.join('\n  ')}`);
    const took = ((performance.now() - this.#began) / 1000).toFixed(0);
    console.log(`${this.passed} steps passed, ${this.failed.length} failed, ${this.skipped.length} skipped, in ${took} s`);
  }
}

// Neither a code nor a number may be shown, wherever the browser put it.
function scrub(e) {
  const line = String(e.stack).match(/\w+\.mjs:\d+(?=:\d+\)?$)/gm)?.find((at) => !at.startsWith('report'));
  const words = String(e.message ?? e).replace(/\u001b\[\d+m/g, '').split('\n').slice(0, 12).join('\n     ');
  return (line ? `${words} (${line})` : words).replace(/\d{6,}/g, '******');
}

/** Throws unless ok. */
export function must(ok, what) {
  if (!ok) throw new Error(what);
}

/** Throws unless got is want. */
export function same(got, want, what) {
  must(got === want, `${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}
