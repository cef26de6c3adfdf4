package admin_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// stick is a modem that wants for nothing.
func stick() otp.RouteReport {
	return otp.RouteReport{Name: "gsm0", Queue: 1, RouteStatus: otp.RouteStatus{
		State: otp.RouteReady, Free: 1, Slots: 1, Kind: "modem", Device: "/dev/ttyUSB2", Operator: "Swisscom",
		Registration: "home", Technology: "4g", SignalDBm: -71, IMEI: "490154203237518", ICCID: "8941000000000000014",
		SMSC: "+41794999000", PINTries: 3, Stored: 3, StoreSize: 20, Balance: "10.50",
	}}
}

// well is a box that wants for nothing.
func well() admin.Facts {
	relay := otp.RouteReport{Name: "backup", Used: 7, DailyCap: 100, RouteStatus: otp.RouteStatus{State: otp.RouteReady, Free: 8, Slots: 8, Kind: "relay"}}
	return admin.Facts{
		Running: true, Version: "1.2.3", Apps: []*otp.App{{ID: "shop", Email: true}}, Ways: 2, Mails: true, Routes: []otp.RouteReport{stick(), relay},
		Servers:  map[string]admin.Server{"backup": {}},
		Backlogs: []otp.Backlog{{App: "shop", Waiting: 2, Overdue: time.Second}},
		Clock:    admin.Clock{Now: 1795253400007, Wall: 1795253400007, Build: 1795000000000, Synchronised: true},
		Disk:     admin.Disk{Dir: "/var/lib/pinferry", Free: 7 << 30},
		Machine: admin.Machine{
			Manager: true, Rules: true, Power: "good", Unit: true, User: true, Group: true,
		},
	}
}

// out takes the modem out of service for a reason.
func out(f *admin.Facts, reason, detail string) {
	r := &f.Routes[0]
	r.State, r.Reason, r.Detail, r.Free = otp.RouteDown, reason, detail, 0
}

// serve puts the relay's server out of reach for a reason.
func serve(f *admin.Facts, reason, detail string) {
	f.Servers["backup"] = admin.Server{Reason: reason, Detail: detail}
}

const (
	busyUnseen = "/dev/ttyUSB2 is in use by a process that this user cannot see (`sudo fuser -v /dev/ttyUSB2` names it; ModemManager is the usual one). Stop it, or keep it from this port."
	busyMM     = "/dev/ttyUSB2 is in use by process 412 (ModemManager). Stop it, or keep it from this port."
	busyOther  = "/dev/ttyUSB2 is in use by process 413 (minicom). Stop it, or keep it from this port."
)

