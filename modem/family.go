package modem

import "slices"

// family is what is known beforehand of the modems of one make that share the
// layout of their USB interfaces. It is data: what a family does differently
// is a column here and never a branch elsewhere.
//
// An interface goes by its number, "if02", or by its class, subclass and
// protocol, "ff/02/12", all in hex. The layouts are those of the makers' USB
// descriptors and of the udev rules of the ModemManager project (facts of
// version 1.20).
type family struct {
	// name is how people call it.
	name string
	// vendor and products are the USB ids.
	vendor   uint16
	products []uint16
	// ports are the interfaces that take commands, the best first. Nothing is
	// ever written to another one of a stick that was found by itself.
	ports []string
	// closed are the interfaces that are for diagnosis, positions, sound or the
	// SIM: commands there do harm, so they are refused even to a device that the
	// configuration names. They win over ports.
	closed []string
	// careful marks serial bridges, behind which there may be anything: they are
	// asked last, and less and less.
	careful bool
}

// The layouts that several families share.
var (
	qualcomm       = []string{"if02", "if03"}
	qualcommClosed = []string{"if00", "if01", "if04"}
	huawei         = []string{"ff/01/02", "ff/02/02", "ff/03/02", "ff/01/12", "ff/02/12", "ff/06/12"}
	huaweiClosed   = []string{
		"ff/01/03", "ff/02/03", "ff/03/03", "ff/01/13", "ff/02/13", "ff/06/13", // diagnosis
		"ff/01/05", "ff/02/05", "ff/01/14", "ff/02/14", "ff/06/14", // positions
	}
)

// families are looked through in order: the first that fits counts. A family
// without products is the rest of its vendor.
var families = []family{
	{name: "Quectel", vendor: 0x2c7c, products: []uint16{0x0121, 0x0125, 0x0191, 0x0195, 0x0296, 0x0306, 0x0512, 0x0700, 0x0800}, ports: qualcomm, closed: qualcommClosed},
	{name: "Quectel UC20, EC20", vendor: 0x05c6, products: []uint16{0x9003, 0x9090, 0x9215}, ports: qualcomm, closed: qualcommClosed},
	{name: "SIMCom SIM5320", vendor: 0x05c6, products: []uint16{0x9000}, ports: qualcomm, closed: qualcommClosed},
	{name: "SIMCom SIM7000, SIM7600", vendor: 0x1e0e, products: []uint16{0x9001}, ports: qualcomm, closed: qualcommClosed},
	{name: "SIMCom SIM7080", vendor: 0x1e0e, products: []uint16{0x9205}, ports: qualcomm, closed: qualcommClosed},
	{name: "SIMCom SIM7080", vendor: 0x1e0e, products: []uint16{0x9206}, ports: []string{"if02", "if05"}, closed: []string{"if00", "if01", "if03", "if04"}},
	{name: "SIMCom", vendor: 0x1e0e, products: []uint16{0x9100, 0x9200}, ports: []string{"if03", "if01"}},

	{name: "Huawei", vendor: 0x12d1, products: []uint16{0x1001, 0x140c, 0x1442, 0x1506}, ports: append(slices.Clip(huawei), "if02", "if00"), closed: huaweiClosed},
	{name: "Huawei", vendor: 0x12d1, ports: append(slices.Clip(huawei), "if00"), closed: huaweiClosed},

	{name: "ZTE", vendor: 0x19d2, products: []uint16{0x0015}, ports: []string{"if01", "if03"}},
	{name: "ZTE", vendor: 0x19d2, products: []uint16{0x0031, 0x0063, 0x0104, 0x0108, 0x1008}, ports: []string{"if03", "if01"}, closed: []string{"if00"}},
	{name: "ZTE", vendor: 0x19d2, products: []uint16{0x0016, 0x0017, 0x0117}, ports: []string{"if02", "if01"}, closed: []string{"if00"}},
	{name: "ZTE", vendor: 0x19d2, products: []uint16{0x1515}, ports: []string{"if00", "if02"}},

	{name: "u-blox SARA-U2, TOBY-R2, LARA-R2", vendor: 0x1546, products: []uint16{0x1102, 0x1107, 0x110a}, ports: []string{"if00", "if02", "if04"}, closed: []string{"if06", "if08", "if0a", "if0c"}},
	{name: "u-blox SARA-U2", vendor: 0x1546, products: []uint16{0x1104}, ports: []string{"if00"}, closed: []string{"if02", "if04", "if06"}},
	{name: "u-blox TOBY-L4", vendor: 0x1546, products: []uint16{0x1010}, ports: []string{"if06"}, closed: []string{"if02", "if04", "if08"}},
	{name: "u-blox TOBY-L2", vendor: 0x1546, products: []uint16{0x1141, 0x1143, 0x1146}, ports: []string{"02/02/01"}},
	{name: "u-blox GNSS receiver", vendor: 0x1546, products: []uint16{0x01a5, 0x01a6, 0x01a7, 0x01a8, 0x01a9}, closed: []string{"if00", "if01"}},

	// Boards with a SIM800 or its like.
	{name: "board behind a CH340", vendor: 0x1a86, products: []uint16{0x5523, 0x7523, 0x55d4}, ports: []string{"if00"}, careful: true},
	{name: "board behind a CP210x", vendor: 0x10c4, products: []uint16{0xea60}, ports: []string{"if00"}, careful: true},
	{name: "board behind a PL2303", vendor: 0x067b, products: []uint16{0x2303}, ports: []string{"if00"}, careful: true},
	{name: "board behind an FT232", vendor: 0x0403, products: []uint16{0x6001}, ports: []string{"if00"}, careful: true},
}

