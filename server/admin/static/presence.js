// Whether somebody is at the page. Calls that it makes by itself would keep a
// forgotten session alive, so they rest when nobody is.

const patience = 120000; // milliseconds after the last touch

let touched = Date.now();

for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
  addEventListener(type, () => { touched = Date.now(); }, { passive: true, capture: true });
}

// present tells whether the page was touched of late and can be seen.
export const present = () => !document.hidden && Date.now() - touched < patience;
