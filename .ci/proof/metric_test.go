package proof

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// promised are the names of metrics that dashboards of others may rely on.
var promised = []string{
	"pinferry_otp_requests_total{app,channel,result}", "pinferry_otp_verifications_total{app,result}",
	"pinferry_sms_messages_total{route,result}", "pinferry_sms_delivery_seconds_bucket{route,le}",
	"pinferry_sms_handover_seconds_bucket{route,le}", "pinferry_queue_messages{}", "pinferry_queue_oldest_seconds{}",
	"pinferry_route_ready{route}", "pinferry_modem_up{modem}", "pinferry_modem_signal_dbm{modem}",
	"pinferry_modem_registered{modem,state}", "pinferry_modem_recoveries_total{modem,step}", "pinferry_sim_balance{modem}",
	"pinferry_sim_pin_retries{modem}", "pinferry_rate_limited_total{rule}", "pinferry_fraud_blocked_total{reason}",
	"pinferry_webhook_deliveries_total{app,result}", "pinferry_http_requests_total{path,status}", "pinferry_db_bytes{}",
	"pinferry_disk_free_bytes{}", "pinferry_clock_synced{}", "pinferry_build_info{version}",
}

// scrape is what a box shows at /metrics: for each name its series, and of each
// series its labels.
type scrape struct {
	text   string
	series map[string][]map[string]string
}

var (
	seriesForm = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)
	labelForm  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
)

func (b *box) scrape() scrape {
	b.t.Helper()
	s := scrape{text: string(b.call(200, "GET", "/metrics", "").body), series: map[string][]map[string]string{}}
	for line := range strings.Lines(s.text) {
		parts := seriesForm.FindStringSubmatch(strings.TrimSpace(line))
		if parts == nil || !strings.HasPrefix(parts[1], "pinferry_") {
			continue
		}
		labels := map[string]string{}
		for _, l := range labelForm.FindAllStringSubmatch(parts[2], -1) {
			labels[l[1]] = l[2]
		}
		s.series[parts[1]] = append(s.series[parts[1]], labels)
	}
	return s
}

// has tells whether a series of this name has the label, with this value if one
// is given.
func (s scrape) has(name, label, value string) bool {
	return slices.ContainsFunc(s.series[name], func(labels map[string]string) bool {
		got, ok := labels[label]
		return ok && (value == "" || got == value)
	})
}

