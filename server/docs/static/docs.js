// A button that copies beside each piece of code, and contents that are folded on
// a narrow screen. Everything can be read without this.
'use strict'

// copy works on plain HTTP too, where browsers have no clipboard for pages, and
// where they do not let the page have it.
async function copy(text, from) {
  try {
    return await navigator.clipboard.writeText(text)
  } catch {
    // the old way, below
  }
  const range = document.createRange()
  range.selectNodeContents(from)
  const selection = getSelection()
  selection.removeAllRanges()
  selection.addRange(range)
  if (!document.execCommand('copy')) throw new Error('the browser does not copy')
  selection.removeAllRanges()
}

for (const pre of document.querySelectorAll('pre')) {
  const box = document.createElement('div')
  box.className = 'copy'
  pre.replaceWith(box)
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    try {
      await copy(pre.textContent.trimEnd(), pre)
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'Select and copy by hand'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
  pre.tabIndex = 0 // so that a keyboard can scroll it
  box.append(pre, button)
}

for (const wide of document.querySelectorAll('.wide')) wide.tabIndex = 0

const menu = document.querySelector('.menu')
const narrow = matchMedia('(max-width: 60em)')
const fold = () => { menu.open = !narrow.matches }
narrow.addEventListener('change', fold)
fold()
menu.addEventListener('click', (e) => { if (narrow.matches && e.target.closest('a')) menu.open = false })
