package modem

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// clockForm is what stands behind "+CCLK:": date, time of day, and how many
// quarters of an hour that is ahead of UTC (3GPP 27.007, 8.15).
var clockForm = regexp.MustCompile(`^"?(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)([+-]\d\d)?"?$`)

// maxZone is the most quarters of an hour that a zone is away from UTC.
const maxZone = 56

// pollTime reads the modem's clock, which the network sets, and offers it. It
// is a hint and no more: a network may be wrong, and a forged one may lie.
func (s *session) pollTime(ctx context.Context) error {
	if s.cfg.Heard == nil {
		return nil
	}
	answer, err := s.ask(ctx, "AT+CCLK?")
	if at, ok := parseClock(answer); ok {
		s.cfg.Heard(at)
	}
	return err
}

// parseClock reads an answer to AT+CCLK?. A modem that no network has told the
// time is in its factory's year, which the one who hears it must refuse.
func parseClock(answer string) (otp.Time, bool) {
	found := clockForm.FindStringSubmatch(strings.TrimSpace(answer))
	if found == nil || found[2] == "" {
		return 0, false // without a zone nobody knows which time it is
	}
	at, err := time.Parse("06/01/02,15:04:05", found[1])
	quarters, err2 := strconv.Atoi(found[2])
	if err != nil || err2 != nil || quarters > maxZone || quarters < -maxZone || at.Year() < 2000 {
		return 0, false
	}
	return otp.TimeOf(at.Add(-time.Duration(quarters) * 15 * time.Minute)), true
}
