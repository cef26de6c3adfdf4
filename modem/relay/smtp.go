package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/pinferry/pinferry/otp"
)

// smtp is a mail server that takes messages for the whole world, for the
// channel email: the address to dial is that of a mail. The connection is
// encrypted by STARTTLS before a password or a code goes over it, or it is not
// used.
func smtp() kind {
	return kind{
		name: "smtp", needs: []string{"url", "from"}, takes: []string{"user", "secret_file", "subject"},
		form: form{channel: otp.ChannelEmail}, mail: true,
		check: func(c *Config) error {
			if _, err := mail.ParseAddress(c.From); err != nil {
				return errors.New(`from: write an address of mail, "Shop <codes@example.com>"`)
			}
			if _, _, err := c.mailServer(); err != nil {
				return err
			}
			if (c.User == "") != (c.SecretFile == "") {
				return errors.New("user, secret_file: give both or none")
			}
			return nil
		},
	}
}

// submission is the port of mail servers that take mail from clients.
const submission = 587

// mailServer reads url.
func (c *Config) mailServer() (host string, port int, err error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" {
		return "", 0, errors.New(`url: write "smtp://mail.example.com:587"`)
	}
	if u.Port() == "" {
		return u.Hostname(), submission, nil
	}
	port, err = strconv.Atoi(u.Port())
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("url: %q is no port", u.Port())
	}
	return u.Hostname(), port, nil
}

// mailer hands mails to a server, a connection each.
type mailer struct {
	config *Config
	secret string
	host   string
	port   int
	way    *Egress
}

func newMailer(config *Config, secret string, way *Egress) (*mailer, error) {
	host, port, err := config.mailServer()
	return &mailer{config, secret, host, port, way}, err
}

// carry implements carrier.
func (m *mailer) carry(ctx context.Context, out otp.Outgoing) (otp.Verdict, rest) {
	message, err := m.write(out)
	if err != nil {
		return refused(otp.ReasonRecipient, otp.RetryNever, "the address is none of mail"), rest{}
	}
	ctx, cancel := context.WithTimeout(ctx, m.way.config.Timeout)
	defer cancel()
	client, err := m.client(ctx, m.way, true)
	if err != nil {
		return refused(otp.ReasonRoute, otp.RetryElsewhere, "the mail server's settings cannot be used"), rest{}
	}
	server, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return unconnected(ctx, err)
	}
	defer client.CloseWithSMTPClient(server)
	err = client.SendWithSMTPClient(server, message)
	if message.IsDelivered() {
		return otp.Verdict{Outcome: otp.Sent, Detail: "the mail server has it"}, rest{}
	}
	return undelivered(err), rest{}
}

// write returns the mail.
func (m *mailer) write(out otp.Outgoing) (*gomail.Msg, error) {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent()) // nobody need know what writes them, and which version
	if err := errors.Join(message.From(m.config.From), message.To(out.Dial)); err != nil {
		return nil, err
	}
	message.Subject(cmp.Or(m.config.Subject, out.Subject, "Your code"))
	sender := message.GetFrom()[0].Address
	message.SetMessageIDWithValue(out.Message.String() + sender[strings.LastIndex(sender, "@"):])
	message.SetDateWithValue(m.config.Now().Std())
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, out.Text)
	return message, nil
}

// client returns what speaks SMTP on a connection that ends with ctx. Only one
// that is to log in learns user and password.
func (m *mailer) client(ctx context.Context, way *Egress, login bool) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(way.tls(m.host)),
		gomail.WithTimeout(way.config.Timeout), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			conn, err := way.Dial(ctx, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		}),
	}
	if login && m.config.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.config.User), gomail.WithPassword(m.secret))
	}
	return gomail.NewClient(m.host, options...)
}

// unconnected is the verdict when the server was not ready for a mail. An answer
// of the server may repeat what it was told, so only its number is kept.
func unconnected(ctx context.Context, err error) (otp.Verdict, rest) {
	code := replyCode(err)
	switch {
	case code == 530 || code == 534 || code == 535:
		detail := "the mail server answers " + strconv.Itoa(code)
		return refused(otp.ReasonRoute, otp.RetryElsewhere, detail), rest{
			otp.RouteDown, downRights, "The mail server refuses this box: check user and secret_file. " + detail, restRights,
		}
	case code >= 400:
		return refused(otp.ReasonTemporary, otp.RetryHere, "the mail server answers "+strconv.Itoa(code)), rest{}
	}
	return unanswered(ctx, &Fault{Err: plain(err)})
}

// undelivered is the verdict on a mail that the server did not confirm.
func undelivered(err error) otp.Verdict {
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonNoAnswer, Detail: "the mail server was lost"}
	}
	code := failed.ErrorCode()
	detail := "the mail server answers " + strconv.Itoa(code)
	switch {
	case code == 0 && (failed.Reason == gomail.ErrSMTPDataClose || failed.Reason == gomail.ErrWriteContent):
		return otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonNoAnswer, Detail: "no answer after the mail was handed over"}
	case code < 500: // for now, or lost before the mail was handed over
		return refused(otp.ReasonTemporary, otp.RetryHere, detail)
	case failed.Reason == gomail.ErrSMTPRcptTo:
		return refused(otp.ReasonRecipient, otp.RetryNever, detail)
	}
	return refused(otp.ReasonRoute, otp.RetryOnce, detail)
}

// replyCode finds the number of a server's answer in an error, 0 if there is
// none.
func replyCode(err error) int {
	var failed *gomail.SendError
	if errors.As(err, &failed) {
		return failed.ErrorCode()
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}