// faults are what keeps operators awake: the check that must name the cause,
// and words that it or its fix must hold.
var faults = []struct {
	name  string
	make  func(*admin.Facts)
	check string
	level admin.Level
	says  string
	fix   string
}{
	{"unplugged", func(f *admin.Facts) { out(f, "absent", "No modem is plugged in.") }, "gsm0 port", admin.Red, "No modem is plugged in.", "Plug it in"},
	{"storage mode", func(f *admin.Facts) {
		out(f, "storage_mode", "The stick 12d1:1f01 shows itself as a disk. Run: sudo usb_modeswitch -v 12d1 -p 1f01 -X.")
	}, "gsm0 port", admin.Red, "as a disk.", "sudo usb_modeswitch -v 12d1 -p 1f01 -X"},
	{"ModemManager has the port", func(f *admin.Facts) { f.Machine.Rules = false; out(f, "busy", busyMM) }, "gsm0 port", admin.Red, "(ModemManager)", "doctor --fix"},
	{"ModemManager has the port, unseen", func(f *admin.Facts) { f.Machine.Rules = false; out(f, "busy", busyUnseen) }, "gsm0 port", admin.Red, "ModemManager", "doctor --fix"},
	{"ModemManager has the port in spite of the rules", func(f *admin.Facts) { out(f, "busy", busyMM) }, "gsm0 port", admin.Red, "(ModemManager)", "Plug the stick in again"},
	{"another process has the port", func(f *admin.Facts) { out(f, "busy", busyOther) }, "gsm0 port", admin.Red, "process 413 (minicom)", "Stop it"},
	{"no permission", func(f *admin.Facts) {
		out(f, "permission", "/dev/ttyUSB2 may not be opened by this user. It belongs to the group dialout. Run: sudo usermod -aG dialout pinferry, and restart.")
	}, "gsm0 port", admin.Red, "may not be opened", "sudo usermod -aG dialout pinferry"},
	{"no answer", func(f *admin.Facts) { out(f, "no_answer", "") }, "gsm0 modem", admin.Red, "no modem answers", "Unplug"},
	{"hangs", func(f *admin.Facts) { out(f, "hung", "") }, "gsm0 modem", admin.Red, "hangs", "Unplug"},
	{"no SIM", func(f *admin.Facts) { out(f, "no_sim", "") }, "gsm0 sim", admin.Red, "no working SIM", "Insert"},
	{"SIM wants its PIN", func(f *admin.Facts) { out(f, "sim_pin", "") }, "gsm0 sim", admin.Red, "wants its PIN", "pin_file"},
	{"PIN was refused", func(f *admin.Facts) {
		out(f, "sim_pin", "The SIM has refused the PIN of pin_file, and will not be asked again. Write the right one into the file and restart.")
	}, "gsm0 sim", admin.Red, "refused the PIN", "right one"},
	{"few tries of the PIN", func(f *admin.Facts) { f.Routes[0].PINTries = 2; out(f, "sim_pin", "") }, "gsm0 pin", admin.Amber, "2 tries", "phone"},
	{"SIM wants its PUK", func(f *admin.Facts) { out(f, "sim_puk", "") }, "gsm0 sim", admin.Red, "PUK", "PUK"},
	{"not registered", func(f *admin.Facts) {
		out(f, "no_network", "The network refuses this SIM. Ask its operator.")
		f.Routes[0].Registration = "denied"
	}, "gsm0 network", admin.Red, "refuses this SIM", "Ask its operator"},
	{"not registered, though it hears a network", func(f *admin.Facts) {
		out(f, "no_network", "The modem is registered in no network. Check the antenna and the SIM.")
		f.Routes[0].Registration = "none"
	}, "gsm0 network", admin.Red, "in no network", "active and paid for"},
	{"abroad", func(f *admin.Facts) {
		out(f, "no_network", "The modem is abroad, and roaming is not allowed. Set roaming = true to send all the same.")
		f.Routes[0].Registration = "roaming"
	}, "gsm0 network", admin.Red, "abroad", "roaming = true"},
	{"no signal", func(f *admin.Facts) {
		out(f, "no_network", "The modem looks for a network. Check its antenna and place.")
		f.Routes[0].Registration, f.Routes[0].SignalDBm = "searching", 0
	}, "gsm0 signal", admin.Red, "no signal", "antenna"},
	{"captchas cannot be judged", func(f *admin.Facts) {
		f.Captchas = []admin.Captcha{{App: "shop", Trouble: "the service cannot be reached"}}
	}, "captcha", admin.Amber, "cannot be reached", "captcha_kind"},
	{"captcha guards not every door", func(f *admin.Facts) {
		f.Captchas = []admin.Captcha{{App: "shop", Uncovered: []string{"passage", "twilio"}}}
	}, "captcha", admin.Amber, "passage, twilio", "backends"},
	{"faint signal", func(f *admin.Facts) { f.Routes[0].SignalDBm = -111 }, "gsm0 signal", admin.Amber, "faint: -111", "antenna"},
	{"credit used up", func(f *admin.Facts) {
		out(f, "credit", "It refused one number after the other. Top up the SIM, or see what its subscription allows.")
	}, "gsm0 credit", admin.Red, "credit", "Top up"},
	{"credit low", func(f *admin.Facts) { f.Routes[0].BalanceLow = true }, "gsm0 balance", admin.Amber, "10.50", "Top up"},
	{"network takes nothing from the SIM", func(f *admin.Facts) {
		out(f, "sim_refused", "The network refuses this SIM: +CMS ERROR: 10 (call barred). Check its credit and contract with its operator.")
	}, "gsm0 sending", admin.Red, "call barred", "contract"},
	{"no service centre", func(f *admin.Facts) { f.Routes[0].SMSC = "" }, "gsm0 smsc", admin.Amber, "service centre", "smsc ="},
	{"memory full", func(f *admin.Facts) { f.Routes[0].Stored = 20 }, "gsm0 storage", admin.Amber, "20 of 20", "delete"},
	{"failing", func(f *admin.Facts) {
		out(f, "failing", "Attempts to send failed one after the other. It is tried again from time to time.")
	}, "gsm0 sending", admin.Red, "failed one after the other", "journalctl"},
	{"pretended modem", func(f *admin.Facts) { f.Routes[0].Kind = "simulator" }, "gsm0 simulated", admin.Amber, "pretended", "real modem"},
	{"relay refused its credentials", func(f *admin.Facts) {
		f.Routes[1].State, f.Routes[1].Reason = otp.RouteDown, "unauthorized"
		f.Routes[1].Detail = "The provider refuses this box: check the credentials, the rights and the credit. HTTP 401, code 20003"
	}, "backup relay", admin.Red, "credentials, rights or credit (HTTP 401, code 20003).", "Compare the credentials"},
	{"relay throttled", func(f *admin.Facts) {
		f.Routes[1].State, f.Routes[1].Reason = otp.RouteDown, "throttled"
	}, "backup relay", admin.Amber, "pause", "rate"},
	{"relay's server without a name", func(f *admin.Facts) {
		serve(f, "no_name", "There is no such name as that of the server api.example.com:443. Compare it with url in the relay's section.")
	}, "backup relay", admin.Red, "api.example.com:443.", "Compare it with url"},
	{"relay's server out of reach", func(f *admin.Facts) { serve(f, "unreachable", "") }, "backup relay", admin.Red, "cannot be reached", "firewall"},
	{"relay's server in one's own network", func(f *admin.Facts) { serve(f, "not_allowed", "") }, "backup relay", admin.Red, "no public address", "allow"},
	{"relay's server with a bad certificate", func(f *admin.Facts) {
		serve(f, "certificate", "The certificate of api.example.com:443 has expired. Whoever runs that server must renew it.")
	}, "backup relay", admin.Red, "has expired.", "renew it"},
	{"relay's server and a wrong clock", func(f *admin.Facts) { serve(f, "wrong_clock", "") }, "backup relay", admin.Red, "clock", "set-ntp"},
	{"relay's server without TLS", func(f *admin.Facts) { serve(f, "no_tls", "") }, "backup relay", admin.Red, "no TLS", "port"},
	{"relay's server for mail", func(f *admin.Facts) { serve(f, "no_mail", "") }, "backup relay", admin.Red, "no mail", "port"},
	{"app's server takes no events", func(f *admin.Facts) {
		f.Backlogs[0] = otp.Backlog{App: "shop", Waiting: 8123, Overdue: 2 * time.Hour, Dead: 4}
	}, "webhook", admin.Amber, `"shop" takes no events: 8123 events wait, the first for 2h0m0s.`, "what it answers"},
	{"app's server has not taken some", func(f *admin.Facts) { f.Backlogs[0].Dead = 1 }, "webhook", admin.Amber, "1 event ", "webhook replay --all --app shop"},
	{"a reason of tomorrow", func(f *admin.Facts) {
		f.Routes[1].State, f.Routes[1].Reason = otp.RouteDown, "eclipse"
	}, "backup route", admin.Red, "eclipse", "log"},
	{"no route", func(f *admin.Facts) { f.Routes, f.Ways = nil, 0 }, "routes", admin.Red, "no route", "[[modem]]"},
	{"no app", func(f *admin.Facts) { f.Apps = nil }, "apps", admin.Red, "No app", "[[app]]"},
	{"forgeable sign-in", func(f *admin.Facts) {
		f.Apps = append(f.Apps, &otp.App{ID: "kiosk", Inbound: true, InboundSignIn: true})
	}, "apps", admin.Amber, `"kiosk"`, "inbound_sign_in"},
	{"email without a relay", func(f *admin.Facts) {
		f.Apps, f.Mails = append(f.Apps, &otp.App{ID: "letters", Email: true}), false
	}, "apps", admin.Amber, `"letters"`, `kind = "smtp"`},
	{"disk low", func(f *admin.Facts) { f.Disk.Free, f.Disk.Low = 40<<20, true }, "disk", admin.Red, "40 MiB", "Free some space"},
	{"disk full", func(f *admin.Facts) { f.Disk.Free, f.Disk.Low, f.Disk.Full = 9<<20, true, true }, "disk", admin.Red, "nothing can be written", "Free some space"},
	{"keys open to others", func(f *admin.Facts) { f.Disk.Loose = []string{"/var/lib/pinferry/keys/box.key"} }, "keys", admin.Red, "keys/box.key", "doctor --fix"},
	{"no data", func(f *admin.Facts) { f.Disk.Unread = fs.ErrNotExist }, "disk", admin.Amber, "There is no /var/lib/pinferry", "Start the box"},
	{"data out of reach", func(f *admin.Facts) { f.Disk.Unread = fs.ErrPermission }, "disk", admin.Amber, "permission", "sudo"},
	{"clock not synchronised", func(f *admin.Facts) { f.Clock.Synchronised = false }, "clock", admin.Amber, "Nothing keeps", "set-ntp"},
	{"clock far off and not synchronised", func(f *admin.Facts) { f.Clock.Synchronised, f.Clock.Now = false, f.Clock.Now+3600000 }, "clock", admin.Amber, "1h0m0s from it", "clock accept"},
	{"clock before the build", func(f *admin.Facts) { f.Clock.Wall = 86400000 }, "clock", admin.Red, "before this program was built", "set-ntp"},
	{"box time apart", func(f *admin.Facts) { f.Clock.Now += 3600000 }, "clock", admin.Amber, "1h0m0s apart", "clock accept"},
	{"under-voltage", func(f *admin.Facts) { f.Machine.Power = "low" }, "power", admin.Red, "too low now", "power supply"},
	{"under-voltage before", func(f *admin.Facts) { f.Machine.Power = "dipped" }, "power", admin.Amber, "has been too low", "power supply"},
	{"ModemManager without rules", func(f *admin.Facts) { f.Machine.Rules = false }, "modemmanager", admin.Amber, "nothing keeps it", "doctor --fix"},
	{"service without user", func(f *admin.Facts) { f.Machine.User = false }, "service", admin.Red, "user pinferry", "systemd-sysusers"},
	{"service without group", func(f *admin.Facts) { f.Machine.Group = false }, "service", admin.Red, "group dialout", "groupadd"},
	{"no box", func(f *admin.Facts) { f.Running, f.Routes = false, nil }, "box", admin.Red, "No box runs", "systemctl enable --now"},
	{"no box, stick in storage mode", func(f *admin.Facts) {
		f.Running, f.Routes = false, nil
		f.Ports = []admin.Port{{Route: "gsm0", Reason: "storage_mode"}}
	}, "gsm0 port", admin.Red, "as a disk", "usb-modeswitch"},
	{"no config", func(f *admin.Facts) { f.NoFile = "/etc/pinferry/pinferry.toml" }, "config", admin.Amber, "There is no /etc/pinferry/pinferry.toml", "sample"},
	{"broken config", func(f *admin.Facts) {
		f.Running, f.Routes, f.Config = false, nil, errors.New(`pinferry.toml:3: unknown key "nam"; did you mean "name"?`)
	}, "config", admin.Red, `did you mean "name"?`, "config check"},
	{"config with two mistakes", func(f *admin.Facts) {
		f.Running, f.Routes, f.Config = false, nil, errors.Join(errors.New(`unknown key "a"`), errors.New(`unknown key "b".`))
	}, "config", admin.Red, `"a"; unknown key "b".`, "config check"},
	{"config closed", func(f *admin.Facts) { f.Running, f.Routes, f.Config = false, nil, fs.ErrPermission }, "config", admin.Amber, "closed to this user", "sudo"},
}

