// Short notices: what has been done, said once and gone by itself.

import { el } from './dom.js';
import { icon } from './icon.js';

const stay = 6000; // milliseconds
const most = 3; // at a time

// notice shows words at the foot of the page and has them read out. level is
// 'green', 'amber' or 'red'.
export function notice(words, level = 'green') {
  const node = el('div', null, icon(level), el('span', null, words));
  const place = document.getElementById('notices');
  while (place.childElementCount >= most) place.firstElementChild.remove();
  place.append(node);
  setTimeout(() => node.remove(), stay);
}
