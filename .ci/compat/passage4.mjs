// @passageidentity/passage-js 4.

import './browser.mjs';
import { Passage } from '@passageidentity/passage-js';
import { flow } from './passage.mjs';
import { Suite } from './suite.mjs';

function driver(app) {
  const passage = new Passage(app.passage);
  return {
    register: async (phone) => (await passage.oneTimePasscode.register(phone)).otpId,
    login: async (phone) => (await passage.oneTimePasscode.login(phone)).otpId,
    activate: async (code, id) => {
      const { authToken, refreshToken, redirectUrl, refreshTokenExpiration } = await passage.oneTimePasscode.activate(code, id);
      return { token: authToken, refresh: refreshToken, redirect: redirectUrl, until: refreshTokenExpiration };
    },
    session: passage.session,
    user: () => passage.currentUser.userInfo(),
    known: (phone) => passage.app.userExists(phone),
    otp: async () => (await passage.app.info()).authMethods.otp,
  };
}

const suite = new Suite('passage-js 4');
await flow(suite, driver);
suite.end();
