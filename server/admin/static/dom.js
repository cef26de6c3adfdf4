// The one place where elements are made. Whatever a phone, a provider or an app
// has sent becomes a text node: no markup is ever parsed here.

// What a text may not do to its reader: controls, and marks that turn the
// direction around so that one thing is read as another.
const tricks = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const svgSpace = 'http://www.w3.org/2000/svg';

// el returns an element: 'p', 'p.muted' or 'input#test-to.wide'. Of props, on
// holds listeners, data holds data-… values, functions and objects become
// properties of that name, and everything else attributes; null, undefined and
// false leave one out.
export function el(selector, props, ...children) {
  const [, tag, id, classes] = /^([a-z0-9]+)(?:#([\w-]+))?((?:\.[\w-]+)*)$/.exec(selector);
  const node = document.createElement(tag);
  if (id) node.id = id;
  if (classes) node.className = classes.slice(1).replaceAll('.', ' ');
  for (const [name, value] of Object.entries(props ?? {})) set(node, name, value);
  return fill(node, children);
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'on') {
    for (const [event, listen] of Object.entries(value)) node.addEventListener(event, listen);
  } else if (name === 'data') {
    Object.assign(node.dataset, value);
  } else if (name === 'value') {
    node.value = value;
  } else {
    node.setAttribute(name, value === true ? '' : value);
  }
}

function fill(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child).replace(tricks, '\ufffd'));
  }
  return node;
}

// put replaces what a node holds.
export function put(node, ...children) {
  node.replaceChildren();
  return fill(node, children);
}

// svg returns an element of a drawing.
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  return fill(node, children);
}

let ids = 0;

// fresh returns an id that no other element has.
export const fresh = prefix => `${prefix}-${++ids}`;
