// Puts the chosen theme on the page before it is painted. It is a script of its
// own and not a module, because modules wait for the whole page.

(function () {
  try {
    const theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch { /* a browser that keeps nothing gets the system's theme */ }
})();
