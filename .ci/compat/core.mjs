// @descope/core-js-sdk, as a page uses it: without a key.

import { deepStrictEqual as same, ok, strictEqual as equal } from 'node:assert/strict';
import './browser.mjs';
import descope from '@descope/core-js-sdk';
import { enter, flow } from './descope.mjs';
import { apps, base, claims, Suite } from './suite.mjs';

const suite = new Suite('@descope/core-js-sdk');
const at = (app) => descope({ projectId: app.project, baseUrl: base });
const sdk = at(apps.a);

// The last try is kept for another address, so this one meets a limit first.
await flow(suite, sdk, at(apps.b), ['E130429']);
await suite.step('token', 'the SDK reads the token', async () => {
  const { sessionJwt } = await enter(sdk);
  equal(sdk.isJwtExpired(sessionJwt), false);
  same(sdk.getJwtRoles(sessionJwt), []);
  same(sdk.getJwtPermissions(sessionJwt), []);
  ok(claims(sessionJwt).exp, 'no exp');
});
suite.end();
