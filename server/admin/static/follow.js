// Looking again at one thing as long as it can change.

import { get } from './api.js';
import { present } from './presence.js';

const pace = 2000; // milliseconds between two looks

// follow asks for path again and again while going(thing) holds, the place is
// shown and somebody is there, and tells what has changed. first is what is shown already.
export function follow(place, path, first, going, tell) {
  if (!going(first)) return;
  let before = JSON.stringify(first);
  const timer = setInterval(async () => {
    if (!present()) return;
    try {
      const next = await get(path);
      if (place.signal.aborted) return;
      const now = JSON.stringify(next);
      if (now !== before) tell(next);
      before = now;
      if (!going(next)) clearInterval(timer);
    } catch { /* the next look may bring it */ }
  }, pace);
  place.signal.addEventListener('abort', () => clearInterval(timer));
}
