package otp_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// judge takes solutions that begin with "good", each for a captcha of its own.
type judge struct {
	now   func() otp.Time
	asked atomic.Int32
}

func (j *judge) Prove(_ context.Context, c otp.Caller, solution string) (otp.Proof, error) {
	j.asked.Add(1)
	switch {
	case solution == "down":
		return otp.Proof{}, &otp.Error{Code: otp.Busy, RetryAfter: 5 * time.Second}
	case solution == "broken":
		return otp.Proof{}, errors.New("the judge fell ill")
	case !strings.HasPrefix(solution, "good"):
		return otp.Proof{}, &otp.Error{Code: otp.CaptchaRequired, Detail: "That is no solution."}
	}
	return otp.Proof{ID: sha256.Sum256([]byte(solution)), Until: j.now().Add(5 * time.Minute)}, nil
}

// captchaRig is a rig whose app has a policy, and its judge.
func captchaRig(t *testing.T, policy otp.CaptchaPolicy, s setup) (*rig, *judge) {
	t.Helper()
	if s.apps == nil {
		app := openApp("demo")
		app.Captcha = policy
		s.apps = []otp.App{app}
	}
	r := newRig(t, s)
	j := &judge{now: r.box.Clock.Now}
	r.box.Provers = map[string]otp.Prover{"demo": j}
	return r, j
}

func (r *rig) startWith(c otp.Caller, to, solution string) error {
	_, err := r.v.Start(context.Background(), c, otp.StartRequest{To: to, Purpose: otp.PurposeVerify, Captcha: solution})
	return err
}

func TestCaptchaIsRequiredAndUsedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		for _, solution := range []string{"", "wrong", strings.Repeat("good", 2000)} {
			wantCode(t, r.startWith(c, alice, solution), otp.CaptchaRequired)
		}
		must(t, r.startWith(c, alice, "good 1"))
		wantCode(t, r.startWith(c, number(1), "good 1"), otp.CaptchaRequired)
		synctest.Wait()
		if sent := len(r.routes[0].Given()); sent != 1 {
			t.Errorf("%d messages left, want 1", sent)
		}
	})
}

// TestCaptchaOutlivesARestart has what was shown remembered by the disk.
func TestCaptchaOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		must(t, r.startWith(r.from("203.0.113.9"), alice, "good"))
		r.stop()
		again, _ := captchaRig(t, otp.CaptchaAlways, setup{store: r.store})
		wantCode(t, again.startWith(again.from("203.0.113.9"), number(1), "good"), otp.CaptchaRequired)
	})
}

// TestCaptchaBuysOneAnswer has a solution used up by a start that is refused
// for another reason: it does not buy a second look at the limits.
func TestCaptchaBuysOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		for i := range 3 {
			must(t, r.startWith(c, alice, fmt.Sprint("good ", i)))
		}
		wantCode(t, r.startWith(c, alice, "good 3"), otp.LimitAddress) // three are live
		wantCode(t, r.startWith(c, number(1), "good 3"), otp.CaptchaRequired)
	})
}

// TestCaptchaIsGivenBack has a solution outlive a start that the box itself could
// not serve, and nothing left of it: such refusals are charged to nobody.
func TestCaptchaIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		r.routes[0].Down("absent")
		for i := range 100 {
			wantCode(t, r.startWith(c, alice, fmt.Sprint("good ", i)), otp.ChannelUnavailable)
		}
		if n := r.rows(otp.KindProof); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		r.routes[0].Ready()
		must(t, r.startWith(c, alice, "good 1"))
		wantCode(t, r.startWith(c, alice, "good 1"), otp.CaptchaRequired)
	})
}

func TestCaptchaConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{limits: bare})
		var started atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				err := r.startWith(r.from(fmt.Sprintf("203.0.113.%d", i+1)), number(i), "good")
				if err == nil {
					started.Add(1)
				} else {
					wantCode(t, err, otp.CaptchaRequired)
				}
			})
		}
		all.Wait()
		if started.Load() != 1 || r.rows(otp.KindVerification) != 1 {
			t.Errorf("one solution made %d starts", started.Load())
		}
	})
}

