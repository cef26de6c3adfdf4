package modem

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Balance is how a gateway learns the credit of its SIM. The zero Balance asks
// nothing.
type Balance struct {
	// Code is the USSD code that the operator answers with the credit, such as
	// "*100#"; "" asks nothing.
	Code string
	// Every is how often it is asked; 0: once a day.
	Every time.Duration
	// Low is the credit below which the route warns, in the operator's unit.
	Low float64
}

// Times of the balance.
const (
	balanceEvery = 24 * time.Hour
	balanceFirst = time.Minute // after the start, or when the modem cannot ask: messages that waited go first
	balanceAgain = time.Hour   // after a question that brought no number
)

// amountForm finds numbers with their separators of thousands and decimals.
var amountForm = regexp.MustCompile(`[0-9]+(?:[.,'][0-9]+)*`)

// maxWhole is the most digits of a credit before the decimals: a longer number
// is a phone number or a date.
const maxWhole = 7

// parseAmount returns the first number in an answer that can be a credit, as
// "1234.50". The last separator stands before decimals if one or two digits
// follow it, and every other separator is one of thousands.
func parseAmount(text string) (string, bool) {
	for _, found := range amountForm.FindAllStringIndex(text, -1) {
		number := text[found[0]:found[1]]
		whole, decimals := number, ""
		if i := strings.LastIndexAny(number, ".,'"); i >= 0 && len(number)-i <= 3 {
			whole, decimals = number[:i], number[i+1:]
			if strings.ContainsAny(decimals, "'") {
				continue
			}
		}
		whole = strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, whole)
		if len(whole) > maxWhole {
			continue
		}
		amount := strings.TrimLeft(whole, "0")
		if amount == "" {
			amount = "0"
		}
		if decimals != "" {
			amount += "." + decimals
		}
		if found[0] > 0 && text[found[0]-1] == '-' {
			amount = "-" + amount
		}
		return amount, true
	}
	return "", false
}

// takeStock asks for the credit and shows it. What the operator answered stays
// unlogged: it may name the subscriber.
func (g *Gateway) takeStock(ctx context.Context, s *session) error {
	next := balanceAgain
	defer func() { g.balanceDue = time.After(next) }()
	if reason, _, _ := s.network.obstacle(g.cfg.Roaming); reason != "" || g.busy() {
		next = balanceFirst
		return nil
	}
	answer, wrong, err := g.inquire(ctx, s, g.cfg.Balance.Code)
	if err != nil {
		return err
	}
	amount, ok := parseAmount(answer)
	if wrong != nil || !ok {
		s.log.Warn().Err(wrong).Bool("number", ok).Msg("the operator did not tell the balance of the SIM")
		return nil
	}
	next = balanceEvery
	if g.cfg.Balance.Every > 0 {
		next = g.cfg.Balance.Every
	}
	credit, _ := strconv.ParseFloat(amount, 64) // digits and a point
	low := credit < g.cfg.Balance.Low
	warned := g.board.read().BalanceLow
	g.board.describe(func(status *otp.RouteStatus) {
		status.Balance, status.BalanceLow, status.BalanceAt = amount, low, 0
		if g.cfg.Now != nil {
			status.BalanceAt = g.cfg.Now()
		}
	})
	if low && !warned {
		s.log.Warn().Str("balance", amount).Float64("low", g.cfg.Balance.Low).Msg("the balance of the SIM is low")
	}
	return nil
}
