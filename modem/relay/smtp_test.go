package relay_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// mailServer speaks as much SMTP as a client of one mail needs. What it answers
// to a command can be told otherwise: by the command's word, "." for the end of
// the mail, "" for the greeting. "hang up" closes the connection instead.
type mailServer struct {
	net.Listener
	tls     *tls.Config // nil: it knows no STARTTLS
	answers map[string]string

	mu        sync.Mutex
	mails     []string
	login     string // user and password, if they came
	plaintext bool   // something but EHLO and STARTTLS came unencrypted
}

func newMailServer(t *testing.T, p *provider, answers map[string]string) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{Listener: l, answers: answers}
	if p != nil {
		s.tls = &tls.Config{Certificates: p.TLS.Certificates}
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
	})
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	in, encrypted := bufio.NewReader(conn), false
	say := func(word, usual string) bool {
		if told, ok := s.answers[word]; ok {
			usual = told
		}
		if usual == "hang up" {
			return false
		}
		fmt.Fprint(conn, usual+"\r\n")
		return true
	}
	if !say("", "220 mail.example.com ESMTP") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		s.mu.Lock()
		s.plaintext = s.plaintext || !encrypted && word != "EHLO" && word != "STARTTLS" && word != "QUIT" && word != "HELO"
		s.mu.Unlock()
		ok := true
		switch word {
		case "EHLO":
			lines := "250-mail.example.com\r\n250-8BITMIME\r\n"
			if s.tls != nil && !encrypted {
				lines += "250-STARTTLS\r\n"
			}
			ok = say("EHLO", lines+"250 AUTH PLAIN")
		case "STARTTLS":
			if ok = say("STARTTLS", "220 go ahead"); ok && s.tls != nil {
				conn = tls.Server(conn, s.tls)
				in, encrypted = bufio.NewReader(conn), true
			}
		case "AUTH":
			plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			s.mu.Lock()
			s.login = strings.ReplaceAll(strings.TrimPrefix(string(plain), "\x00"), "\x00", ":")
			s.mu.Unlock()
			ok = say("AUTH", "235 welcome")
		case "DATA":
			if ok = say("DATA", "354 go on"); !ok || s.answers["DATA"] != "" {
				break
			}
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, b.String())
			s.mu.Unlock()
			ok = say(".", "250 queued")
		case "QUIT":
			say("QUIT", "221 bye")
			return
		default:
			ok = say(word, "250 ok")
		}
		if !ok {
			return
		}
	}
}

// mailing is a relay to the server, with a subject of its own or "".
func mailing(t *testing.T, p *provider, s *mailServer, subject string) *relay.Relay {
	t.Helper()
	return open(t, relay.Config{
		Kind: "smtp", URL: "smtp://" + s.Addr().String(), From: "Zoë's Shop <codes@example.com>", User: "codes", SecretFile: secretFile(t, key),
		Subject: subject, CAFile: p.authority(t), Allow: loopback, Now: now, Timeout: 5 * time.Second,
	})
}

// toMail is a code to an address of mail.
func toMail() otp.Outgoing {
	out := outgoing()
	out.Dial = "ann@example.org"
	return out
}