// TestCaptchaFailsClosed has a judge that cannot judge: 503, and nothing leaves.
func TestCaptchaFailsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		wantCode(t, r.startWith(c, alice, "down"), otp.Busy)
		wantCode(t, otp.AsError(r.startWith(c, alice, "broken")), otp.Internal)
		r.box.Provers = nil
		wantCode(t, otp.AsError(r.startWith(c, alice, "good")), otp.Internal)
		wantCode(t, r.startWith(c, alice, ""), otp.CaptchaRequired)
		synctest.Wait()
		if sent := len(r.routes[0].Given()); sent != 0 {
			t.Errorf("%d messages left", sent)
		}
	})
}

// TestCaptchaRefusalsAreCharged has who comes without a solution run into the
// limit of refusals, after which nobody judges for that address.
func TestCaptchaRefusalsAreCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		for range 60 {
			wantCode(t, r.startWith(c, alice, "wrong"), otp.CaptchaRequired)
		}
		asked := j.asked.Load()
		wantCode(t, r.startWith(c, alice, "wrong"), otp.LimitAddress)
		if j.asked.Load() != asked {
			t.Error("a caller beyond its limit had a solution judged")
		}
		must(t, r.startWith(r.from("203.0.113.10"), alice, "good"))
	})
}

// TestUnjudgedIsCharged has who sends what no judge can read run into the limit
// of refusals as well.
func TestUnjudgedIsCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := captchaRig(t, otp.CaptchaAlways, setup{})
		c := r.from("203.0.113.9")
		for range 60 {
			wantCode(t, r.startWith(c, alice, "down"), otp.Busy)
		}
		asked := j.asked.Load()
		wantCode(t, r.startWith(c, alice, "down"), otp.LimitAddress)
		if j.asked.Load() != asked {
			t.Error("a caller beyond its limit had a solution judged")
		}
	})
}

// TestCaptchaExemptions lists who is never asked for one.
func TestCaptchaExemptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{limits: bare})
		r.box.NoCaptcha = []string{"twilio"}
		must(t, r.startWith(r.server(), alice, "")) // a server without a client_ip
		named := r.from("203.0.113.9")
		named.Secret = true
		wantCode(t, r.startWith(named, alice, ""), otp.CaptchaRequired) // one that names its user's address
		for _, door := range []string{"", "strike", "gotrue"} {
			c := r.from("203.0.113.9")
			c.Door = door
			wantCode(t, r.startWith(c, alice, ""), otp.CaptchaRequired)
		}
		c := r.from("203.0.113.9")
		c.Door = "twilio"
		must(t, r.startWith(c, alice, ""))
		// What needs a session is refused for the want of it.
		_, err := r.v.Start(t.Context(), r.from("203.0.113.9"), otp.StartRequest{Purpose: otp.PurposeStepUp})
		wantCode(t, err, otp.Unauthorized)
	})
}

// TestCaptchaTellsNothing has a start without a solution refused alike for a
// number that has a user, one that has verified, and one that nobody knows.
func TestCaptchaTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, policy := range []otp.CaptchaPolicy{otp.CaptchaAlways, otp.CaptchaHot} {
			r, _ := captchaRig(t, policy, setup{limits: func(l *otp.Limits) {
				l.SendsPerBox = []otp.Rule{{Count: 3, Window: time.Hour}}
			}})
			r.login(r.at("strike"), alice)
			r.mustStart(r.server(), bob) // warms the box
			for i, to := range []string{alice, bob, number(7)} {
				c := r.from(fmt.Sprintf("203.0.113.%d", i+1))
				c.Door = "strike"
				_, err := r.v.Start(t.Context(), c, otp.StartRequest{To: to, Purpose: otp.PurposeSignIn, Reveal: true, Slot: otp.Slot{Door: "strike"}})
				wantCode(t, err, otp.CaptchaRequired)
			}
		}
	})
}

