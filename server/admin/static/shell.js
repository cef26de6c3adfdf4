// What stands around every view: the name of the house, the way to the places,
// how the stream does, and the way out.

import { post } from './api.js';
import { el, put } from './dom.js';
import { icon, mark } from './icon.js';
import { live } from './live.js';
import { action } from './part.js';
import { groups, here } from './place.js';

const states = { off: 'Not connected', live: 'Live', reconnecting: 'Reconnecting', elsewhere: 'Live in another tab' };
const themes = { '': 'System', light: 'Light', dark: 'Dark' };

const shell = document.getElementById('shell');
const nav = document.getElementById('places');

// build draws the shell. leave is called after sign-out.
export function build(leave) {
  const toggle = el('button.plain', { type: 'button', 'aria-controls': nav.id, 'aria-expanded': 'false', 'aria-label': 'Places', on: { click: () => open(!nav.classList.contains('open')) } }, icon('menu'));
  const open = wanted => {
    nav.classList.toggle('open', wanted);
    toggle.setAttribute('aria-expanded', String(wanted));
    put(toggle, icon(wanted ? 'close' : 'menu'));
  };
  put(shell.querySelector('.top'), brand(), state(), toggle);
  put(nav, brand(), state(), groups.map(group),
    el('div.leave', null, theme(), action('button.plain.small', 'Sign out', async () => {
      await post('logout');
      leave();
    }, 'leave')));
  nav.addEventListener('click', event => { if (event.target.closest('a')) open(false); });
  shell.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !nav.classList.contains('open')) return;
    open(false);
    toggle.focus();
  });
  live.addEventListener('state', () => {
    for (const node of document.querySelectorAll('.live')) tell(node);
  });
  addEventListener('hashchange', current);
  current();
  shell.hidden = false;
}

const brand = () => el('a.brand', { href: '#/home' }, mark(), 'pinferry');

function state() {
  const node = el('span.live', { role: 'status' });
  tell(node);
  return node;
}

function tell(node) {
  node.dataset.state = live.state;
  node.textContent = states[live.state];
}

function group({ title, places }) {
  return el('div.group', null, title && el('h2', null, title), el('ul', null, places.map(place =>
    el('li', null, place.address ? outside(place)
      : el('a.place', { href: `#/${place.name}`, data: { place: place.name } }, icon(place.name), place.title)))));
}

const outside = ({ address, name, title }) => el('a.place', { href: address, target: '_blank', rel: 'noopener' },
  icon(name), title, el('span.quiet', null, ' (opens a new tab)'), icon('external'));

function current() {
  const { name } = here();
  for (const a of nav.querySelectorAll('a.place')) {
    if (a.dataset.place === name) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
}

// theme returns the button that goes through the themes.
function theme() {
  const root = document.documentElement;
  const names = Object.keys(themes);
  const words = el('span');
  const tellTheme = () => { words.textContent = themes[root.dataset.theme ?? '']; };
  tellTheme();
  return el('button.plain.small', { type: 'button', on: { click: () => {
    const next = names[(names.indexOf(root.dataset.theme ?? '') + 1) % names.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      localStorage.setItem('theme', next);
    } catch { /* then it holds until the page is left */ }
    tellTheme();
    dispatchEvent(new Event('theme'));
  } } }, icon('theme'), el('span.quiet', null, 'Theme: '), words);
}
