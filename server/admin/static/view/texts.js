// Texts: what the message of a code says, how many segments it takes, and the
// lines to put into the config file, where texts live.

import { get, post } from '../api.js';
import { el, put } from '../dom.js';
import { counted } from '../format.js';
import { card, choice, empty, failure, field, head, note, sample } from '../part.js';

const rest = 350; // milliseconds without a key before the text is looked at

const encodings = {
  gsm7: 'GSM-7, the alphabet of SMS',
  ucs2: 'UCS-2: a character outside the alphabet of SMS more than halves the room',
};

// show draws the view.
export async function show(place) {
  const { apps, locales } = await get('apps');
  if (!apps.length) return [head('Texts'), el('div.card', null, empty('texts', 'No app yet', 'Texts belong to apps. Add an [[app]] to the config file first.'))];
  const names = new Intl.DisplayNames('en', { type: 'language' });
  const app = choice(null, apps.map(({ id, name }) => [id, name || id]));
  const locale = choice(null, locales.map(tag => [tag, `${names.of(tag)} (${tag})`]));
  const text = el('textarea', { spellcheck: 'true', rows: 4 });
  const marks = el('div.row', { role: 'group', 'aria-label': 'Put in a placeholder' });
  const bubble = el('p.bubble');
  const meter = el('div', { role: 'status' });
  const lines = el('div');
  let timer = 0;
  let turn = 0;

  // look shows what the text in the field becomes; the present one if it is
  // empty.
  async function look() {
    clearTimeout(timer);
    const mine = ++turn;
    try {
      const answer = await post('texts/preview', { app: app.value, locale: locale.value, text: text.value });
      if (mine !== turn || place.signal.aborted) return;
      tell(answer);
    } catch (error) {
      if (mine === turn) put(meter, failure(error));
    }
  }

  function tell(answer) {
    text.toggleAttribute('aria-invalid', false);
    if (answer.problem) text.setAttribute('aria-invalid', 'true');
    text.lang = locale.value;
    text.placeholder = answer.text ?? '';
    bubble.lang = locale.value;
    bubble.dir = 'auto';
    put(bubble, answer.preview);
    put(meter, el('div.stack', null, answer.problem && note('red', el('p', null, el('strong', null, sentence(answer.problem)))), answer.units > 0 && measure(answer)));
    put(lines, !answer.problem && answer.toml && [sample(`[[app]] ${app.value}, in the config file`, answer.toml),
      el('p.hint', null, 'Paste it into the section of the app and restart the box. The page changes no text itself.')]);
    put(marks, answer.placeholders?.map(mark => el('button.small.mono', { type: 'button', on: { click: () => insert(mark) } }, mark)));
  }

  function insert(mark) {
    text.setRangeText(mark, text.selectionStart, text.selectionEnd, 'end');
    text.focus();
    look();
  }

  const fresh = () => {
    text.value = apps.find(({ id }) => id === app.value)?.texts?.[locale.value] ?? '';
    look();
  };
  app.addEventListener('change', fresh);
  locale.addEventListener('change', fresh);
  text.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(look, rest);
  });
  place.signal.addEventListener('abort', () => clearTimeout(timer));
  fresh();

  return [head('Texts', 'What the message of a code says. Try a text here, then paste its line into the config file.'),
    el('div.halves', null,
      card('The text', el('div.filters', null, field('App', app), field('Language', locale)),
        field('Text', text, 'Leave it empty to see the present one.'), marks, meter),
      card('On the phone', el('div.phone', null, bubble), el('p.hint', null, 'The code is shown as zeros: a page never has a real one.')),
    ), el('section.stack', { 'aria-label': 'Line for the config file' }, lines)];
}

// sentence writes what the check of the config file says as one of the page.
const sentence = words => words.charAt(0).toUpperCase() + words.slice(1);

function measure({ segments, encoding, units, units_left: left }) {
  return note(segments > 1 ? 'amber' : 'green',
    el('p', null, el('strong', null, counted(segments, 'segment', 'segments')), `, ${counted(units, 'unit', 'units')} used, ${left < 0 ? `${-left} too many` : `${left} left`}.`),
    el('p', null, `${encodings[encoding] ?? encoding}.`),
    segments > 1 && el('p', null, 'Each segment costs as much as an SMS, and a phone shows the text only when all of them have come.'));
}
