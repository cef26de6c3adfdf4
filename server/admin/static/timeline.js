// How far a message or a verification has come, step by step.

import { el, put } from './dom.js';
import { moment } from './format.js';
import { icon } from './icon.js';

const levels = {
  delivered: 'green', approved: 'green', sent: 'green',
  undelivered: 'red', failed: 'red', exhausted: 'red',
  unknown: 'amber', expired: 'amber', wrong_code: 'amber',
};

// timeline returns a list that show(steps) fills. Steps that are there already
// stay as they are, so that only what is new is read out.
export function timeline() {
  const node = el('ol.timeline', { 'aria-live': 'polite', 'aria-label': 'Timeline' });
  let shown = [];
  function show(steps) {
    const words = steps.map(step => JSON.stringify(step));
    if (shown.some((one, i) => one !== words[i])) {
      put(node);
      shown = [];
    }
    for (const step of steps.slice(shown.length)) node.append(row(step));
    shown = words;
  }
  return { node, show };
}

function row(step) {
  const level = levels[step.what] ?? 'step';
  return el(`li.${level}`, null, icon(level), el('strong', null, step.text || step.what), el('div.soft', null, moment(step.at)));
}