// TestDiagnosis makes one thing wrong at a time: the check that stands for it
// says so and what to do, and nothing else is worse for it.
func TestDiagnosis(t *testing.T) {
	sound := well()
	if d := sound.Diagnose(); d.Level != admin.Green {
		t.Fatalf("a box that wants for nothing:\n%s", d)
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			facts := well()
			fault.make(&facts)
			d := facts.Diagnose()
			named := func(c admin.Check) bool {
				return c.Name == fault.check && c.Level == fault.level && strings.Contains(c.Text, fault.says) && strings.Contains(c.Fix, fault.fix)
			}
			if !slices.ContainsFunc(d.Checks, named) {
				t.Errorf("no %s check %q says %q and %q:\n%s", fault.level, fault.check, fault.says, fault.fix, d)
			}
			worst := admin.Green
			for _, c := range d.Checks {
				if (c.Level == admin.Green) != (c.Fix == "") {
					t.Errorf("%q is %s, and its fix is %q", c.Name, c.Level, c.Fix)
				}
				if strings.ContainsAny(c.Text+c.Fix, "\n\r") || strings.TrimRight(c.Text, ".?") != c.Text[:len(c.Text)-1] || c.Fix != "" && !strings.HasSuffix(c.Fix, ".") {
					t.Errorf("no sentence on a line: %+v", c)
				}
				if c.Level == admin.Red || worst == admin.Green {
					worst = c.Level
				}
			}
			if d.Level != worst || d.Running != facts.Running {
				t.Errorf("got %s, running %v", d.Level, d.Running)
			}
		})
	}
}

