package server

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// Arrival is an SMS that the virtual handset of a demo received.
type Arrival struct {
	To, Text string
	At       otp.Time
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
