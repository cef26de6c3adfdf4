// The drawings of the page, as paths on a field of 24 by 24. They stand beside
// words and say nothing that the words do not.

import { svg } from './dom.js';

const paths = {
  home: ['M4 11.5 12 5l8 6.5', 'M6 10v9h12v-9', 'M10 19v-5h4v5'],
  verifications: ['M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6z', 'm9 12 2.2 2.2L15.5 10'],
  messages: ['M4 5.5h16v11H10l-4.5 3.5v-3.5H4z', 'M8 9.5h8', 'M8 12.5h5'],
  inbound: ['M12 4v10', 'm8 10.5 4 4 4-4', 'M4 15v4.5h16V15'],
  users: ['M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z', 'M2.5 19.5c.6-3.2 3.2-5 6.5-5s5.9 1.8 6.5 5', 'M15.5 4.9a3.5 3.5 0 0 1 0 6.3', 'M18 15c1.9.8 3.1 2.3 3.5 4.5'],
  protection: ['M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6z', 'M12 8.5v4.5', 'M12 15.8v.2'],
  routes: ['M12 20v-8', 'M8.5 15.5a5 5 0 1 1 7 0', 'M5.7 18.3a9 9 0 1 1 12.6 0', 'M12 12v.01'],
  doctor: ['M3.5 12.5h4l2.5-6 4 11 2.5-5h4'],
  texts: ['M5 6.5V5h14v1.5', 'M12 5v14', 'M9.5 19h5'],
  apps: ['M4.5 4.5h6v6h-6z', 'M13.5 4.5h6v6h-6z', 'M4.5 13.5h6v6h-6z', 'M13.5 16.5h6', 'M16.5 13.5v6'],
  webhooks: ['M9.5 9.5 7 14', 'M6 14.5a3 3 0 1 0 3 3h7', 'M9.5 9.5a3 3 0 1 1 4.8-1.2L17 13', 'M16.5 13.1a3 3 0 1 1-.5 5.9'],
  audit: ['M6 3.5h9l4 4v13H6z', 'M14.5 3.5v4.5H19', 'M9 12h7', 'M9 15.5h7'],
  backup: ['M12 4v9', 'm8.5 9.8 3.5 3.7 3.5-3.7', 'M4.5 14.5v5h15v-5', 'M16.5 17v.01'],
  account: ['M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z', 'M4.5 20c.8-3.7 3.7-5.5 7.5-5.5s6.7 1.8 7.5 5.5'],
  docs: ['M4.5 5c3-1 5.5-.5 7.5 1v13.5c-2-1.5-4.5-2-7.5-1z', 'M19.5 5c-3-1-5.5-.5-7.5 1v13.5c2-1.5 4.5-2 7.5-1z'],
  menu: ['M4 7h16', 'M4 12h16', 'M4 17h16'],
  close: ['m6 6 12 12', 'm18 6-12 12'],
  green: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'm8 12.3 2.8 2.7L16 9.5'],
  amber: ['M12 4 2.8 20h18.4z', 'M12 10v4.5', 'M12 17v.2'],
  red: ['M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z', 'm9 9 6 6', 'm15 9-6 6'],
  idle: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M8 12h8'],
  step: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M12 11.9v.2'],
  wait: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M12 7.5V12l3 2'],
  send: ['M4 12 20 4.5 15.5 20l-4-6.5z', 'm11.5 13.5 4-4'],
  copy: ['M9 9h10.5v10.5H9z', 'M6 15H4.5V4.5H15V6'],
  refresh: ['M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9', 'M19.5 4.5V9H15'],
  back: ['m14 6-6 6 6 6'],
  next: ['m10 6 6 6-6 6'],
  theme: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M12 3v18', 'M12 7h4.5', 'M12 12h8.5', 'M12 17h4.5'],
  leave: ['M14 4.5H5v15h9', 'M10.5 12H21', 'm17 8 4 4-4 4'],
  external: ['M13.5 4.5h6v6', 'M19.5 4.5 11 13', 'M10 6.5H5v13h13v-5'],
};

// icon returns a drawing by its name, hidden from screen readers.
export function icon(name) {
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
    paths[name].map(d => svg('path', { d })));
}

// bars draws a signal of 0 to 5 bars. The figure stands beside it.
export function bars(lit) {
  return svg('svg', { class: 'bars', viewBox: '0 0 25 16', 'aria-hidden': 'true', focusable: 'false' },
    [0, 1, 2, 3, 4].map(i => svg('rect', {
      x: i * 5, y: 12 - i * 3, width: 3.5, height: 4 + i * 3, rx: 1, class: i < lit ? 'lit' : 'dim',
    })));
}

// mark draws the sign of the house: a ferry under a signal.
export function mark() {
  return svg('svg', { class: 'mark', viewBox: '0 0 32 32', 'aria-hidden': 'true', focusable: 'false' },
    svg('rect', { class: 'sea', width: 32, height: 32, rx: 8 }),
    svg('path', { class: 'hull', d: 'M6 18.5h20l-3 6H9z' }),
    svg('path', { class: 'wave', d: 'M11 14.5a7 7 0 0 1 10 0M13.6 10.9a10 10 0 0 1 4.8 0M16 16.8v-1.5' }));
}
