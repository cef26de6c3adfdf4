// @passageidentity/passage-js 3, which names no content type on its bodies.

import './browser.mjs';
import { Passage } from '@passageidentity/passage-js-3';
import { flow } from './passage.mjs';
import { Suite } from './suite.mjs';

function driver(app) {
  const passage = new Passage(app.passage);
  return {
    register: async (phone) => (await passage.newRegisterOneTimePasscode(phone)).otp_id,
    login: async (phone) => (await passage.newLoginOneTimePasscode(phone)).otp_id,
    activate: async (code, id) => {
      const { auth_token, refresh_token, redirect_url, refresh_token_expiration } = await passage.oneTimePasscodeActivate(code, id);
      return { token: auth_token, refresh: refresh_token, redirect: redirect_url, until: refresh_token_expiration };
    },
    session: passage.getCurrentSession(),
    user: () => passage.getCurrentUser().userInfo(),
    known: (phone) => passage.identifierExists(phone),
    otp: async () => (await passage.appInfo()).auth_methods.otp,
  };
}

const suite = new Suite('passage-js 3');
await flow(suite, driver);
suite.end();
