package otp_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// proof is a verification with the code that approves it.
type proof struct {
	id     otp.ID
	digits string
}

// proofs starts one verification a request. It waits in real time.
func (r *rig) proofs(c otp.Caller, requests ...otp.StartRequest) (all []proof) {
	r.t.Helper()
	sent := len(r.routes[0].Given())
	for n, request := range requests {
		p, err := r.v.Start(context.Background(), c, request)
		must(r.t, err)
		all = append(all, proof{p.Verification.ID, eventually(r.t, r, sent+n)})
	}
	return all
}

// approve types all codes at once and returns what each gave.
func (r *rig) approve(c otp.Caller, proofs []proof) (grants []*otp.Grant, refusals []otp.Code) {
	r.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	barrier := make(chan struct{})
	for _, one := range proofs {
		all.Go(func() {
			<-barrier
			p, err := r.v.Check(context.Background(), c, one.id, one.digits)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refusals = append(refusals, otp.AsError(err).Code)
				return
			}
			grants = append(grants, p.Grant)
		})
	}
	close(barrier)
	all.Wait()
	return grants, refusals
}

// Verifications of one number that are approved at once make one user.
func TestParallelApprovalsMakeOneUser(t *testing.T) {
	for purpose, want := range map[otp.Purpose]int{otp.PurposeSignUp: 1, otp.PurposeSignUpOrIn: 3} {
		t.Run(string(purpose), func(t *testing.T) {
			r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
			request := otp.StartRequest{To: alice, Purpose: purpose, Wish: otp.Wish{Name: "alice"}}
			grants, refusals := r.approve(r.at("descope"), r.proofs(r.at("descope"), request, request, request))
			if len(grants) != want || len(grants)+len(refusals) != 3 {
				t.Fatalf("%d grants and the refusals %v", len(grants), refusals)
			}
			for _, refusal := range refusals {
				if refusal != otp.AlreadyRegistered {
					t.Errorf("refused: %s", refusal)
				}
			}
			first := 0
			for _, g := range grants {
				if g.First {
					first++
				}
				if g.User.ID != grants[0].User.ID || !r.alive(g.Session) {
					t.Error("not one user with a session for each approval")
				}
			}
			if users, logins := r.rows(otp.KindUser), r.rows(otp.KindUserName); users != 1 || logins != 2 || first != 1 {
				t.Errorf("%d users with %d logins, %d first times", users, logins, first)
			}
		})
	}
}

// Of two users who change to one number at once, and a third person who
// registers it, one gets it.
func TestParallelClaimsToOneNumber(t *testing.T) {
	const third = "+41791112233"
	for round := range 10 {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c := r.at("descope")
		for _, to := range []string{alice, bob} {
			r.approve(c, r.proofs(c, otp.StartRequest{To: to, Purpose: otp.PurposeSignUp}))
		}
		var requests []otp.StartRequest
		users, _, err := r.d.Users(t.Context(), r.server(), 10, "")
		must(t, err)
		for _, u := range users {
			grants, _ := r.approve(c, r.proofs(c, otp.StartRequest{To: u.Address.Key, Purpose: otp.PurposeSignIn}))
			requests = append(requests, otp.StartRequest{To: third, Purpose: otp.PurposeChangePhone, Family: grants[0].Session.ID})
		}
		requests = append(requests, otp.StartRequest{To: third, Purpose: otp.PurposeSignUp})
		grants, refusals := r.approve(c, r.proofs(c, requests...))
		if len(grants) != 1 || !slices.Equal(refusals, []otp.Code{otp.AlreadyRegistered, otp.AlreadyRegistered}) {
			t.Fatalf("round %d: %d grants, refusals %v", round, len(grants), refusals)
		}
		holder, err := r.d.Find(t.Context(), r.server(), third)
		must(t, err)
		if holder.ID != grants[0].User.ID {
			t.Errorf("round %d: the number is not the winner's", round)
		}
		r.wantWholeRegister()
		r.stop()
	}
}

// Whatever happens to users, each login leads to the one user who has it, and
// no row is left of what was given up.
func TestRegisterStaysWhole(t *testing.T) {
	phones := []string{alice, bob, "+41791112233", "+41791112244"}
	names := []string{"", "", "anna", "ANNA", " anna ", "Ünal", "üNAL", "@", "++41", "anna\u0301"}
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{limits: bare, apps: []otp.App{openApp("demo")}})
		c, random := r.at("descope"), rand.New(rand.NewPCG(1, 2))
		var sessions []otp.ID
		done := map[string]int{}
		for range 400 {
			request := otp.StartRequest{To: phones[random.IntN(len(phones))], Wish: otp.Wish{Name: names[random.IntN(len(names))]}}
			users, _, err := r.d.Users(t.Context(), r.server(), 100, "")
			must(t, err)
			what := []string{"sign in", "sign in", "change", "change", "change", "change", "remove", "create"}[random.IntN(8)]
			switch {
			case what == "sign in":
				request.Purpose = otp.PurposeSignUpOrIn
			case what == "change" && len(sessions) > 0:
				lately := sessions[max(0, len(sessions)-3):] // most that are older have ended
				request.Purpose, request.Family = otp.PurposeChangePhone, lately[random.IntN(len(lately))]
			case what == "remove" && len(users) > 0:
				err = r.d.Remove(t.Context(), r.server(), users[random.IntN(len(users))].ID)
			case what == "create":
				_, err = r.d.Create(t.Context(), r.server(), otp.UserRequest{To: request.To})
			}
			if request.Purpose != "" {
				var p otp.Progress
				if p, err = r.v.Start(t.Context(), c, request); err == nil {
					p, err = r.v.Check(t.Context(), c, p.Verification.ID, r.sent())
				}
				if err == nil {
					sessions = append(sessions, p.Grant.Session.ID)
				}
			}
			switch e := otp.AsError(err); {
			case err == nil:
				done[what]++
			case e.Code != otp.AlreadyRegistered && e.Code != otp.Unauthorized && e.Code != otp.InvalidRequest:
				t.Fatal(err)
			}
			r.wantWholeRegister()
		}
		for _, what := range []string{"sign in", "change", "remove", "create"} {
			if done[what] < 10 {
				t.Errorf("%s: %d went through, too few to prove anything", what, done[what])
			}
		}
	})
}

// wantWholeRegister checks that the rows of the logins are those of the users.
func (r *rig) wantWholeRegister() {
	r.t.Helper()
	users, _, err := r.d.Users(context.Background(), r.server(), 100, "")
	must(r.t, err)
	logins := 0
	for _, u := range users {
		for _, login := range append([]string{u.Address.Key}, u.Names...) {
			logins++
			if found, err := r.d.Find(context.Background(), r.server(), login); err != nil || found.ID != u.ID {
				r.t.Fatalf("a login of %s leads elsewhere (%v)", u.ID, err)
			}
		}
	}
	if n := r.rows(otp.KindUserName); n != logins {
		r.t.Fatalf("%d rows for %d logins", n, logins)
	}
}
