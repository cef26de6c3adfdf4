// The sign-in as a part of an app's own page:
//
//   import { pinferryLogin } from 'https://codes.example.com/login/widget.js'
//   pinferryLogin({ app: 'shop', key: 'pk_...', element: document.querySelector('#login'), onApproved: session => ... })
//
// It stands in a shadow root and not in a frame: a phone offers the code of an
// SMS to the page that the SMS names, which in a frame would be the box's. It
// talks to the native API with the app's publishable key, from one of the app's
// origins. What it looks like is set by the variables at the top of login.css.
import { codeField, countdown, nameCountries, poll, webOTP } from './field.js'

const home = new URL('..', import.meta.url)

// shown has how to take away what stands in an element.
const shown = new WeakMap()

// el makes an element; what is given as text is text.
function el(name, attributes = {}, ...children) {
  const e = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) e.setAttribute(key, '')
    else if (value !== false && value !== '') e.setAttribute(key, value)
  }
  e.append(...children)
  return e
}

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all)

// pinferryLogin shows the sign-in within an element. onApproved is called with
// the session (access_token, refresh_token, expires_in, user) and the
// verification. Beside app, key and element all is optional: purpose
// ("sign_up_or_in", "sign_in" or "sign_up"), locale, and captcha: where the app's
// captchas are those of a service, a function that promises the solution of one.
// What is returned takes the sign-in away again.
export async function pinferryLogin({ app, key, element, onApproved, purpose = 'sign_up_or_in', locale, captcha }) {
  const wanted = locale || document.documentElement.lang || navigator.language
  const get = async path => {
    const answer = await fetch(new URL(path, home))
    if (!answer.ok) throw new Error(`pinferryLogin: ${path}: ${(await answer.json().catch(() => ({}))).detail ?? answer.status}`)
    return answer
  }
  const [about, css] = await Promise.all([
    get('login/config?' + new URLSearchParams({ app, locale: wanted })).then(answer => answer.json()),
    get('login/login.css').then(answer => answer.text()),
  ])
  const w = about.words
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' })
  root.adoptedStyleSheets = [sheet]
  let turn = 0 // of the step that is shown; what belongs to another one is over
  let stop = () => {}
  shown.get(element)?.()

  // call asks the box. It throws what the page should say.
  async function call(method, path, body) {
    let answer
    try {
      answer = await fetch(new URL('v1/' + path, home), {
        method,
        headers: { Authorization: 'Bearer ' + key, ...body && { 'Content-Type': 'application/json' } },
        body: body && JSON.stringify(body),
      })
    } catch {
      throw w.errors.busy
    }
    if (answer.status === 204) return null
    const said = await answer.json().catch(() => ({}))
    if (answer.ok) return said
    const word = { code_rejected: 'wrong', conflict: 'dead', ...about.email && { invalid_request: 'invalid_email' } }[said.code] ?? (answer.status === 429 ? 'limit' : said.code)
    let sentence = w.errors[word] ?? w.errors.busy
    if (said.retry_after) {
      const n = said.retry_after
      const wait = n <= 90 ? fill(w.second, { n }) : fill(w.minute, { n: Math.ceil(n / 60) })
      sentence += ' ' + fill(w.wait, { wait })
    }
    throw sentence
  }

  const alert = words => words ? el('p', { id: 'error', class: 'error', role: 'alert' }, words) : ''
  const label = (id, words) => el('label', { for: id }, words)
  const button = (words, act, attributes = {}) => {
    const b = el('button', { type: 'button', ...attributes }, words)
    if (act) b.addEventListener('click', act)
    return b
  }

  // step shows a step in place of the last one, and returns its number.
  function step(title, ...parts) {
    stop()
    stop = () => {}
    const test = about.test ? [el('p', { class: 'banner' }, w.test_mode)] : []
    root.replaceChildren(el('div', { class: 'card', lang: about.locale, role: 'group', 'aria-label': title }, ...test, el('h1', {}, title), ...parts))
    return ++turn
  }

  // once lets a form or button act one time until that has ended.
  const once = (act, failed) => {
    let busy = false
    return async e => {
      e?.preventDefault()
      if (busy) return
      busy = true
      const mine = turn
      try {
        await act(e)
      } catch (words) {
        if (typeof words !== 'string') throw words
        if (mine === turn) failed(words)
      } finally {
        busy = false
      }
    }
  }

  const field = (id, attributes, failed) => {
    const input = el('input', { id, required: true, 'aria-describedby': id + '-hint', ...attributes })
    if (failed) {
      input.setAttribute('aria-invalid', 'true')
      input.setAttribute('aria-errormessage', 'error')
    }
    return input
  }

  // solve promises the solution of a captcha, undefined where none is asked for.
  const solve = async () => {
    if (captcha) return captcha()
    if (!about.captcha) return
    if (!window.pinferryCaptcha) {
      await new Promise((loaded, failed) => {
        const script = el('script', { src: new URL('captcha.js', home).href })
        script.onload = loaded
        script.onerror = failed
        document.head.append(script)
      })
    }
    return window.pinferryCaptcha(home.origin, key)
  }

  // start begins a verification, in place of one if its id is given: that lives
  // on if the new one is refused.
  const start = async (to, region, channel, old) => {
    if (to.includes('@') && (channel || !about.email)) throw w.errors.invalid_phone
    const solution = await solve().catch(() => { throw w.errors.captcha_required })
    const body = { to, region: region || undefined, channel, purpose, locale: wanted, captcha: solution }
    const begun = await call('POST', 'verifications', body)
    if (old) call('DELETE', 'verifications/' + old).catch(() => {}) // it may have ended
    channel ? askText(begun, to, region) : askCode(begun, to, region)
  }

  function askPhone(typed = '', chosen = about.region, failed = '', focused = true) {
    const phone = field('phone', {
      ...about.email ? { type: 'text', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 254 }
        : { type: 'tel', autocomplete: 'tel', maxlength: 64 },
      value: typed,
    }, failed)
    const example = el('span')
    const region = el('select', { id: 'region', autocomplete: 'country' })
    if (!chosen) region.append(el('option', { value: '' }, '+'))
    for (const c of about.countries) {
      region.append(el('option', { value: c.region, 'data-example': c.example ?? '', selected: c.region === chosen }, '+' + c.calling))
    }
    const many = about.countries.length > 1
    const again = words => askPhone(phone.value, region.value, words)
    const form = el('form', { id: 'phone-form' },
      ...many ? [label('region', w.country), region] : [],
      label('phone', about.email ? w.either : w.phone), phone,
      el('p', { id: 'phone-hint', class: 'hint' }, example, ...many ? [' ' + w.abroad] : []),
      el('button', { class: 'main' }, w.send))
    form.addEventListener('submit', once(() => start(phone.value, region.value), again))
    if (about.text_us) {
      form.append(button(w.text_us, once(() => form.reportValidity() && start(phone.value, region.value, 'inbound'), again), { id: 'text-instead' }))
    }
    step(fill(w.sign_in, { app: about.name }), el('p', {}, about.email ? w.lead_either : w.lead), alert(failed), form)
    nameCountries(region, about.locale, example, w.example)
    if (focused) phone.focus() // not when the app's page has just been opened
  }

  const end = (to, region, failed) => {
    step(w.enter_code, alert(failed),
      button(w.new_code, once(() => start(to, region), words => end(to, region, words)), { id: 'again', class: 'main' }),
      el('div', { class: 'more' }, button(about.email ? w.change_either : w.change, () => askPhone(to, region), { id: 'change' })))
  }

  const approved = v => {
    step(w.enter_code)
    root.replaceChildren()
    onApproved?.(v.session, v)
  }

  // follow watches a verification until its step is over.
  const follow = (id, mine, to, region, seen) => poll(async () => {
    if (mine !== turn) return false
    const v = await call('GET', 'verifications/' + id)
    if (mine !== turn) return false
    if (v.status !== 'pending') {
      end(to, region, w.errors.dead)
      return false
    }
    return seen(v) !== false
  })

  const delivery = ({ channel, message }) => {
    const mailed = channel === 'email'
    const state = message?.state
    if (state === 'accepted' || state === 'sending') return mailed ? w.mail_on_its_way : w.on_its_way
    const said = mailed ? { sent: w.mail_sent, delivered: w.mail_sent } : { sent: w.handed_over, delivered: w.delivered }
    return { ...said, superseded: '' }[state] ?? (mailed ? w.mail_not_sent : w.not_arrived)
  }

  const change = (id, to, region) => button(about.email ? w.change_either : w.change, once(async () => {
    await call('DELETE', 'verifications/' + id)
    askPhone(to, region)
  }, () => askPhone(to, region)), { id: 'change' })

  function askCode(v, to, region, failed = '') {
    const length = about.code_length
    const path = 'verifications/' + v.id
    const code = field('code', { type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code' }, failed)
    const again = words => words === w.errors.dead ? end(to, region, words) : askCode(v, to, region, words)
    const send = once(async () => approved(await call('POST', path + '/check', { code: code.value })), again)
    const form = el('form', { id: 'code-form' },
      label('code', w.code), code,
      el('p', { id: 'code-hint', class: 'hint' }, fill(v.channel === 'email' ? w.mail_hint : w.code_hint, { n: length })),
      el('button', { class: 'main' }, w.confirm))
    form.addEventListener('submit', send)
    const status = el('p', { id: 'delivery', class: 'status', role: 'status' }, delivery(v))
    const aloud = el('p', { class: 'unseen', role: 'status' })
    const resend = button(w.resend, once(async () => askCode(await call('POST', path + '/resend'), to, region), again), { id: 'resend' })
    const more = el('div', { class: 'more' }, resend)
    if (about.text_us && v.channel !== 'email') more.append(button(w.text_us, once(() => start(to, region, 'inbound', v.id), again), { id: 'text-instead' }))
    more.append(change(v.id, to, region))
    const mine = step(w.enter_code, el('p', {}, fill(w.sent_to, { to: v.to })), alert(failed), form, status, more, aloud)
    const take = codeField(code, length, () => form.requestSubmit(), failed)
    stop = webOTP(take)
    countdown(resend, v.resend_after, w.resend_in, w.second, aloud)
    code.focus()
    follow(v.id, mine, to, region, now => {
      const said = delivery(now)
      if (status.textContent !== said) status.textContent = said
    })
  }

  function askText(v, to, region, failed = '') {
    const status = el('p', { id: 'delivery', class: 'status', role: 'status' }, w.waiting)
    const send = async () => approved(await call('POST', 'verifications/' + v.id + '/check', { code: v.text_this }))
    const again = words => askText(v, to, region, words)
    const open = v.text_to ? [el('p', {}, el('a', { class: 'button', href: `sms:${v.text_to}?body=${v.text_this}` }, w.open_app))] : []
    const mine = step(w.text_title, el('p', {}, fill(w.text_from, { to: v.to })), alert(failed),
      el('dl', {}, el('dt', {}, w.text_to), el('dd', {}, v.text_to || w.text_box), el('dt', {}, w.text_this), el('dd', { class: 'code' }, v.text_this)),
      ...open, status, failed ? button(w.confirm, once(send, again), { id: 'texted', class: 'main' }) : '',
      el('div', { class: 'more' }, button(w.code_after, once(() => start(to, region, '', v.id), again)), change(v.id, to, region)))
    let waited = !failed // what was refused just now is not sent again by itself
    follow(v.id, mine, to, region, now => {
      if (!now.text_received || !waited) {
        waited ||= !now.text_received
        return true
      }
      once(send, again)()
      return false
    })
  }

  const leave = () => {
    turn++
    stop()
    root.replaceChildren()
  }
  shown.set(element, leave)
  askPhone('', about.region, '', false)
  return leave
}
