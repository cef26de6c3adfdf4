// pinferryCaptcha(base, key) solves a captcha of the box at base ("" is the page's
// own) for the app of that pk_ key or id. It promises what to send as "captcha",
// "" where the app asks for none. The SHA-256 is here because browsers hide theirs
// on plain HTTP. The file is its own worker; where a page may not start one, it
// works in slices.
(function (root) {
  'use strict';
  var K = new Int32Array(64), H = new Int32Array(8);
  for (var n = 2, i = 0; i < 64; n++) {
    for (var d = 2; d * d <= n && n % d; d++);
    if (d * d <= n) continue;
    if (i < 8) H[i] = fraction(Math.sqrt(n));
    K[i++] = fraction(Math.cbrt(n));
  }

  function fraction(x) { return (x - Math.floor(x)) * 4294967296 | 0; }

  // attempt returns a function that tells whether a number solves the challenge.
  // Salt and number fit into one block of the hash, which is 55 bytes of text.
  function attempt(salt, challenge) {
    var want = new Int32Array(8), w = new Int32Array(64), s = new Int32Array(8);
    for (var i = 0; i < 8; i++) want[i] = parseInt(challenge.substr(8 * i, 8), 16);
    return function (number) {
      var text = salt + number, size = text.length;
      w.fill(0, 0, 16);
      for (var i = 0; i < size; i++) w[i >> 2] |= text.charCodeAt(i) << 24 - i % 4 * 8;
      w[size >> 2] |= 128 << 24 - size % 4 * 8;
      w[15] = size * 8;
      s.set(H);
      compress(s, w);
      for (i = 0; i < 8; i++) if (s[i] !== want[i]) return false;
      return true;
    };
  }

  function compress(s, w) {
    var a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    for (var i = 0; i < 64; i++) {
      if (i > 15) {
        var x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7]
          + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
          + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
      }
      var t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7))
        + (e & f ^ ~e & g) + K[i] + w[i] | 0;
      var u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
    }
    s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
  }

  if (!root.document) {
    root.onmessage = function (m) {
      var solves = attempt(m.data.salt, m.data.challenge), n = 0;
      while (n <= m.data.maxnumber && !solves(n)) n++;
      root.postMessage(n);
    };
    return;
  }

  var src = document.currentScript.src;

  function inWorker(c) {
    return new Promise(function (resolve, reject) {
      var worker = new Worker(src);
      worker.onmessage = function (m) { worker.terminate(); resolve(m.data); };
      worker.onerror = reject;
      worker.postMessage({ salt: c.salt, challenge: c.challenge, maxnumber: c.maxnumber });
    });
  }

  function inSlices(c) {
    return new Promise(function (resolve) {
      var solves = attempt(c.salt, c.challenge), n = 0;
      (function slice() {
        for (var end = Date.now() + 12; Date.now() < end;)
          for (var i = 0; i < 200; i++, n++) if (n > c.maxnumber || solves(n)) return resolve(n);
        setTimeout(slice);
      })();
    });
  }

  root.pinferryCaptcha = async function (base, key) {
    var owned = key.startsWith('pk_');
    var answer = await fetch(base + '/v1/captcha' + (owned ? '' : '?app=' + encodeURIComponent(key)),
      owned ? { headers: { Authorization: 'Bearer ' + key } } : {});
    var c = await answer.json();
    if (!answer.ok) throw new Error(c.detail);
    if (c.policy === 'off') return '';
    if (c.kind !== 'altcha') throw new Error('The captchas of this app are those of ' + c.kind + '.');
    var number = await inWorker(c).catch(function () { return inSlices(c); });
    if (number > c.maxnumber) throw new Error('The captcha has no solution.');
    return btoa(JSON.stringify({
      algorithm: c.algorithm, challenge: c.challenge, number, salt: c.salt, signature: c.signature
    }));
  };
})(self);
