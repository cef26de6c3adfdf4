// What a filter can choose from.

import { get } from './api.js';
import { words } from './format.js';
import { live } from './live.js';
import { choice } from './part.js';

const all = ['', 'All'];

// states returns the field that narrows a list down to one of the states, which
// are the names of an object.
export const states = (name, title, of) => ({ name, words: title, control: choice(null, [all, ...Object.keys(of).map(state => [state, words(state)])]) });

// apps returns the field for one app of the box.
export async function apps() {
  const { apps: list } = await get('apps');
  return { name: 'app', words: 'App', control: choice(null, [all, ...list.map(({ id, name }) => [id, name || id])]) };
}

// routes returns the field for one route.
export async function routes() {
  const { routes: list } = live.overview ?? await get('routes');
  return { name: 'route', words: 'Route', control: choice(null, [all, ...list.map(({ name }) => [name, name])]) };
}