// TestCaptchaHot has one asked for once a quota is beyond half of its limit, and
// of those alone who come under that quota.
func TestCaptchaHot(t *testing.T) {
	hour := func(n int) []otp.Rule { return []otp.Rule{{Count: n, Window: time.Hour}} }
	for name, test := range map[string]struct {
		limits    func(*otp.Limits)
		warm      func(i int) (address, to string)
		hot, cold [2]string // address and number
	}{
		"Address": {
			func(l *otp.Limits) { l.SendsPerAddress = hour(10) },
			func(i int) (string, string) { return "203.0.113.9", number(i) },
			[2]string{"203.0.113.9", number(100)}, [2]string{"203.0.113.10", number(100)},
		},
		"Block": {
			func(l *otp.Limits) { l.SendsPerBlock = hour(10) },
			func(i int) (string, string) { return fmt.Sprintf("203.0.113.%d", i+1), fmt.Sprintf("+4179123400%d", i) },
			[2]string{"203.0.113.99", "+41791234088"}, [2]string{"203.0.113.99", "+41791235088"},
		},
		"Country": {
			func(l *otp.Limits) { l.SendsPerCountry = hour(10) },
			func(i int) (string, string) { return fmt.Sprintf("203.0.113.%d", i+1), number(i) },
			[2]string{"203.0.113.99", number(100)}, [2]string{"203.0.113.99", bob},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, j := captchaRig(t, otp.CaptchaHot, setup{limits: func(l *otp.Limits) { bare(l); test.limits(l) }})
				for i := range 6 {
					address, to := test.warm(i)
					must(t, r.startWith(r.from(address), to, "unasked")) // up to and with the sixth of ten
				}
				if n := j.asked.Load(); n != 0 {
					t.Errorf("the judge was asked %d times for nothing", n)
				}
				wantCode(t, r.startWith(r.from(test.hot[0]), test.hot[1], ""), otp.CaptchaRequired)
				must(t, r.startWith(r.from(test.cold[0]), test.cold[1], ""))
				must(t, r.startWith(r.from(test.hot[0]), test.hot[1], "good"))
				time.Sleep(time.Hour + time.Second)
				must(t, r.startWith(r.from(test.hot[0]), test.hot[1], ""))
			})
		})
	}
}

// TestCaptchaHeat tells who gets a harder captcha.
func TestCaptchaHeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		for i := range 6 {
			must(t, r.startWith(r.from("203.0.113.9"), number(i), fmt.Sprint("good ", i)))
		}
		for address, want := range map[string]bool{"203.0.113.9": true, "203.0.113.10": false} {
			if hot, err := r.v.Heat(t.Context(), r.from(address)); err != nil || hot != want {
				t.Errorf("%s: hot is %v, want %v (%v)", address, hot, want, err)
			}
		}
	})
}

// TestCaptchaAge has a proof end where it says, and never last beyond an
// accepted step back of the clock.
func TestCaptchaAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := captchaRig(t, otp.CaptchaAlways, setup{})
		late := -time.Millisecond
		j.now = func() otp.Time { return r.box.Clock.Now().Add(late - 5*time.Minute) }
		wantCode(t, r.startWith(r.from("203.0.113.9"), alice, "good 1"), otp.CaptchaRequired)
		late = 24 * time.Hour // made a day ahead, before the clock was set back
		wantCode(t, r.startWith(r.from("203.0.113.9"), alice, "good 2"), otp.CaptchaRequired)
		late = time.Second
		must(t, r.startWith(r.from("203.0.113.9"), alice, "good 3"))
	})
}

// TestCaptchaReplay has a repeat under an Idempotency-Key answered as the first
// time, though its solution is used up by then.
func TestCaptchaReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := captchaRig(t, otp.CaptchaAlways, setup{})
		request := otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Captcha: "good", IdempotencyKey: "k", Body: []byte("{}")}
		first, err := r.v.Start(t.Context(), r.from("203.0.113.9"), request)
		must(t, err)
		again, err := r.v.Start(t.Context(), r.from("203.0.113.9"), request)
		must(t, err)
		if first.Verification.ID != again.Verification.ID {
			t.Error("a repeat began another verification")
		}
	})
}

func TestCaptchaPolicyIsChecked(t *testing.T) {
	app := demoApp("demo")
	app.Captcha = "sometimes"
	if _, err := otp.NewApps([]otp.App{app}, segments); err == nil || !strings.Contains(err.Error(), `captcha: "sometimes"`) {
		t.Errorf("got %v", err)
	}
}
