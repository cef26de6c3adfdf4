// The stream of what happens on the box. It goes on by itself after a break; how
// it is doing is told by its state: off, live, reconnecting or elsewhere.

import { address, session } from './api.js';

const pause = 3000; // milliseconds before a stream that was refused is tried again

// live tells of: overview (detail is the newest one), event (detail is an event)
// and state.
export const live = new EventTarget();
live.state = 'off';
live.overview = null;

let source = null;
let timer = 0;
let ended = () => {};

// start opens the stream. signIn is called when the session has ended.
export function start(signIn) {
  ended = signIn;
  open();
}

// stop closes it.
export function stop() {
  clearTimeout(timer);
  source?.close();
  source = null;
  mark('off');
}

function open() {
  clearTimeout(timer);
  source?.close();
  mark(live.state === 'off' ? 'off' : 'reconnecting');
  source = new EventSource(address('live'));
  source.addEventListener('open', () => mark('live'));
  source.addEventListener('overview', event => {
    live.overview = JSON.parse(event.data);
    tell('overview', live.overview);
  });
  source.addEventListener('event', event => tell('event', JSON.parse(event.data)));
  source.addEventListener('end', event => end(JSON.parse(event.data).reason));
  source.addEventListener('error', () => {
    mark('reconnecting');
    if (source?.readyState === EventSource.CLOSED) again(); // it was refused
  });
}

function end(reason) {
  source.close();
  switch (reason) {
    case 'renew': return open();
    case 'displaced': return mark('elsewhere'); // another tab has the place: no fight
  }
  mark('reconnecting');
  return reason === 'stopping' ? again() : ask();
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

// ask finds out whether the stream broke or the session ended.
async function ask() {
  try {
    const { state } = await session();
    if (state === 'signed_in') return open();
    mark('off');
    return ended();
  } catch {
    return again();
  }
}

function mark(state) {
  if (live.state === state) return;
  live.state = state;
  tell('state', state);
}

const tell = (type, detail) => live.dispatchEvent(new CustomEvent(type, { detail }));

// Whoever looks at this tab again wants it live.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && live.state === 'elsewhere') open();
});
