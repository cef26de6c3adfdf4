// What an attacker would have the operator's page run. Whatever it makes has the
// id or the name "pwned" - or "p", where there is room for no more.

/** Texts of SMS that anybody can send to the box. */
export const texts = [
  `<script id=pwned>alert(1)</script>`,
  `"><img id=pwned src=x onerror=alert(2)>`,
  `'><svg id=pwned onload=alert(3)></svg>`,
  `</textarea></title></style></script><b id=pwned>4</b>`,
  `<iframe id=pwned srcdoc="<script>parent.alert(5)</script>"></iframe>`,
  `<a id=pwned href="javascript:alert(6)">tap here</a>`,
  `javascript:alert(7)//https://pwned.example/`,
  `<math><mtext></table><mglyph><style><img id=pwned src onerror=alert(8)></style>`,
  `<base id=pwned href=https://pwned.example/><meta http-equiv=refresh content=0;url=https://pwned.example/>`,
  `<form id=pwned action=https://pwned.example/><input autofocus onfocus=alert(10)>`,
  '{{constructor.constructor("alert(11)")()}} ${alert(11)} <pwned>11</pwned>',
  `\u202e<style id=pwned>@import'https://pwned.example/12.css';*{display:none}</style>\u202c`,
];

/** Other words that come from elsewhere. */
export const payloads = {
  sender: '<i/id=p>x',
  operator: `<img id=pwned src=x>`,
  credit: `<img id=pwned src=x onerror=alert(13)> 9.50`,
  name: `<b id=pwned>Shop</b>`,
  metadata: `</script><img id=pwned src=x onerror=alert(14)>`,
  state: `"><script id=pwned>alert(15)</script>`,
};

/** Runs in a page: returns what a payload has made there. */
export const made = () => [...document.querySelectorAll('#pwned, #p, pwned, [name=pwned], base, iframe, [href^="javascript:"], [src*="pwned"], [onerror], [onload], [onfocus]')]
  .map((e) => e.outerHTML);