// disguise is a stick that is plugged in as something else than a modem, and
// what turns it into one. The ids and messages are those of the data that comes
// with usb_modeswitch (facts of 2019-11-28).
type disguise struct {
	vendor   uint16
	products []uint16
	name     string // what it is now
	flags    string // of usb_modeswitch, behind its -v and -p; "" if it cannot switch it from here
	advice   string // instead of the command
}

var disguises = []disguise{
	{vendor: 0x12d1, products: []uint16{0x1f01}, name: "a disk", flags: "-X"},
	{vendor: 0x12d1, products: []uint16{0x1446, 0x14d1, 0x14fe, 0x1505, 0x1520, 0x155b}, name: "a disk", flags: "-J"},
	{vendor: 0x12d1, products: []uint16{0x14db, 0x14dc}, name: "a router (HiLink)",
		advice: "Set DisableSwitching=1 in /etc/usb_modeswitch.conf, plug the stick in again, and run: sudo usb_modeswitch -v 12d1 -p 1f01 -X"},
	{vendor: 0x19d2, products: []uint16{0x0083, 0x0120, 0x0149, 0x2000}, name: "a disk", flags: "-K"},
	{vendor: 0x19d2, products: []uint16{0x1405}, name: "a router",
		advice: "It has no serial port in this mode. Switch it to modem mode in its own web page, or use another stick."},
	{vendor: 0x1bbb, products: []uint16{0xf000}, name: "a disk", flags: "-M 55534243123456788000000080000606f50402527000000000000000000000"},
	{vendor: 0x1e0e, products: []uint16{0xf000}, name: "a disk", flags: "-n -M 555342431234567800000000000006bd000000020000000000000000000000"},
	{vendor: 0x1c9e, products: []uint16{0xf000}, name: "a disk", flags: "-M 55534243123456788000000080000606f50402527000000000000000000000"},
	{vendor: 0x2357, products: []uint16{0x0200}, name: "a disk", flags: "-K"},
}

// familyOf returns the family of a USB device, or nil.
func familyOf(vendor, product uint16) *family {
	i := slices.IndexFunc(families, func(f family) bool {
		return f.vendor == vendor && (len(f.products) == 0 || slices.Contains(f.products, product))
	})
	if i < 0 {
		return nil
	}
	return &families[i]
}

// disguiseOf returns what a USB device is instead of a modem, or nil.
func disguiseOf(vendor, product uint16) *disguise {
	i := slices.IndexFunc(disguises, func(d disguise) bool {
		return d.vendor == vendor && slices.Contains(d.products, product)
	})
	if i < 0 {
		return nil
	}
	return &disguises[i]
}
