// How figures and times are written: figures and dates in the reader's own
// manner, words in the language of the page.

import { el } from './dom.js';

const number = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const precise = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dated = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const units = [['day', 86400], ['hour', 3600], ['minute', 60]];

// count writes a whole number in groups.
export const count = n => number.format(n ?? 0);

// counted writes a number with its noun.
export const counted = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

// ago writes a moment (RFC 3339) relative to now, in the past or ahead.
function ago(moment) {
  const seconds = (Date.parse(moment) - Date.now()) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? 'now' : relative.format(Math.trunc(seconds), 'second');
}

// when returns a <time> that is relative, with the exact moment on hover; a dash
// if there is none. refresh keeps it right.
export function when(moment) {
  if (!moment) return el('span.muted', null, '–');
  return el('time', { datetime: moment, title: exact.format(new Date(moment)) }, ago(moment));
}

// moment returns a <time> with the hour, minute and second, or with the day once
// it is another one.
export function moment(at) {
  const then = new Date(at);
  const today = then.toDateString() === new Date().toDateString();
  return el('time', { datetime: at, title: exact.format(then), data: { exact: '' } }, (today ? precise : dated).format(then));
}

// hour writes the hour and minute of a moment in milliseconds.
export const hour = milliseconds => clock.format(new Date(milliseconds));

// fully writes a moment with its date.
export const fully = at => exact.format(new Date(at));

// refresh writes the relative times of the page anew.
export function refresh() {
  for (const node of document.querySelectorAll('time:not([data-exact])')) node.textContent = ago(node.dateTime);
}

// lasting writes a length of time in seconds.
export function lasting(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 10) return `${number.format(Math.round(seconds * 10) / 10)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

// bytes writes a size.
export function bytes(n) {
  if (n < 1024) return `${n} bytes`;
  return n < 1048576 ? `${number.format(Math.round(n / 1024))} KiB` : `${number.format(Math.round(n / 104857.6) / 10)} MiB`;
}

// lit tells how many of five bars a signal in dBm lights.
export function lit(dBm) {
  if (dBm === null || dBm === undefined) return 0;
  return [-109, -101, -93, -85, -77].filter(step => dBm >= step).length;
}

// words turns a name of the closed lists, such as recipient_refused, into words.
export const words = name => (name ?? '').replaceAll('_', ' ');
