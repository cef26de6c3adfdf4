package text

import "strings"

// Mail returns the subject and the body of a mail with a code: the subject in a
// locale of [Locales], in the body the code on a line of its own, and below it
// the rendered template. The lines by which programs on a handset recognise
// their code are not there, for no program reads them from a mail; v.Domain is
// the app's web domain, for templates that name it in a sentence.
func Mail(locale string, t Template, v Values) (subject, body string) {
	_, heading := words(locale)
	sentence := t.body()
	if endsInHash(sentence) {
		sentence = strings.TrimRight(strings.TrimSuffix(sentence, "{hash}"), " \n")
	}
	return render(heading, v), render("{code}\n\n"+sentence+"\n", v)
}
