// Lists that come in pages, with what narrows them down.

import { el, put } from './dom.js';
import { action, failure, field, loading } from './part.js';
import { present } from './presence.js';

const settle = 1500; // milliseconds in which news is gathered

// table returns a table of its columns around a body. On a phone its rows become
// cards by style, and its roles are written down, because some browsers forget
// them then.
function table(caption, columns, body) {
  return el('table.list', { role: 'table' }, el('caption.quiet', null, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map(({ name }) =>
      el('th', { role: 'columnheader', scope: 'col' }, name || el('span.quiet', null, 'Actions'))))),
    body);
}

const lines = (columns, rows) => rows.map(row => el('tr', { role: 'row' }, columns.map(({ name, cell, bare, wide }) =>
  el(`td${bare ? '.bare' : ''}${wide ? '.wide' : ''}`, { role: 'cell', 'data-label': name }, cell(row)))));

// given returns a list of rows that are all there already; columns, caption and
// none are as those of a listing.
export const given = ({ caption, columns, rows, none }) => el('div.card.flush', null,
  rows.length ? table(caption, columns, el('tbody', { role: 'rowgroup' }, lines(columns, rows))) : none);

// listing returns a list that loads itself. load(cursor) resolves to {rows,
// next}; columns are {name, cell(row), bare, wide} (bare: no name beside it on a
// phone; wide: a line of its own there); none is what stands for an empty list.
// Of what is returned, reload begins again and fresh brings in news.
export function listing({ caption, columns, load, none }) {
  const node = el('div.card.flush');
  const body = el('tbody', { role: 'rowgroup' });
  const foot = el('div.more', { hidden: true });
  const whole = table(caption, columns, body);
  let turn = 0; // answers of an earlier turn come too late
  let pages = 0;
  let timer = 0;

  // page adds a page to the list, the first one in the place of all others.
  async function page(cursor) {
    const mine = ++turn;
    const { rows: list, next } = await load(cursor);
    if (mine !== turn) return;
    if (!cursor) {
      body.replaceChildren();
      pages = 0;
    }
    pages++;
    body.append(...lines(columns, list));
    put(foot, next && action('button', 'Load more', async () => {
      const before = body.rows.length;
      await page(next);
      body.rows[before]?.querySelector('a, button')?.focus();
    }));
    foot.hidden = !next;
    put(node, body.rows.length || next ? [whole, foot] : none);
  }

  // reload begins again.
  async function reload() {
    put(node, loading());
    try {
      await page('');
    } catch (error) {
      put(node, failure(error, reload));
    }
  }

  // fresh brings what has happened meanwhile, unless somebody is at work in the
  // list or has read further.
  function fresh() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!present() || pages > 1 || !node.isConnected || node.contains(document.activeElement)) return;
      page('').catch(() => {}); // what is shown is still true
    }, settle);
  }

  reload();
  return { node, reload, fresh };
}

// What has been typed into a filter stays until the page is left, but not in the
// address: it may be a phone number.
const kept = new Map();

// filters returns a form of fields, {name, words, control}, and their values.
// changed is called when somebody wants to see others.
export function filters(name, fields, changed) {
  const values = kept.get(name) ?? {};
  kept.set(name, values);
  for (const { name: key, control } of fields) {
    control.name = key;
    if (values[key]) control.value = values[key];
  }
  const take = event => {
    event.preventDefault();
    for (const { name: key, control } of fields) values[key] = control.value.trim();
    changed();
  };
  const form = el('form.filters', { role: 'search', on: {
    submit: take,
    change: event => { if (event.target.localName === 'select') take(event); },
  } },
    fields.map(({ words, control }) => field(words, control)),
    el('div', null, el('button', { type: 'submit' }, 'Show')));
  const open = matchMedia('(min-width: 720px)').matches || Object.values(values).some(Boolean);
  return { form: el('details.narrow', { open }, el('summary', null, 'Narrow down'), form), values };
}