// TestChain looks from the port upwards: what lies behind an obstacle is not
// known, and so nothing is said of it.
func TestChain(t *testing.T) {
	for reason, want := range map[string]string{
		"absent":     "port",
		"no_answer":  "port modem",
		"no_sim":     "port modem sim",
		"sim_pin":    "port modem pin sim",
		"no_network": "port modem sim pin signal smsc storage balance network",
		"credit":     "port modem sim pin signal network smsc storage balance credit",
		"eclipse":    "route",
	} {
		facts := well()
		facts.Routes = facts.Routes[:1]
		out(&facts, reason, "")
		var got []string
		for _, c := range facts.Diagnose().Checks {
			if part, ok := strings.CutPrefix(c.Name, "gsm0 "); ok {
				got = append(got, part)
				if (c.Level == admin.Red) != (len(got) == strings.Count(want, " ")+1) {
					t.Errorf("%s: %q is %s", reason, part, c.Level)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", reason, strings.Join(got, " "), want)
		}
	}
}

// TestPassing looks at a stick that has been gone for a moment.
func TestPassing(t *testing.T) {
	facts := well()
	out(&facts, "starting", "")
	facts.Routes[0].State = otp.RouteComing
	if d := facts.Diagnose(); d.Level != admin.Amber {
		t.Errorf("got %s", d)
	}
}

// TestServerOfARelay tells a relay whose server is gone from one that was not
// asked for, and says both of one that has two troubles.
func TestServerOfARelay(t *testing.T) {
	said := func(change func(*admin.Facts)) (all []string) {
		facts := well()
		change(&facts)
		for _, c := range facts.Diagnose().Checks {
			if c.Name == "backup relay" {
				all = append(all, string(c.Level)+" "+c.Text)
			}
		}
		return all
	}
	const ready = "0 messages wait, and 7 of 100 a day were sent."
	for name, test := range map[string]struct {
		got, want []string
	}{
		"reached": {said(func(*admin.Facts) {}), []string{"green It is ready, and its server can be reached; " + ready}},
		"unasked": {said(func(f *admin.Facts) { f.Servers = nil }), []string{"green It is ready; " + ready}},
		"gone":    {said(func(f *admin.Facts) { serve(f, "unreachable", "") }), []string{"red Its server cannot be reached."}},
		"both": {said(func(f *admin.Facts) {
			serve(f, "unreachable", "")
			f.Routes[1].State, f.Routes[1].Reason = otp.RouteDown, "throttled"
		}), []string{"red Its server cannot be reached.", "amber The provider asks for a pause."}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %q, want %q", name, test.got, test.want)
		}
	}
}

// TestNumbers keeps whole numbers out of what people paste into a forum.
func TestNumbers(t *testing.T) {
	facts := well()
	text := facts.Diagnose().String()
	for _, secret := range []string{"490154203237518", "8941000000000000014", "41794999000"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told: %s", secret, text)
		}
	}
}

func TestGolden(t *testing.T) {
	sound, sick := well(), well()
	out(&sick, "sim_pin", "")
	sick.Disk.Low, sick.Clock.Synchronised, sick.Machine.Power = true, false, "dipped"
	for name, facts := range map[string]admin.Facts{"well": sound, "sick": sick} {
		d := facts.Diagnose()
		if name == "sick" {
			d.Fixed = []string{"nobody else may read the keys any more"}
		}
		webtest.Golden(t, name+".txt", d.String()+"\n")
		text, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		webtest.Golden(t, name+".json", string(text)+"\n")
	}
}
