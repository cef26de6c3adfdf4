// The beginning: sign in, draw the shell, show the place of the address.

import { refresh } from './format.js';
import { pass } from './gate.js';
import { start, stop } from './live.js';
import { go } from './place.js';
import { build } from './shell.js';

const often = 20000; // milliseconds between two looks at relative times

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault(); // the address names a place, not a part of the page
  document.getElementById('main').focus();
});

await pass();
build(leave);
start(renew);
addEventListener('hashchange', () => go(false));
setInterval(refresh, often);
go(true);

// renew asks for a new session where one has ended, and goes on.
async function renew() {
  await pass(true);
  start(renew);
}

// leave forgets all that is on the page.
function leave() {
  stop();
  location.reload();
}
