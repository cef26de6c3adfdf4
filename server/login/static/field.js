// What the sign-in page and the widget do alike with their fields.

// codeField makes an input take a code of so many digits: what is pasted or
// filled in loses all else, and send is called once when the code is whole - but
// never by itself after an error, when somebody is mending digits.
export function codeField(input, length, send, afterError) {
  let armed = !afterError
  const digits = text => text.normalize('NFKC').replace(/[^0-9]/g, '').slice(0, length)
  const take = text => {
    input.value = digits(text)
    if (armed && input.value.length === length) {
      armed = false
      send()
    }
  }
  // A maximum length would cut a pasted "123 456" before its space is gone.
  for (const [event, data] of [['paste', 'clipboardData'], ['drop', 'dataTransfer']]) {
    input.addEventListener(event, e => {
      e.preventDefault()
      take(e[data].getData('text'))
    })
  }
  input.addEventListener('input', e => {
    if (!e.isComposing) take(input.value)
  })
  input.pattern = '[0-9]{' + length + '}'
  input.maxLength = length
  return take
}

// webOTP asks the browser for the code in the SMS, where it can, and gives it to
// take. What it returns ends the asking.
export function webOTP(take) {
  const asking = new AbortController()
  if ('OTPCredential' in window && navigator.credentials) {
    navigator.credentials.get({ otp: { transport: ['sms'] }, signal: asking.signal })
      .then(found => found && take(found.code))
      .catch(() => {}) // nobody has to let us read
  }
  return () => asking.abort()
}

// countdown keeps a button from use for so many seconds, counts them on it, and
// says them into aloud every ten.
export function countdown(button, seconds, words, second, aloud) {
  const label = button.textContent
  const end = performance.now() + seconds * 1000
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000)
    if (left <= 0) {
      button.disabled = false
      button.textContent = label
      aloud.textContent = ''
      return
    }
    button.disabled = true
    button.textContent = words.replace('{wait}', second.replace('{n}', left))
    if (left % 10 === 0) aloud.textContent = button.textContent
    setTimeout(tick, 500)
  }
  if (seconds > 0) tick()
}

// poll calls ask again and again, sooner at first, until it answers false or the
// page is left. While nobody looks at the page it asks nothing.
export function poll(ask) {
  let turn = 0
  const next = async () => {
    turn++
    if (document.hidden) {
      document.addEventListener('visibilitychange', next, { once: true })
      return
    }
    let more = true
    try {
      more = await ask()
    } catch {
      // The box or the network may come back.
    }
    if (more) setTimeout(next, turn < 10 ? 2000 : 5000)
  }
  setTimeout(next, 1000)
}

// nameCountries writes the names of countries in place of their codes, in the
// order of the language, and shows the example of the one that is chosen.
export function nameCountries(select, locale, example, words) {
  let names
  try {
    names = new Intl.DisplayNames([locale], { type: 'region' })
  } catch {
    names = { of: code => code }
  }
  const chosen = select.value
  const options = [...select.options].filter(o => o.value)
  for (const o of options) o.textContent = names.of(o.value) + ' ' + o.textContent.replace(/^.*\+/, '+')
  options.sort((a, b) => a.textContent.localeCompare(b.textContent, locale))
  select.append(...options)
  select.value = chosen
  const show = () => {
    const number = select.selectedOptions[0]?.dataset.example
    example.textContent = number ? words.replace('{example}', number) : ''
  }
  select.addEventListener('change', show)
  show()
}
