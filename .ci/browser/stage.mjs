// The browser, and what no page may do in it: ask anybody but the box, break its
// own security policy, open a dialog, throw.

import { chromium } from 'playwright-core';

const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// Tells of each breach of a page's policy, also of those that are only reported.
const watch = () => addEventListener('securitypolicyviolation', (e) => {
  window.reportBreach(`${e.effectiveDirective} forbids ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber}`);
});

const breach = /content security policy|trusted ?type|violates|refused to/i;

// A page may also name what is a part of itself.
const inner = /^(data|blob|about):/;

/** A browser with a profile of its own, which reaches this machine only. */
export class Stage {
  #browser;
  #own = new Set();
  #faults = [];

  constructor(browser) {
    this.#browser = browser;
  }

  /** Starts the browser. hosts are the names and addresses it may reach. */
  static async open(program, hosts) {
    const rules = ['MAP * ~NOTFOUND', ...hosts.map((host) => `EXCLUDE ${host}`)].join(', ');
    return new Stage(await chromium.launch({
      executablePath: program, headless: true, args: [...flags, `--host-resolver-rules=${rules}`],
    }));
  }

  /** Lets pages ask this origin. */
  admit(origin) {
    this.#own.add(origin);
  }

  /**
   * Returns a page of somebody who was never here, with what Playwright knows as
   * the options of a context. What it does wrong is told by faults.
   */
  async visitor(options = {}) {
    const context = await this.#browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
    context.setDefaultTimeout(10_000);
    await context.exposeBinding('reportBreach', (_, what) => this.#fault(what));
    await context.addInitScript(watch);
    context.on('request', (request) => {
      const url = request.url();
      if (!inner.test(url) && !this.#own.has(new URL(url).origin)) this.#fault(`asked ${new URL(url).origin}`);
    });
    context.on('dialog', (dialog) => {
      this.#fault(`a dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    context.on('weberror', (e) => this.#fault(`threw: ${e.error().message}`));
    context.on('console', (said) => {
      if (breach.test(said.text())) this.#fault(`the console says: ${said.text()}`);
    });
    return context.newPage();
  }

  #fault(what) {
    this.#faults.push(what);
  }

  /** Returns what pages did, since this was asked last, that none may. */
  faults() {
    return [...new Set(this.#faults.splice(0))];
  }

  close() {
    return this.#browser.close();
  }
}
