package web_test

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

const door = "strike"

// twoApps are shop, which has the door, and till, which has not.
func twoApps(t *testing.T) *otp.Apps {
	t.Helper()
	app := func(id string, doors ...string) otp.App {
		return otp.App{
			ID: id, Aliases: []string{id + "-2"}, Countries: []string{"*"}, Doors: doors, Sessions: true, Hosts: []string{id + ".example"},
			Keys: [][32]byte{sha256.Sum256([]byte("pk_" + id)), sha256.Sum256([]byte("sk_" + id))}, Backends: []netip.Prefix{netip.MustParsePrefix("192.0.2.10/32")},
		}
	}
	apps, err := otp.NewApps([]otp.App{app("shop", "native", door), app("till", "native")}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

var visitor, backend = netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("192.0.2.10")

// TestCallers names an app by its id and by a key, with every kind of key in
// either place, and looks at whom the limits then count.
func TestCallers(t *testing.T) {
	callers := web.NewCallers(twoApps(t), door)
	const elsewhere = "203.0.113.9"
	for name, test := range map[string]struct {
		id, key string // id "" asks by the key
		client  netip.Addr
		headers map[string]string
		address netip.Addr
		secret  bool
		refused otp.Code
	}{
		"ID":             {id: "shop", client: visitor, address: visitor},
		"Alias":          {id: "shop-2", client: visitor, address: visitor},
		"Backend":        {id: "shop", client: backend},
		"UnknownID":      {id: "none", refused: otp.UnknownApp},
		"NoID":           {id: " ", refused: otp.UnknownApp},
		"ClosedDoor":     {id: "till", refused: otp.UnknownApp},
		"Encoded":        {id: "sho%70", refused: otp.UnknownApp},
		"OtherCase":      {id: "Shop", refused: otp.UnknownApp},
		"Publishable":    {id: "shop", key: "pk_shop", client: visitor, address: visitor},
		"Secret":         {id: "shop", key: "sk_shop", client: visitor, secret: true},
		"SecretInHeader": {id: "shop", client: visitor, headers: map[string]string{"X-Pinferry-Key": "sk_shop"}, secret: true},
		"OthersKey":      {id: "shop", key: "sk_till", refused: otp.Unauthorized},
		"OthersHeader":   {id: "shop", headers: map[string]string{"X-Pinferry-Key": "sk_till"}, refused: otp.Unauthorized},
		"NoKey":          {id: "shop", key: "sk_none", refused: otp.Unauthorized},
		"LongKey":        {id: "shop", key: "sk_" + strings.Repeat("x", 300), refused: otp.Unauthorized},
		"ForeignSecret":  {id: "shop", key: "eyJhbGciOi", refused: otp.Unauthorized},

		"ByKey":         {key: "pk_shop", client: visitor, address: visitor},
		"ByHeader":      {client: visitor, headers: map[string]string{"X-Pinferry-Key": "sk_shop"}, secret: true},
		"ByForeignKey":  {key: "eyJhbGciOi", client: visitor, address: visitor},
		"ByNoKey":       {client: visitor, address: visitor}, // the only app with the door
		"ByWrongKey":    {key: "pk_none", refused: otp.Unauthorized},
		"ByKeyOfClosed": {key: "sk_till", refused: otp.Unauthorized},

		"EndUser":          {id: "shop", key: "sk_shop", client: backend, headers: map[string]string{"Pinferry-Client-IP": elsewhere}, address: netip.MustParseAddr(elsewhere), secret: true},
		"EndUserMapped":    {id: "shop", key: "sk_shop", headers: map[string]string{"Pinferry-Client-IP": "::ffff:" + elsewhere}, address: netip.MustParseAddr(elsewhere), secret: true},
		"EndUserOfAnybody": {id: "shop", client: visitor, headers: map[string]string{"Pinferry-Client-IP": elsewhere}, refused: otp.InvalidRequest},
		"EndUserOfPage":    {id: "shop", key: "pk_shop", headers: map[string]string{"Pinferry-Client-IP": elsewhere}, refused: otp.InvalidRequest},
		"EndUserOfBackend": {id: "shop", client: backend, headers: map[string]string{"Pinferry-Client-IP": elsewhere}, refused: otp.InvalidRequest},
		"EndUserWithZone":  {id: "shop", key: "sk_shop", headers: map[string]string{"Pinferry-Client-IP": "fe80::1%eth0"}, refused: otp.InvalidRequest},
		"EndUserTwice":     {id: "shop", key: "sk_shop", headers: map[string]string{"Pinferry-Client-IP": elsewhere + ", " + elsewhere}, refused: otp.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall("", "")
			c.Client = test.client
			for name, value := range test.headers {
				c.HTTP.Request.Header.Set(name, value)
			}
			var caller otp.Caller
			var err error
			if test.id != "" {
				caller, err = callers.ByID(c, test.id, test.key)
			} else {
				caller, err = callers.ByKey(c, test.key)
			}
			if test.refused != "" {
				if e := otp.AsError(err); e == nil || e.Code != test.refused || c.Caller.App != nil {
					t.Fatalf("got %v, the call is %+v's", err, c.Caller)
				}
				return
			}
			as := "shop"
			if test.id != "" {
				as = test.id
			}
			if err != nil || caller.App.ID != "shop" || caller.As != as || caller.Door != door || caller.Secret != test.secret || caller.Address != test.address || c.Caller != caller {
				t.Errorf("got %+v, %v", caller, err)
			}
		})
	}
}

// TestCallersOfAHost has two apps with the door, of which the host chooses.
func TestCallersOfAHost(t *testing.T) {
	callers := web.NewCallers(twoApps(t), "native")
	for host, want := range map[string]string{"shop.example": "shop", "TILL.example:7467": "till", "other.example": "", "": ""} {
		c := newCall("", "")
		c.HTTP.Request.Header.SetHost(host)
		caller, err := callers.ByKey(c, "")
		if want == "" && otp.AsError(err).Code != otp.UnknownApp || want != "" && (err != nil || caller.App.ID != want) {
			t.Errorf("%q: got %+v, %v", host, caller, err)
		}
	}
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc": "abc", "bearer abc": "abc", "BEARER abc": "abc", "Bearer ": "", "Bearer": "", "": "",
		"Basic abc": "", "Bearerabc": "", "Bearer  abc": " abc", "Bearer a b": "a b", "Basic Bearer abc": "",
	} {
		c := newCall("", "")
		c.HTTP.Request.Header.Set("Authorization", header)
		if got := c.Bearer(); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
