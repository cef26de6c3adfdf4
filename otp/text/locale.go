package text

// fallback is the locale of whoever wants one that there is no text for.
const fallback = "en"

// builtin are the texts that the box brings along. Each keeps to the letters
// that GSM 03.38 has in one septet (no ç, á, í, ó, ú, ã): one other letter
// would more than halve the room for the app's name. "min" spares the plural.
// The code comes first, so that a notification shows it.
//
// subject heads a mail. It holds no code: mail servers write subjects into their
// logs.
var builtin = [...]struct{ locale, source, subject string }{
	{"de", "{code} ist Ihr Code für {app}, gültig {minutes} Min. Geben Sie ihn nicht weiter.", "Ihr Code für {app}"},
	{"en", "{code} is your code for {app}, valid for {minutes} min. Do not share it.", "Your code for {app}"},
	{"es", "{code} es su clave para {app}. Caduca en {minutes} min. No la comparta con nadie.", "Su clave para {app}"},
	{"fr", "{code} est votre code pour {app}, valable {minutes} min. Ne le donnez à personne.", "Votre code pour {app}"},
	{"it", "{code} è il suo codice per {app}, valido {minutes} min. Non lo comunichi a nessuno.", "Il suo codice per {app}"},
	{"pt", "{code} é o seu PIN para {app}. Expira em {minutes} min. Nunca o diga a ninguém.", "O seu PIN para {app}"},
}

// Locales returns the locales of the built-in texts, sorted.
func Locales() []string {
	locales := make([]string, len(builtin))
	for i, b := range builtin {
		locales[i] = b.locale
	}
	return locales
}

// Builtin returns the built-in text of a locale of [Locales], or the English
// one. [Match] finds the locale that fits a wish.
func Builtin(locale string) Template {
	source, _ := words(locale)
	return Template{source}
}

// words returns what there is in a locale of [Locales], or in English.
func words(locale string) (source, subject string) {
	for _, b := range builtin {
		switch b.locale {
		case locale:
			return b.source, b.subject
		case fallback:
			source, subject = b.source, b.subject
		}
	}
	return source, subject
}

// Brief returns a text without words, in no language, for an app whose name
// leaves no room for a sentence.
func Brief() Template { return Template{"{code} ({app}, {minutes} min)"} }
