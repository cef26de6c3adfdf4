package simulator_test

import (
	"testing"

	"github.com/pinferry/pinferry/modem/simulator"
)

func TestRegistrationLostAndFound(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("creg=2")
		h.expect("", "") // nobody asked to be told
		h.expect("AT+CREG?;+COPS?\r", "\r\n+CREG: 0,2\r\n\r\n+COPS: 0\r\n\r\nOK\r\n")
		h.send("AT+CREG=1;+CEREG=2\r")
		h.inject("creg=5")
		h.expect("", "\r\n+CREG: 5\r\n\r\n+CEREG: 5,\"00A1\",\"0000C0DE\",7\r\n")
		h.inject("creg=5")
		h.expect("", "")
		h.modem.ClearFaults()
		h.expect("", "\r\n+CREG: 1\r\n\r\n+CEREG: 1,\"00A1\",\"0000C0DE\",7\r\n")
		h.expect("AT+CFUN=4\r", "\r\n+CREG: 0\r\n\r\n+CEREG: 0\r\n\r\nOK\r\n")
		h.expect("AT+CFUN?\r", "\r\n+CFUN: 4\r\n\r\nOK\r\n")
	})
}

func TestSignal(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("csq=3", "csq=99")
		h.expect("AT+CSQ\r", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n")
	})
}

func TestPIN(t *testing.T) {
	bubble(t, simulator.Config{PIN: "4711"}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CREG=1\r")
		h.expect("AT+CPIN?\r", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n")
		h.expect("AT+CIMI\r", "\r\n+CME ERROR: 11\r\n")
		h.expect("AT+CSCA?\r", "\r\n+CMS ERROR: 311\r\n")
		h.expect("AT+CPIN=\"0000\"\r", "\r\n+CME ERROR: 16\r\n")
		h.expect("AT+CPINR\r", "\r\n+CPINR: SIM PIN,2,3\r\n\r\nOK\r\n")
		h.expect("AT+CPIN=4711\r", "\r\n+CPIN: READY\r\n\r\n+CREG: 1\r\n\r\nOK\r\n")
		h.expect("AT+CPIN=4711\r", "\r\n+CME ERROR: 3\r\n")
		h.expect("AT+CPINR\r", "\r\n+CPINR: SIM PIN,3,3\r\n\r\nOK\r\n")

		h.modem.Reset() // a SIM without power is locked again
		h.ready()
		for range 3 {
			h.expect("AT+CPIN=\"0000\"\r", "\r\n+CME ERROR: 16\r\n")
		}
		h.expect("AT+CPIN?\r", "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n")
		h.expect("AT+CPIN=\"4711\"\r", "\r\n+CME ERROR: 3\r\n")
		h.expect("AT+CIMI\r", "\r\n+CME ERROR: 12\r\n")
	})
}

func TestSIMPulledOut(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CREG=1\r")
		h.inject("sim=missing")
		h.expect("", "\r\n+CPIN: NOT READY\r\n\r\n+CREG: 0\r\n")
		h.expect("AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n")
		h.expect("AT+CCID\r", "\r\n+CME ERROR: 10\r\n")
		h.expect("AT+CPMS?\r", "\r\n+CMS ERROR: 310\r\n")
		h.inject("sim=pin")
		h.expect("", "\r\n+CPIN: SIM PIN\r\n")
		h.expect("AT+CPIN=\"0000\"\r", "\r\n+CPIN: READY\r\n\r\n+CREG: 1\r\n\r\nOK\r\n")
	})
}
