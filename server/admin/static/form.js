// Forms: one way to send them, and what passwords need.

import { Refusal } from './api.js';
import { el, put } from './dom.js';
import { busy, failure } from './part.js';

// shortest is how many characters a password needs.
export const shortest = 12;

// form returns a form of fields and a button, verb: its words, or itself. act does what it is for; its
// refusal is shown above the button, and the control that the refusal names, or
// the last one, gets the focus. after are nodes behind the button.
export function form(verb, fields, act, ...after) {
  const problem = el('div', { role: 'alert' });
  const button = typeof verb === 'string' ? el('button.primary', { type: 'submit' }, verb) : verb;
  const node = el('form.stack', { novalidate: true, on: { submit: event => {
    event.preventDefault();
    put(problem);
    return busy(button, async () => {
      try {
        await act();
      } catch (error) {
        put(problem, failure(error));
        const controls = [...node.querySelectorAll('input:not(.quiet), textarea')];
        const wrong = controls.find(({ id }) => id === error.field) ?? controls.pop();
        wrong.focus();
        wrong.select();
      }
    });
  } } }, fields, problem, el('div.actions', null, button), after);
  return node;
}

// password returns a field for one. use is what a password manager is told.
export const password = (id, use) => el(`input#${id}`, { type: 'password', autocomplete: use, required: true });

// operator returns the name that password managers want beside a password. Nobody
// sees it.
export const operator = () => el('input.quiet', {
  name: 'username', value: 'admin', autocomplete: 'username', tabindex: '-1', 'aria-hidden': 'true', readonly: true,
});

// strong refuses a new password that is too short or was typed in two ways.
export function strong(word, again) {
  if (word.value.length < shortest) {
    throw new Refusal({ field: word.id, title: 'Too short', detail: `The password needs at least ${shortest} characters.` });
  }
  if (word.value !== again.value) {
    throw new Refusal({ field: again.id, title: 'Not the same', detail: 'The two passwords differ. Type the second one again.' });
  }
}
