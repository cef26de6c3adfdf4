package server

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/login"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Arrival is an SMS that the virtual handset of a demo received.
type Arrival struct {
	To, Text string
	At       otp.Time
}

// DemoRedirects returns where the sign-in page of a demo on this port may send
// people back to: a page of the demo itself, under either name of this machine.
func DemoRedirects(port string) []string {
	return []string{"http://127.0.0.1:" + port + login.DemoDonePath, "http://localhost:" + port + login.DemoDonePath}
}

type arrivalWire struct {
	To   string   `json:"to"`
	Text string   `json:"text"`
	At   web.Time `json:"at"`
}

// handset answers GET /demo/handset with every SMS that has arrived. It is the
// one answer that shows a code, and it is mounted in a demo only.
func (s *Server) handset(c *web.Call) error {
	arrivals := s.config.Handset()
	answer := make([]arrivalWire, len(arrivals))
	for i, a := range arrivals {
		answer[i] = arrivalWire{a.To, a.Text, web.Time(a.At)}
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// TextBody is the body of POST /demo/handset.
type TextBody struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// text answers POST /demo/handset: the handset texts the box.
func (s *Server) text(c *web.Call) error {
	var body TextBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	if err := s.config.Text(body.From, body.Text); err != nil {
		return web.Invalid(`"from" must be a number or a name of at most 11 characters, and "text" must not be empty.`)
	}
	return c.Empty()
}
