// What makes the sign-in page nicer where scripts run. Without it every form
// works all the same.
import { codeField, countdown, nameCountries, poll, webOTP } from './field.js'

const at = id => document.getElementById(id)
const failed = at('error') !== null

// A form is sent once, however often its button is pressed, and with the solution
// of a captcha where the app asks for one. Without one the box says what is wrong.
for (const form of document.forms) {
  let solved = !form.dataset.captcha
  form.addEventListener('submit', async e => {
    if (solved && form.ariaBusy !== 'true') {
      form.ariaBusy = 'true'
      return
    }
    e.preventDefault()
    if (form.ariaBusy === 'true') return
    form.ariaBusy = 'true'
    try {
      form.elements.captcha.value = await pinferryCaptcha('', form.dataset.captcha)
    } catch {}
    solved = true
    form.ariaBusy = 'false'
    form.requestSubmit(e.submitter)
  })
}
addEventListener('pageshow', () => {
  for (const form of document.forms) form.ariaBusy = 'false'
})

const region = at('region')
if (region) nameCountries(region, document.documentElement.lang, at('example'), at('example').dataset.words)

const code = at('code')
if (code) {
  const take = codeField(code, Number(code.dataset.length), () => code.form.requestSubmit(), failed)
  addEventListener('pagehide', webOTP(take))
}

// The page puts the cursor into the field; after an error what stands there is
// best typed over.
if (failed) (code ?? at('phone'))?.addEventListener('focus', e => e.target.select(), { once: true })

const resend = at('resend')
if (resend) {
  const { wait, words, second } = resend.dataset
  countdown(resend, Number(wait), words, second, at('countdown'))
}

const delivery = at('delivery')
if (delivery) {
  poll(async () => {
    const answer = await fetch('/login/state', { headers: { Accept: 'application/json' } })
    if (!answer.ok) return true
    const now = await answer.json()
    if (!now.pending) {
      location.reload()
      return false
    }
    if (delivery.textContent !== now.delivery) delivery.textContent = now.delivery
    if (now.texted && at('texted') && !('held' in delivery.dataset)) {
      at('texted').click()
      return false
    }
    return true // the code may expire while the page is open
  })
}
