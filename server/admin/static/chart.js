// The chart of the last hours: how many were sent, delivered, approved and
// refused. Each line has a stroke of its own beside its colour, and a table says
// the same.

import { el, put, svg } from './dom.js';
import { count, hour } from './format.js';

// series are in the order of the answer. dash is in pixels.
const series = [
  { name: 'sent', title: 'Sent', dash: [] },
  { name: 'delivered', title: 'Delivered', dash: [7, 4] },
  { name: 'approved', title: 'Approved', dash: [2, 3] },
  { name: 'refused', title: 'Refused', dash: [10, 3, 2, 3] },
];

const height = 230;
const hours = 3600; // seconds

// chart returns {node, show(data, counts)}; data may be null as long as there is
// none. Its tiles are the legend: each puts
// its line on and off.
export function chart(signal) {
  const frame = el('div.chart', { 'aria-hidden': 'true' });
  const readout = el('p.readout.muted', { 'aria-hidden': 'true' }, '\u00a0');
  const table = el('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'The chart as a table' });
  const none = el('p.muted.none', { hidden: true }, 'Nothing was sent in the last 24 hours. The lines begin with the first message.');
  const tiles = series.map((one, i) => tile(one, on => plot?.setSeries(i + 1, { show: on })));
  let plot = null;
  let data = null;

  function draw() {
    const shown = tiles.map(one => one.node.getAttribute('aria-pressed') === 'true');
    plot?.destroy();
    put(frame);
    plot = new uPlot(options(frame.clientWidth, readout, shown), aligned(data), frame);
  }

  function show(next, counts) {
    series.forEach(({ name }, i) => tiles[i].tell(counts[name]));
    if (!next) return;
    data = next;
    const quiet = series.every(({ name }) => !data[name].some(n => n > 0));
    none.hidden = !quiet;
    frame.hidden = readout.hidden = quiet;
    put(table, tabular(data));
    if (quiet) return;
    if (plot) plot.setData(aligned(data));
    else draw();
  }

  const again = () => { if (plot) draw(); }; // its colours are read when it is drawn
  const watch = new ResizeObserver(() => {
    if (plot && frame.clientWidth > 0 && frame.clientWidth !== plot.width) plot.setSize({ width: frame.clientWidth, height });
  });
  watch.observe(frame);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again, { signal });
  addEventListener('theme', again, { signal });
  signal.addEventListener('abort', () => {
    watch.disconnect();
    plot?.destroy();
  });

  const node = el('section.card.stack', { 'aria-labelledby': 'chart-title' },
    el('h2#chart-title', null, 'The last 24 hours'),
    el('div.tiles', { role: 'group', 'aria-label': 'Lines of the chart' }, tiles.map(one => one.node)),
    el('div', null, frame, readout, none),
    el('details', null, el('summary', null, 'As a table'), table));
  return { node, show };
}

function tile({ name, title, dash }, turn) {
  const figure = el('strong.figures', null, '0');
  const node = el(`button.tile.${name}`, { type: 'button', 'aria-pressed': 'true', on: { click: () => {
    const on = node.getAttribute('aria-pressed') !== 'true';
    node.setAttribute('aria-pressed', String(on));
    turn(on);
  } } },
  el('span.row', null, svg('svg', { class: 'stroke', viewBox: '0 0 28 4', preserveAspectRatio: 'xMinYMid slice', 'aria-hidden': 'true' },
    svg('path', { d: 'M1 2h26', 'stroke-dasharray': dash.join(' ') })), title), figure);
  return { node, tell: n => { figure.textContent = count(n); } };
}

const aligned = data => [
  data.sent.map((_, i) => Date.parse(data.from) / 1000 + i * data.step_seconds),
  ...series.map(({ name }) => data[name]),
];

function options(width, readout, shown) {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(el('i', { hidden: true }));
  const colour = name => { // light-dark() is resolved on an element only
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const soft = colour('--soft');
  const grid = { stroke: colour('--line'), width: 1 };
  const font = `12px ${style.getPropertyValue('--sans')}`;
  const axis = { stroke: soft, font, ticks: { show: false } };
  const all = {
    width, height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 8 } },
    scales: { y: { range: (_, least, most) => [0, Math.max(4, Math.ceil(most * 1.1))] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map(at => hour(at * 1000)), space: 62, size: 28 },
      { ...axis, grid, size: 38, values: (_, ticks) => ticks.map(n => (Number.isInteger(n) ? count(n) : '')) },
    ],
    series: [{}, ...series.map(({ name, dash }, i) => ({
      stroke: colour(`--line-${name}`), width: 2, dash, points: { show: false }, show: shown[i],
      fill: i === 0 ? colour('--line-sent').replace('rgb(', 'rgba(').replace(')', ', 0.10)') : undefined,
    }))],
    hooks: { setCursor: [u => { readout.textContent = at(u); }] },
  };
  probe.remove();
  return all;
}

// at tells what the lines say under the pointer.
function at(u) {
  const i = u.cursor.idx;
  if (i === null || i === undefined) return '\u00a0';
  return `${hour(u.data[0][i] * 1000)}: ${series.map(({ title }, k) => `${title.toLowerCase()} ${count(u.data[k + 1][i])}`).join(', ')}`;
}

// tabular adds the slots up to hours, the newest first.
function tabular(data) {
  const each = Math.max(1, Math.round(hours / data.step_seconds));
  const rows = [];
  for (let i = 0; i < data.sent.length; i += each) {
    const sums = series.map(({ name }) => data[name].slice(i, i + each).reduce((sum, n) => sum + n, 0));
    rows.unshift(el('tr', null, el('th', { scope: 'row' }, hour(Date.parse(data.from) + i * data.step_seconds * 1000)), sums.map(n => el('td.end', null, count(n)))));
  }
  return el('table.plain', null, el('caption.quiet', null, 'Figures by the hour, the newest first'),
    el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'From'), series.map(({ title }) => el('th.end', { scope: 'col' }, title)))),
    el('tbody', null, rows));
}
