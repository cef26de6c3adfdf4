package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/admin"
)

// TestDoctor gets the diagnosis through the socket: it is that of the facts,
// and nobody gets it through the network.
func TestDoctor(t *testing.T) {
	facts := admin.Facts{
		Running: true, Version: "1.2.3", Apps: []*otp.App{{ID: "demo"}}, Ways: 1,
		Routes: []otp.RouteReport{{Name: "gsm0", RouteStatus: otp.RouteStatus{
			State: otp.RouteDown, Reason: "sim_puk", Kind: "modem", Device: "/dev/ttyUSB2",
		}}},
		Clock: admin.Clock{Now: 1795253400007, Wall: 1795253400007, Synchronised: true},
		Disk:  admin.Disk{Dir: "/var/lib/pinferry", Free: 1 << 30},
	}
	var failure error
	b := newBox(t, func(c *server.Config, _ *[]otp.App) {
		c.Admin.Facts = func(context.Context) (admin.Facts, error) { return facts, failure }
	})
	status, body := b.call("GET", "/admin/doctor", "")
	var got admin.Diagnosis
	if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil {
		t.Fatalf("got %d %s, %v", status, body, err)
	}
	if want := facts.Diagnose(); got.Level != admin.Red || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if a := b.do("GET", "/admin/doctor", ""); a.status != 404 {
		t.Errorf("through the network: got %d", a.status)
	}
	failure = errors.New("the counts cannot be read")
	if status, body := b.call("GET", "/admin/doctor", ""); status != 500 {
		t.Errorf("without facts: got %d %s", status, body)
	}
}
