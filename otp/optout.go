package otp

import (
	"context"
	"strings"
	"unicode"
)

// OptOutScope says what a number that has opted out gets no more.
type OptOutScope string

// The scopes.
const (
	OptOutCodes    OptOutScope = "codes"    // nothing at all, codes included
	OptOutMessages OptOutScope = "messages" // no messages of an app's own text; codes go on
)

// A number leaves by an SMS that is one of optOutWords, or that begins with one
// of optOutFirst, which begin no sentence of another sense; it comes back by an
// SMS that is one of optInWords. They are what the carriers ask for in English,
// and the usual words of the languages that the box writes, as [folded] leaves
// them. Most must stand alone: "Fine, thanks" and "Si no paran, los denuncio"
// are about something else, and either way the wrong list hurts somebody.
var (
	optOutFirst = wordSet(
		"stop stopall unsubscribe optout", // en
		"stopp abbestellen abmelden",      // de
		"desabonner desinscrire",          // fr
		"disiscrivi",                      // it
		"descadastrar",                    // pt
	)
	optOutWords = wordSet(
		"cancel end quit",                           // en
		"ende beenden kundigen",                     // de
		"arret arreter annuler fin",                 // fr
		"parar baja alto cancelar detener salir",    // es
		"ferma fermare basta annulla cancella fine", // it
		"pare sair fim",                             // pt
	)
	optInWords = wordSet(
		"start unstop yes optin",           // en
		"ja anmelden starten",              // de
		"oui demarrer reprendre commencer", // fr
		"si alta iniciar empezar comenzar", // es, it
		"inizia avvia riprendi",            // it
		"sim comecar voltar",               // pt
	)
)

func wordSet(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, word := range strings.Fields(list) {
			set[word] = true
		}
	}
	return set
}

// firstWord returns the first word of a text as the word lists have it: lower
// case, without diacritics and without the marks around it; "" is none. alone
// tells whether nothing but marks follows.
func firstWord(said string) (word string, alone bool) {
	start := strings.IndexFunc(said, unicode.IsLetter)
	// What stands before the word may be quotes or spaces, not a sentence.
	if start < 0 || strings.ContainsFunc(said[:start], unicode.IsNumber) {
		return "", false
	}
	said, rest := said[start:], ""
	if end := strings.IndexFunc(said, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && r != '-' }); end >= 0 {
		said, rest = said[:end], said[end:]
	}
	more := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	return folded(said), !strings.ContainsFunc(rest, more)
}

// folded writes a word in lower case without diacritics; a hyphen is dropped.
func folded(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == '-' { // an accent of its own, after its letter
			return -1
		}
		r = unicode.ToLower(r)
		for plain, accented := range diacritics {
			if strings.ContainsRune(accented, r) {
				return plain
			}
		}
		return r
	}, word)
}

// diacritics are the letters of the shipped languages under their plain one.
var diacritics = map[rune]string{
	'a': "áàâäãå", 'c': "ç", 'e': "éèêë", 'i': "íìîï", 'n': "ñ", 'o': "óòôöõ", 'u': "úùûü",
}

// OptOut is a number that wants nothing from this box.
type OptOut struct {
	ID      string // names it, and holds no number that can be read from it
	Address Address
	Since   Time
	Route   string // that received its word
}

// optOutRow is an [OptOut] as it is kept. It stays until it is lifted.
type optOutRow struct {
	_       struct{} `cbor:",toarray"`
	Address Address
	Since   Time
	Route   string
}

func optOutKey(addressKey string) Key { return Key{KindOptOut, addressKey} }

// heedOptOut puts the sender of an SMS on the list, or takes it off.
func heedOptOut(tx Tx, from Address, in Incoming, now Time) {
	k := optOutKey(from.Key)
	switch word, alone := firstWord(in.Text); {
	case optOutFirst[word], alone && optOutWords[word]:
		if _, already := tx.Get(k); !already {
			save(tx, k, optOutRow{Address: from, Since: now, Route: in.Route}, 0)
		}
	case alone && optInWords[word]:
		if _, out := tx.Get(k); out {
			tx.Delete(k)
		}
	}
}

// optedOut tells whether a number may not be sent to for that reason.
func (app *App) optedOut(tx Tx, a Address, code bool) bool {
	if a.Kind != Phone || code && app.OptOut == OptOutMessages {
		return false
	}
	_, out := tx.Get(optOutKey(a.Key))
	return out
}

func hasOptedOut() *Error {
	return refuse(NumberRefused, "This number has texted STOP to the box and gets nothing from it. It comes back by texting START.")
}

// OptOuts lists the numbers that have opted out, in the order of their digits.
// cursor is "" or what the last call returned as next; next is "" at the end.
// It is for the operator, whom the whole box concerns.
func (o *Outbox) OptOuts(ctx context.Context, limit int, cursor string) (page []OptOut, next string, err error) {
	last, ok := "", true
	if cursor != "" {
		last, ok = o.box.Keys.openName(cursor)
	}
	if !ok {
		return nil, "", refuse(InvalidRequest, "cursor is not one that this call has returned.")
	}
	rows, more, err := records[optOutRow](ctx, o.box.Store, Key{Kind: KindOptOut}, optOutKey(last), limit)
	if err != nil {
		return nil, "", err
	}
	for _, row := range rows {
		page = append(page, OptOut{o.box.Keys.sealName(row.Address.Key), row.Address, row.Since, row.Route})
	}
	if more {
		next = page[limit-1].ID
	}
	return page, next, nil
}

// LiftOptOut takes a number, as typed, or the ID of an [OptOut], off the list, and
// tells whether it was on it. Whoever does so must have been asked by its holder.
// Refusals: [InvalidPhone] and [NumberRefused].
func (o *Outbox) LiftOptOut(ctx context.Context, by Actor, which string) (lifted bool, err error) {
	key, ok := o.box.Keys.openName(which)
	if !ok {
		a, refusal := parsePhone(which)
		if refusal != nil {
			return false, refusal
		}
		key = a.Key
	}
	err = o.box.Store.Update(ctx, func(tx Tx) error {
		if _, lifted = tx.Get(optOutKey(key)); !lifted {
			return nil
		}
		tx.Delete(optOutKey(key))
		return o.box.audit(tx, by, "opt_out.lift", maskedKey(key))
	})
	return lifted, err
}
