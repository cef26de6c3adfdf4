// The parts that several views have in common.

import { Refusal } from './api.js';
import { el, fresh, put } from './dom.js';
import { lasting } from './format.js';
import { icon } from './icon.js';
import { notice } from './notice.js';

// head returns the head of a view: its h1, which takes the focus when the view
// changes, what the view is for, and buttons.
export function head(title, words, ...actions) {
  return el('header.head', null,
    el('div', null, el('h1', { tabindex: '-1' }, title), words && el('p', null, words)),
    actions.length > 0 && el('div.actions', null, actions));
}

// back returns the way from one thing to its list.
export const back = (place, words) => el('a.back', { href: `#/${place}` }, icon('back'), words);

// prose returns a sentence of the box, in which what stands between backticks is
// to be typed as it is.
export const prose = text => text.split('`').map((part, i) => (i % 2 ? el('code', null, part) : part));

// card returns a framed part with a heading.
export const card = (title, ...children) => el('section.card.stack', null, title && el('h2', null, title), children);

const levels = ['green', 'amber', 'red', 'wait', 'step', 'idle'];

// level returns how good or bad something is, as drawings and colours know it:
// green, amber, red, wait (not ended), idle, and step for all else.
export const level = name => (levels.includes(name) ? name : 'step');

// badge returns a state in words, with the drawing and colour of its level.
export const badge = (name, words) => el(`span.badge.${level(name)}`, null, icon(level(name)), words);

// note returns a framed remark.
export const note = (name, ...children) => el(`div.note.${level(name)}`, null, icon(level(name)), el('div', null, children));

// empty says that there is nothing, and why that is.
export const empty = (drawing, title, words) => el('div.empty', null,
  icon(drawing), el('strong', null, title), words && el('p', null, words));

// loading stands where something will come.
export const loading = () => el('div.loading', { role: 'status' },
  el('span.quiet', null, 'Loading'), el('i'), el('i'), el('i'));

// failure shows what the box has refused, with what to do. again is called by
// its button, if there is one. What is no refusal is a fault of the page, and
// stands in the console of the browser.
export function failure(error, again) {
  if (!(error instanceof Refusal)) console.error(error);
  return note('red',
    el('strong', null, title(error)), el('p', null, prose(detail(error))),
    again && el('div.actions', null, el('button.small', { type: 'button', on: { click: again } }, icon('refresh'), 'Try again')));
}

function title(error) {
  return [401, 403].includes(error.status) ? 'Not accepted' : error.title ?? 'That did not work';
}

function detail({ detail: words, retryAfter }) {
  if (retryAfter) return `Wait ${lasting(retryAfter)}, then try again.`;
  return words ?? 'The page has met something that it does not know. Reload it.';
}

// facts returns pairs of a name and a value; pairs without a value are left out.
export const facts = pairs => el('dl.facts', null, pairs
  .filter(([, value]) => ![null, undefined, false, '', 0].includes(value))
  .map(([name, value]) => [el('dt', null, name), el('dd', null, value)]));

// field returns a label with its control, a hint under it. The control comes
// with an id or gets one.
export function field(words, control, hint) {
  control.id ||= fresh('field');
  const under = hint && el('span.hint', { id: `${control.id}-hint` }, hint);
  if (under) control.setAttribute('aria-describedby', under.id);
  return el('div.field', null, el('label', { for: control.id }, words), control, under);
}

// choice returns a select of pairs of a value and its words.
export const choice = (props, pairs, chosen = '') => el('select', props, pairs.map(([value, words]) =>
  el('option', { value, selected: value === chosen }, words)));

// busy runs an act while its button cannot be pressed again.
export async function busy(button, act) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  button.disabled = true;
  try {
    await act();
  } finally {
    button.removeAttribute('aria-busy');
    button.disabled = false;
  }
}

// action returns a button that does something with the box and shows a refusal
// as a notice.
export function action(selector, words, act, drawing) {
  const button = el(selector, { type: 'button' }, drawing && icon(drawing), words);
  button.addEventListener('click', () => busy(button, async () => {
    try {
      await act();
    } catch (error) {
      notice(`${title(error)}. ${detail(error)}`, 'red');
    }
  }));
  return button;
}

// sample shows lines to be copied. of tells one from others of the same name.
export function sample(name, text, of = '') {
  return el('div.sample', null,
    el('div.bar', null, name, copier(() => text)),
    el('pre', { tabindex: '0', role: 'region', 'aria-label': `${name} ${of}`.trim() }, text));
}

// copier returns a button that copies. Over plain HTTP browsers lock the
// clipboard, and the older way is taken.
function copier(text) {
  return action('button.plain.small', 'Copy', async () => {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text());
    } else {
      const area = el('textarea.quiet', { value: text(), 'aria-hidden': 'true' });
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    notice('Copied.');
  }, 'copy');
}

// later fills a place with what a promise brings: rows of grey until then, the
// refusal and a way to try again if it brings none.
export async function later(place, load, show) {
  put(place, loading());
  place.setAttribute('aria-busy', 'true');
  try {
    put(place, await show(await load()));
  } catch (error) {
    put(place, failure(error, () => later(place, load, show)));
  } finally {
    place.removeAttribute('aria-busy');
  }
}

const drawn = new WeakMap(); // what a part showed last

// renew draws a part anew if what it shows has changed. Whatever had the focus
// in it has it again.
export function renew(node, data, draw) {
  const state = JSON.stringify(data);
  if (drawn.get(node) === state) return;
  drawn.set(node, state);
  const places = () => [...node.querySelectorAll('a, button')];
  const focused = places().indexOf(document.activeElement);
  put(node, draw());
  if (focused >= 0) places()[focused]?.focus();
}