// busyBox is a box with one stick, whose SIM has a balance, after some traffic:
// a code that came back at the second try, a message, a refusal and an SMS from
// outside.
func busyBox(t *testing.T) *box {
	t.Helper()
	secret := t.TempDir() + "/shop.whsec"
	must(t, os.WriteFile(secret, []byte("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"), 0o600))
	m := newModem(t)
	b := newBoxWith(t, fmt.Sprintf(`
[[modem]]
name = "gsm0"
device = %q
balance = "*100#"
[[app]]
id = "shop"
mode = "test"
countries = ["CH"]
webhook = "http://127.0.0.1:1/"
webhook_secret_file = %q
webhook_allow = ["127.0.0.1"]
webhook_insecure = true
keys = ["sha256:0000000000000000000000000000000000000000000000000000000000000000"]
`, m.link, secret))
	b.start()
	id := b.call(201, "POST", "/v1/verifications", startBody(number(1))).field(t, "id")
	b.eventually("at the handset", 20*time.Second, func() bool { return m.code(number(1)) != "" })
	b.call(422, "POST", "/v1/verifications/"+id+"/check", checkBody(wrong(m.code(number(1))), ""))
	b.call(200, "POST", "/v1/verifications/"+id+"/check", checkBody(m.code(number(1)), ""))
	b.call(400, "POST", "/v1/verifications", startBody("+41900123456"))
	b.call(202, "POST", "/v1/messages", fmt.Sprintf(`{"to":%q,"text":"hello"}`, number(2)))
	io.WriteString(m.stdin, "sms "+number(3)+" hello\n")
	b.eventually("received", 20*time.Second, func() bool {
		return strings.Contains(string(b.call(200, "GET", "/metrics", "").body), "pinferry_inbound_messages_total")
	})
	b.eventually("delivered", 20*time.Second, func() bool {
		return strings.Contains(string(b.call(200, "GET", "/metrics", "").body), `pinferry_sms_messages_total{route="gsm0",result="delivered"} 2`)
	})
	return b
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	live := busyBox(t).scrape()
	for _, promise := range promised {
		name, rest, _ := strings.Cut(promise, "{")
		if len(live.series[name]) == 0 {
			t.Errorf("there is no %s", name)
			continue
		}
		want := strings.FieldsFunc(strings.TrimSuffix(rest, "}"), func(r rune) bool { return r == ',' })
		for _, labels := range live.series[name] {
			if len(labels) != len(want) {
				t.Errorf("%s has the labels %v, want %v", name, labels, want)
			}
			for _, label := range want {
				if _, ok := labels[label]; !ok {
					t.Errorf("%s has no label %s", name, label)
				}
			}
		}
	}
	if strings.Contains(live.text, number(1)[1:]) || strings.Contains(live.text, "41900") {
		t.Error("a number stands in the metrics")
	}
	for _, value := range []string{
		`pinferry_fraud_blocked_total{reason="number_class"} 1`, `pinferry_otp_verifications_total{app="proof",result="approved"} 1`,
		`pinferry_modem_up{modem="gsm0"} 1`, `pinferry_modem_registered{modem="gsm0",state="home"} 1`,
	} {
		if !strings.Contains(live.text, value+"\n") {
			t.Errorf("not shown: %s", value)
		}
	}

	t.Run("dashboard", func(t *testing.T) {
		var dashboard struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr, LegendFormat string }
			}
		}
		text, err := os.ReadFile("../../systemd/pinferry-dashboard.json")
		must(t, err)
		must(t, json.Unmarshal(text, &dashboard))
		queries := 0
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				queries++
				live.wantQuery(t, panel.Title, target.Expr, target.LegendFormat)
			}
		}
		if queries < 20 {
			t.Errorf("only %d queries were read", queries)
		}
	})
	t.Run("guide", func(t *testing.T) {
		text, err := os.ReadFile("../../server/docs/guides/monitor.html")
		must(t, err)
		rows := regexp.MustCompile(`<th scope="row">(.*?)</th><td>([a-z, ]*)</td>`).FindAllStringSubmatch(string(text), -1)
		if len(rows) < len(promised)-2 {
			t.Errorf("only %d metrics were read", len(rows))
		}
		for _, row := range rows {
			for _, use := range useForm.FindAllStringSubmatch(row[1], -1) {
				name := use[1]
				if strings.HasSuffix(name, "_seconds") && len(live.series[name]) == 0 {
					name += "_count" // of a histogram
				}
				if len(live.series[name]) == 0 {
					t.Errorf("a box shows no %s", name)
				}
				for _, label := range strings.FieldsFunc(row[2], func(r rune) bool { return r == ',' || r == ' ' }) {
					if !live.has(name, label, "") {
						t.Errorf("%s has no label %s", name, label)
					}
				}
			}
		}
	})
	t.Run("alerts", func(t *testing.T) {
		text, err := os.ReadFile("../../systemd/pinferry-alerts.yml")
		must(t, err)
		rules := strings.Split(string(text), "- alert: ")[1:]
		if len(rules) < 8 {
			t.Errorf("only %d rules were read", len(rules))
		}
		for _, rule := range rules {
			title, body, _ := strings.Cut(rule, "\n")
			expr, words, _ := strings.Cut(body, "annotations:")
			live.wantQuery(t, title, expr, words)
		}
	})
}

var (
	useForm   = regexp.MustCompile(`(pinferry_[a-z_]+)(?:\{([^}]*)\})?`)
	matchForm = regexp.MustCompile(`([a-z_]+)(=~|=)"([^"]*)"`)
	byForm    = regexp.MustCompile(`by \(([a-z, ]+)\)`)
	wordForm  = regexp.MustCompile(`(?:\{\{|\$labels\.)([a-z_]+)`)
)

// wantQuery holds a query and the words that go with its result against what a
// box shows: each name, each label and each value that is named must be there.
// The label instance is the scraper's.
func (s scrape) wantQuery(t *testing.T, title, expr, words string) {
	t.Helper()
	var names []string
	for _, use := range useForm.FindAllStringSubmatch(expr, -1) {
		name := use[1]
		names = append(names, name)
		if len(s.series[name]) == 0 {
			t.Errorf("%s: a box shows no %s", title, name)
			continue
		}
		for _, match := range matchForm.FindAllStringSubmatch(use[2], -1) {
			if match[1] == "instance" {
				continue
			}
			values := []string{match[3]}
			if match[2] == "=~" {
				values = strings.Split(match[3], "|")
			}
			for _, value := range values {
				if !s.has(name, match[1], value) {
					t.Errorf("%s: a box shows no %s{%s=%q}", title, name, match[1], value)
				}
			}
		}
	}
	if len(names) == 0 && !strings.Contains(expr, `up{job="pinferry"}`) {
		t.Errorf("%s: no metric was read in %s", title, expr)
	}
	used := wordForm.FindAllStringSubmatch(words, -1)
	for _, by := range byForm.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(by[1], ",") {
			used = append(used, []string{"", strings.TrimSpace(label)})
		}
	}
	for _, label := range used {
		if label[1] != "instance" && !slices.ContainsFunc(names, func(name string) bool { return s.has(name, label[1], "") }) {
			t.Errorf("%s: none of %v has the label %s", title, names, label[1])
		}
	}
}
