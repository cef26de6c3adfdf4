// The calls of the page to the box.

const base = new URL('.', location.href).pathname; // /admin/

// Refusal is what a call ends with when the box does not do it: title and
// detail are sentences for people, code is of the box's closed list, field
// the id of the control at fault, retryAfter is in seconds.
export class Refusal extends Error {
  constructor({ status = 0, code = '', title, detail, field, retry_after: retryAfter }) {
    super(code || title);
    Object.assign(this, { status, code, title, detail, field, retryAfter });
  }
}

// Who is asked when the session has ended: a function that resolves when there
// is a new one. The gate sets it.
let renew = null;
export const onEnd = ask => { renew = ask; };

// address returns the path of a call with its query; empty values are left out.
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return base + path + (given.length ? `?${new URLSearchParams(given)}` : '');
}

export const get = (path, query) => json('GET', address(path, query));
export const post = (path, body) => json('POST', address(path), body);

// session asks where this browser stands. It is always answered, and never asks
// for a sign-in itself.
export const session = async () => read(await send('GET', address('session')));

// enter is a call of the sign-in: its 401 is a wrong password, not an end.
export async function enter(path, body) {
  const response = await send('POST', address(path), body);
  if (!response.ok) throw await refusal(response);
  return { status: response.status, ...await read(response) };
}

// file fetches a download, and returns it with the name it should have.
export async function file(path, body) {
  const response = await permitted('POST', address(path), body);
  const name = /filename="?([\w.-]+)"?/.exec(response.headers.get('Content-Disposition') ?? '');
  return { name: name?.[1], blob: await response.blob() };
}

async function json(method, path, body) {
  return read(await permitted(method, path, body));
}

// permitted sends a call, and once more after a new sign-in if the session had
// ended meanwhile.
async function permitted(method, path, body) {
  for (;;) {
    const response = await send(method, path, body);
    if (response.ok) return response;
    // A wrong password in a call is a 401 as well, and the session goes on.
    if (response.status !== 401 || (await session()).state === 'signed_in') throw await refusal(response);
    await renew();
  }
}

async function send(method, path, body) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['Pinferry-Admin'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    });
  } catch {
    throw new Refusal({
      code: 'unreachable', title: 'The box does not answer',
      detail: 'See whether it is switched on and whether this device is in its network.',
    });
  }
}

async function read(response) {
  const text = await response.text();
  return text ? JSON.parse(text) : {};
}

async function refusal(response) {
  try {
    return new Refusal(await response.json());
  } catch {
    return new Refusal({ status: response.status, title: 'The box could not do that', detail: `It answered with status ${response.status}. Its log tells why.` });
  }
}
