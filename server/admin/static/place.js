// The places of the page: what the address shows after #/, and how one gets from
// one to the next.

import { el, put } from './dom.js';
import { failure, head, loading } from './part.js';
import { live } from './live.js';

// places are in the order of the navigation, in groups. name is the address,
// the module view/NAME.js draws it; one with an address of its own is another
// page.
export const groups = [
  { places: [{ name: 'home', title: 'Home' }] },
  { title: 'Traffic', places: [
    { name: 'verifications', title: 'Verifications' },
    { name: 'messages', title: 'Messages' },
    { name: 'inbound', title: 'Inbound' },
  ] },
  { title: 'People', places: [
    { name: 'users', title: 'Users' },
    { name: 'protection', title: 'Protection' },
  ] },
  { title: 'Sending', places: [
    { name: 'routes', title: 'Routes' },
    { name: 'doctor', title: 'Doctor' },
  ] },
  { title: 'Connecting', places: [
    { name: 'apps', title: 'Apps' },
    { name: 'texts', title: 'Texts' },
    { name: 'webhooks', title: 'Webhooks' },
    { address: '/docs', name: 'docs', title: 'API docs' },
  ] },
  { title: 'The box', places: [
    { name: 'audit', title: 'Audit' },
    { name: 'backup', title: 'Backup' },
    { name: 'account', title: 'Account' },
  ] },
];

const known = new Map(groups.flatMap(group => group.places).filter(place => !place.address).map(place => [place.name, place]));
const main = document.getElementById('main');
let leaving = null; // aborts what the view that is shown has begun

// here reads the address: #/messages/msg_12?app=shop.
export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  return { name: known.has(name) ? name : 'home', id: id ? decodeURIComponent(id) : '', query: new URLSearchParams(query) };
}

// link returns the address of a place.
export const link = (name, id = '', query = {}) => {
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}${words ? `?${words}` : ''}`;
};

// kinds tells by an id what it names.
const kinds = { vrf: 'verifications', msg: 'messages', usr: 'users', inb: 'inbound' };

// found returns the address of the thing with an id, or null.
export const found = id => {
  const name = kinds[(id ?? '').split('_')[0]];
  return !name ? null : name === 'inbound' ? link(name) : link(name, id);
};

// go shows the place of the address. A view gets: id, query, signal (aborted
// when it is left), and live(type, act) to listen as long as it is shown.
export async function go(first) {
  leaving?.abort();
  for (const box of document.querySelectorAll('dialog[open]:not(#gate)')) box.close();
  const visit = leaving = new AbortController();
  const { name, id, query } = here();
  const { title } = known.get(name);
  document.title = `${title} · pinferry`;
  const root = el('div', { data: { view: name } }, loading());
  put(main, root);
  const place = {
    id, query, signal: visit.signal,
    live: (type, act) => live.addEventListener(type, event => act(event.detail), { signal: visit.signal }),
  };
  try {
    const view = await import(`./view/${name}.js`);
    const drawn = await view.show(place);
    if (visit.signal.aborted) return;
    put(root, drawn);
  } catch (error) {
    if (visit.signal.aborted) return;
    put(root, head(title), failure(error, () => go(first)));
  }
  if (!first) arrive();
}

// arrive puts the reader at the top of what is shown now.
function arrive() {
  scrollTo(0, 0);
  main.querySelector('h1')?.focus({ preventScroll: true });
}
