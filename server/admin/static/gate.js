// The way in: first setup, sign-in, second factor. It covers the page, which
// stays as it was for when the way is free again.

import { enter, onEnd, session } from './api.js';
import { el, put } from './dom.js';
import { form, operator, password, shortest, strong } from './form.js';
import { mark } from './icon.js';
import { busy, failure, field, loading, note, prose } from './part.js';

const box = document.getElementById('gate');
let open = null; // the promise of whoever waits for the way in
let admit = null;

// It cannot be waved away: not by Escape, and where a browser closes it all the
// same, it comes back.
box.addEventListener('keydown', event => { if (event.key === 'Escape') event.preventDefault(); });
box.addEventListener('cancel', event => event.preventDefault());
box.addEventListener('close', () => { if (open) box.showModal(); });

// pass resolves when this browser is signed in, to the session. again says that
// it was before.
export function pass(again = false) {
  open ??= new Promise(resolve => {
    admit = account => {
      open = null;
      box.close();
      put(box); // no password stays behind
      resolve(account);
    };
    look(again);
  });
  return open;
}

onEnd(() => pass(true));

async function look(again) {
  try {
    const account = await session();
    if (account.state === 'signed_in') return admit(account);
    if (!box.open) box.showModal();
    return ({ setup, refused }[account.state] ?? (() => login(again)))(account);
  } catch (error) {
    if (!box.open) box.showModal();
    return frame('offline', 'No answer', failure(error, () => {
      put(box, loading());
      look(again);
    }));
  }
}

// frame fills the gate and puts the focus on its first field.
function frame(name, title, ...children) {
  put(box, el('section.card', { data: { view: name } },
    el('p.brand', null, mark(), 'pinferry'),
    el('h1#gate-title', { tabindex: '-1' }, title),
    children));
  document.title = `${title} · pinferry`;
  (box.querySelector('input:not(.quiet)') ?? box.querySelector('h1')).focus();
}

function refused({ detail }) {
  frame('refused', 'Not from here', note('amber', el('p', null, prose(
    detail ?? 'Over plain HTTP this page opens on the box itself only. Switch TLS on to reach it from elsewhere.'))));
}

const secret = id => password(id, id.startsWith('setup') ? 'new-password' : 'current-password');

const typed = id => document.getElementById(id).value;

function setup({ detail }) {
  frame('setup', 'Welcome aboard',
    el('p.soft', null, 'This box has no administrator yet. Prove that it is yours, and choose a password.'),
    form('Set up and sign in', [
      field('Setup secret', el('input#setup-secret.mono', { autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', required: true, placeholder: 'ABCD-EFGH-JKLM-NPQR' }),
        prose(detail ?? 'The box printed it when it started. To see it again, run `sudo pinferry admin setup` on the box.')),
      field('New password', secret('setup-password'), `At least ${shortest} characters. A short sentence is easy to remember and hard to guess.`),
      field('The password once more', secret('setup-again')),
    ], async () => {
      strong(document.getElementById('setup-password'), document.getElementById('setup-again'));
      try {
        admit(await enter('setup', { secret: typed('setup-secret').trim().toUpperCase(), password: typed('setup-password') }));
      } catch (error) {
        throw Object.assign(error, { field: error.status === 401 ? 'setup-secret' : 'setup-password' });
      }
    }));
}

function login(again) {
  frame('login', 'Sign in',
    again && note('idle', el('p', null, 'Your session has ended. Sign in, and go on where you were.')),
    form('Sign in', [
      operator(),
      field('Administrator password', secret('login-password')),
    ], () => proceed(typed('login-password'), again),
    el('p.hint', null, prose('Forgotten? Run `sudo pinferry admin reset` on the box and set it up anew.'))));
}

async function proceed(word, again) {
  const answer = await enter('login', { password: word });
  if (answer.status === 202) return factor(word, answer.second_factor, again);
  return admit(answer);
}

// factor asks for the code that has gone to the administrator's phone.
function factor(word, sent, again) {
  frame('factor', 'Your second factor',
    el('p.soft', null, 'A code is on its way to ', el('strong', null, sent.to), '.'),
    form('Go on', [field('Code', el('input#login-code.code', {
      inputmode: 'numeric', autocomplete: 'one-time-code', pattern: '\\d*', maxlength: sent.code_length, required: true,
    }))], async () => {
      const code = typed('login-code').replace(/\D/g, '');
      admit(await enter('login', { password: word, verification: sent.verification, code }));
    },
    another(word, sent, again)));
}

// another returns the button for another code, which waits as long as the box
// has asked for.
function another(word, sent, again) {
  const button = el('button.plain', { type: 'button', disabled: true, on: { click: () => busy(button, async () => {
    try {
      await proceed(word, again);
    } catch (error) {
      button.after(failure(error));
    }
  }) } });
  let left = sent.resend_after;
  const tick = () => {
    button.textContent = left > 0 ? `Another code in ${left} s` : 'Send another code';
    button.disabled = left > 0;
    if (left-- > 0 && button.isConnected) setTimeout(tick, 1000);
  };
  queueMicrotask(tick);
  return button;
}