func TestMail(t *testing.T) {
	p := newProvider(t, nil)
	s := newMailServer(t, p, nil)
	r := mailing(t, p, s, "Ihr Code für Zoë")
	if got := r.Status(); len(got.Channels) != 1 || got.Channels[0] != otp.ChannelEmail {
		t.Errorf("status %+v", got)
	}
	if v := r.Send(t.Context(), toMail()); v.Outcome != otp.Sent || v.Ref != "" {
		t.Fatalf("got %+v", v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plaintext || s.login != "codes:"+key || len(s.mails) != 1 {
		t.Fatalf("plain %v, login %q, %d mails", s.plaintext, s.login, len(s.mails))
	}
	m, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Ihr Code für Zoë" || m.Header.Get("Auto-Submitted") != "auto-generated" ||
		m.Header.Get("Message-Id") != "<"+id.String()+"@example.com>" {
		t.Errorf("header %v, %v", m.Header, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(now().Std()) {
		t.Errorf("date %v, %v", date, err)
	}
	if m.Header.Get("User-Agent") != "" || m.Header.Get("X-Mailer") != "" {
		t.Errorf("the mail tells what wrote it: %v", m.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.ReplaceAll(strings.TrimSpace(string(body)), "\r\n", "\n"); err != nil || got != text {
		t.Errorf("body %q, %v", body, err)
	}
}

// The subject is the config's, else the code's in its language, else a plain one;
// none of them can add a header.
func TestMailSubject(t *testing.T) {
	for _, test := range []struct{ config, code, want string }{
		{"Ihr Zugang", "Ihr Code für Zoë", "Ihr Zugang"},
		{"", "Ihr Code für Zoë", "Ihr Code für Zoë"},
		{"", "", "Your code"},
		{"", "Code\r\nBcc: eve@example.com", "Code\r\nBcc: eve@example.com"},
	} {
		p := newProvider(t, nil)
		s := newMailServer(t, p, nil)
		r := mailing(t, p, s, test.config)
		out := toMail()
		out.Subject = test.code
		if v := r.Send(t.Context(), out); v.Outcome != otp.Sent {
			t.Fatalf("got %+v", v)
		}
		s.mu.Lock()
		m, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != test.want || m.Header.Get("Bcc") != "" {
			t.Errorf("subject %q, %v, headers %v", got, err, m.Header)
		}
	}
}

func TestMailVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		answers map[string]string
		plain   bool
		outcome otp.Outcome
		retry   otp.Retry
		state   otp.RouteState
	}{
		"NoTLS":        {nil, true, otp.Refused, otp.RetryHere, otp.RouteReady},
		"TLSRefused":   {map[string]string{"STARTTLS": "454 not now"}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"Busy":         {map[string]string{"": "421 too many"}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"Login":        {map[string]string{"AUTH": "535 no"}, false, otp.Refused, otp.RetryElsewhere, otp.RouteDown},
		"LoginParrot":  {map[string]string{"AUTH": "AUTH PLAIN " + key}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"LoginOdd":     {map[string]string{"AUTH": "250 " + key}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"LoginAsks":    {map[string]string{"AUTH": "334 " + key}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"Sender":       {map[string]string{"MAIL": "550 not you"}, false, otp.Refused, otp.RetryOnce, otp.RouteReady},
		"Recipient":    {map[string]string{"RCPT": "550 nobody of that name"}, false, otp.Refused, otp.RetryNever, otp.RouteReady},
		"Greylisted":   {map[string]string{"RCPT": "451 come back"}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"DataRefused":  {map[string]string{"DATA": "554 no"}, false, otp.Refused, otp.RetryOnce, otp.RouteReady},
		"Spam":         {map[string]string{".": "554 spam"}, false, otp.Refused, otp.RetryOnce, otp.RouteReady},
		"LostAnswer":   {map[string]string{".": "hang up"}, false, otp.Unknown, otp.RetryNever, otp.RouteReady},
		"LostRecipent": {map[string]string{"RCPT": "hang up"}, false, otp.Refused, otp.RetryHere, otp.RouteReady},
		"LostAfter":    {map[string]string{"RSET": "hang up", "QUIT": "hang up"}, false, otp.Sent, otp.RetryNever, otp.RouteReady},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, nil)
			with := p
			if test.plain {
				with = nil
			}
			s := newMailServer(t, with, test.answers)
			r := mailing(t, p, s, "")
			v := r.Send(t.Context(), toMail())
			if v.Outcome != test.outcome || v.Retry != test.retry || r.Status().State != test.state {
				t.Errorf("got %+v, status %v", v, r.Status().State)
			}
			for _, secret := range []string{key, code, "ann@", "nobody"} {
				if strings.Contains(v.Detail, secret) {
					t.Errorf("the detail tells: %q", v.Detail)
				}
			}
			if s.plaintext {
				t.Error("something was said in the clear")
			}
		})
	}
}
