// Questions that stand in the way until they are answered.

import { el, fresh } from './dom.js';
import { busy, failure } from './part.js';

// ask shows a question and resolves to true after its action was done, to false
// if nobody wanted it. of: title, words (string or nodes), verb (the button),
// danger (whether the button is red), fields (nodes inside the form), act (what
// the button does: a refusal is shown in the dialog, which stays open), keep
// (whether it stays open after it was done, too).
export function ask({ title, words, verb, danger, fields = [], act, keep }) {
  return new Promise(resolve => {
    const heading = fresh('ask');
    const problem = el('div', { role: 'alert' });
    const yes = el(`button${danger ? '.danger' : '.primary'}`, { type: 'submit' }, verb);
    const no = el('button', { type: 'button', on: { click: () => box.close() } }, keep ? 'Close' : 'Cancel');
    const form = el('form.stack', { novalidate: true, on: { submit } },
      el('h2', { id: heading }, title),
      typeof words === 'string' ? el('p', null, words) : words,
      fields, problem,
      el('div.actions', null, yes, no));
    const box = el('dialog', { 'aria-labelledby': heading, on: { close } }, form);
    let done = false;

    async function submit(event) {
      event.preventDefault();
      problem.replaceChildren();
      await busy(yes, async () => {
        try {
          await act(new FormData(form));
          done = true;
          if (!keep) box.close();
        } catch (error) {
          problem.append(failure(error));
        }
      });
    }

    function close() {
      box.remove();
      resolve(done);
    }

    document.body.append(box);
    box.showModal();
    // A question that destroys begins at its harmless answer.
    if (danger && !fields.length) no.focus();
  });
}
