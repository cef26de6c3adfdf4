package main

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
)

// service is the app under the form that Twilio's clients ask for.
const service = "VA00000000000000000000000000000000"

// entrance is how a door begins a verification.
type entrance struct {
	door, path, body string // body has one %s for the number
	kind             string // content type
	auth             string
	status           int
}

var entrances = []entrance{
	{"ssojet", "/api/v1/auth/passwordless/phone-otp/send?client_id=bench", `{"phone_id":"%s"}`, "application/json", "", 200},
	{"passage", "/v1/apps/bench/register/otp", `{"identifier":"%s"}`, "application/json", "", 201},
	{"strike", "/otp", `{"phone":"%s","create_user":true}`, "application/json", "", 200},
	{"gotrue", "/auth/v1/otp", `{"phone":"%s","create_user":true}`, "application/json", "", 200},
	{"descope", "/v1/auth/otp/signup-in/sms", `{"loginId":"%s"}`, "application/json", "Bearer bench:" + key, 200},
	{"twilio", "/v2/Services/" + service + "/Verifications", `To=%%2B%s&Channel=sms`, "application/x-www-form-urlencoded",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("AC00000000000000000000000000000000:"+key)), 201},
}

// doors compares the start of each vendor's door with the native one, in
// turns, and shows what a login costs that ends in a signed token.
func doors(dir, program string) error {
	const connections = 64
	b, err := newBox(filepath.Join(dir, "doors"), program, `device = "null"`)
	if err != nil {
		return err
	}
	defer b.stop()
	fmt.Println("door         start/s   of the native start")
	for _, e := range entrances {
		var native, door []result
		for range turns {
			native = append(native, load(connections, span/2, b.start))
			door = append(door, load(connections, span/2, func(worker int) (bool, error) { return true, b.enter(worker, e) }))
			b.forget()
		}
		d, n := median(door), median(native)
		if d.failed > 0 {
			return fmt.Errorf("%s: %d of the requests failed, the first with %s", e.door, d.failed, d.failure)
		}
		fmt.Printf("%-8s %11.0f   %.2f\n", e.door, d.rate, d.rate/n.rate)
	}
	return signatures(b)
}

// enter begins a verification through a door.
func (b *box) enter(worker int, e entrance) error {
	number := nextNumber()
	if e.door == "twilio" {
		number = number[1:]
	}
	_, err := b.clients.send(worker, e.path, fmt.Sprintf(e.body, number), e.kind, e.auth, e.status)
	return err
}

// signatures shows what the signature adds to a whole login: none, ES256 and
// RS256.
func signatures(b *box) error {
	logins := []struct {
		what string
		do   func(worker int) (bool, error)
	}{
		{"no token", b.pair},
		{"ES256", b.signIn},
		{"RS256", b.register},
	}
	fmt.Println("login        pairs/s   of the one without a token")
	var base float64
	for _, l := range logins {
		var all []result
		for range turns {
			all = append(all, load(16, span/2, l.do))
		}
		m := median(all)
		if m.failed > 0 {
			return fmt.Errorf("%s: %d of the logins failed, the first with %s", l.what, m.failed, m.failure)
		}
		if base == 0 {
			base = m.rate
		}
		fmt.Printf("%-8s %11.0f   %.2f\n", l.what, m.rate, m.rate/base)
	}
	return nil
}

// signIn is a pair that ends in a session of the native door.
func (b *box) signIn(worker int) (bool, error) {
	body := fmt.Sprintf(`{"to":"%s","purpose":"sign_up_or_in"}`, nextNumber())
	answer, err := b.clients.post(worker, "/v1/verifications", body, 201)
	if err != nil {
		return true, err
	}
	id, err := idAfter(answer, `"vrf_`)
	if err != nil {
		return true, err
	}
	return true, b.approve(worker, id)
}

// register is a pair at Passage's door.
func (b *box) register(worker int) (bool, error) {
	answer, err := b.clients.post(worker, "/v1/apps/bench/register/otp", fmt.Sprintf(`{"identifier":"%s"}`, nextNumber()), 201)
	if err != nil {
		return true, err
	}
	id, err := idAfter(answer, `"otp_id":"`)
	if err != nil {
		return true, err
	}
	code, err := b.code(id)
	if err != nil {
		return true, err
	}
	_, err = b.clients.post(worker, "/v1/apps/bench/otp/activate", fmt.Sprintf(`{"otp":"%s","otp_id":"%s"}`, code, id), 200)
	return true, err
}
