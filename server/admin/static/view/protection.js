// Protection: what the limits keep from happening now, why, and the way to lift it.

import { get, post } from '../api.js';
import { ask } from '../dialog.js';
import { el, put } from '../dom.js';
import { count, counted, when, words } from '../format.js';
import { form } from '../form.js';
import { listing } from '../list.js';
import { notice } from '../notice.js';
import { action, badge, card, empty, field, head, note } from '../part.js';
import { number, reveal } from '../state.js';

const kinds = {
  phone: 'number', address: 'address', address_phone: 'address and number', block: 'block of numbers',
  country: 'country', box: 'the whole box', app: 'app', route: 'route', sender: 'sender',
};

// show draws the view.
export function show() {
  const blocked = listing({
    caption: 'What is blocked now',
    columns: [...columns(() => blocked.reload())],
    load: async cursor => {
      const page = await get('limits', { cursor });
      return { rows: page.limits, next: page.next_cursor };
    },
    none: empty('green', 'Nothing is blocked', 'No number, address or country is at a limit now.'),
  });
  const stopped = listing({
    caption: 'Numbers that want nothing from this box',
    columns: [
      { name: 'Number', cell: one => number(one.phone) },
      { name: 'Since', cell: one => when(one.since) },
      { name: 'Told', cell: one => one.route || '–' },
      { name: '', bare: true, cell: one => lift(`Let ${one.phone} have messages again?`, 'The number has texted STOP. Only do this if its holder has asked for it.',
        () => post('opt-outs/lift', { id: one.id }), () => stopped.reload()) },
    ],
    load: async cursor => {
      const page = await get('opt-outs', { cursor });
      return { rows: page.opt_outs, next: page.next_cursor };
    },
    none: empty('inbound', 'Nobody has opted out', 'Numbers that text STOP appear here.'),
  });
  return [head('Protection', 'The limits keep one caller from costing others their codes. They wear off by themselves.'),
    card('Why is somebody blocked?', why()),
    el('section.stack', null, el('h2', null, 'Blocked now'), blocked.node),
    el('section.stack', null, el('h2', null, 'Opted out'), stopped.node)];
}

function columns(again) {
  return [
    { name: 'Who', cell: limit => el('div', null, subject(limit), el('div.soft', null, kinds[limit.kind] ?? words(limit.kind))) },
    { name: 'Why', wide: true, cell: limit => el('div', null, limit.text, ' ', el('span.soft', null, `(${limit.rule}, ${counted(limit.count, 'event', 'events')} counted)`)) },
    { name: 'State', cell: limit => (limit.blocked ? badge('red', 'blocked') : badge('green', 'below the limit')) },
    { name: 'Until', cell: limit => (limit.blocked ? when(limit.until) : '–') },
    { name: '', bare: true, cell: limit => lift(`Lift the limit of ${limit.subject || 'the box'}?`,
      `What was counted by this rule is forgotten, and the next ${limit.count || ''} go through. The audit trail keeps that you have done it.`.replace('  ', ' '),
      () => post('limits/lift', { id: limit.id }), again) },
  ];
}

function subject({ id, kind, subject: who }) {
  if (!who) return 'everybody';
  return kind === 'phone' && who.includes('*') ? reveal(id, who) : number(who);
}

const lift = (title, words, act, again) => el('button.small', { type: 'button', on: { click: async () => {
  if (!await ask({ title, words, verb: 'Lift it', act })) return;
  notice('Lifted.');
  again();
} } }, 'Lift…');

// why returns the form that tells all that bears on one number or address.
function why() {
  const who = el('input#why', { autocomplete: 'off', spellcheck: 'false', required: true, placeholder: '+41 79 123 45 67 or 192.0.2.7' });
  const answer = el('div.stack', { 'aria-live': 'polite' });
  const asked = () => {
    const value = who.value.trim();
    return value.startsWith('+') || /^[\d\s]{7,}$/.test(value) ? { phone: value.replace(/[^+\d]/g, '') } : { address: value };
  };
  const look = async () => {
    put(answer);
    put(answer, explain(asked(), await get('limits', asked()), look));
  };
  return [form('Tell me why', field('Phone number or address', who, 'All limits that bear on it are listed, with what was counted.'), look), answer];
}

function explain(asked, { limits, opted_out: out, known, refused_by: shut = [] }, again) {
  const hits = limits.filter(limit => limit.blocked);
  const words = hits.length ? `${counted(hits.length, 'limit stops', 'limits stop')} it now.` : 'No limit stops it now.';
  return [
    note(hits.length || out ? 'red' : shut.length ? 'amber' : 'green', el('p', null, el('strong', null, words)),
      out && el('p', null, 'Its holder has texted STOP, so nothing is sent to it.'),
      shut.map(app => el('p', null, `App ${app} sends nothing there: see countries in its section of the config file, or email for an email address.`)),
      known && el('p', null, 'It has been verified here before, which makes some limits wider for it.')),
    limits.length > 0 && el('ul.stack', null, limits.map(limit => el('li.row.apart', null,
      el('div', null, el('strong', null, limit.text), el('div.soft', null, [limit.rule, `, ${count(limit.count)} counted`, limit.blocked && [', free ', when(limit.until)]])),
      limit.blocked ? badge('red', 'blocked') : badge('green', 'below the limit')))),
    limits.length > 0 && el('div', null, action('button', 'Lift all of them', async () => {
      const { lifted } = await post('limits/lift', asked);
      notice(`${counted(lifted, 'limit was', 'limits were')} lifted.`);
      await again();
    })),
  ];
}
