package modem

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// usbDevice is a USB device as the kernel shows it in sysfs.
type usbDevice struct {
	folder          string // its real path in sysfs, by which it is claimed
	vendor, product uint16
	bus, number     int // where it is below /dev/bus/usb; 0 is unknown
	ports           []usbPort
}

// usbPort is a serial port of a USB device.
type usbPort struct {
	tty    string // "ttyUSB2"
	number string // of its interface: "if02"
	class  string // of its interface: "ff/02/12"
}

// is tells whether the port goes by one of names; see [family].
func (p usbPort) is(names []string) bool {
	return slices.Contains(names, p.number) || slices.Contains(names, p.class)
}

// id returns the ids in the form of lsusb: "2c7c:0125".
func (d *usbDevice) id() string { return fmt.Sprintf("%04x:%04x", d.vendor, d.product) }

// socket is where the device is plugged in: "1-1.2".
func (d *usbDevice) socket() string { return filepath.Base(d.folder) }

// plug names the device for as long as it stays plugged in.
func (d *usbDevice) plug() string { return fmt.Sprintf("%s %d", d.folder, d.number) }

// candidates are the ports that may take commands, in the order of the family.
func (d *usbDevice) candidates(f *family) []usbPort {
	var all []usbPort
	for _, name := range f.ports {
		for _, p := range d.ports {
			if p.is([]string{name}) && !p.is(f.closed) && !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// scanUSB lists the USB devices below a sysfs, hubs and keyboards included. One
// that goes while it is being read is left out, or has no ports any more.
func scanUSB(sys string) []usbDevice {
	root := filepath.Join(sys, "bus", "usb", "devices")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil // a box without USB, or a container without sysfs
	}
	var all []usbDevice
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ":") {
			continue // an interface: its device lists it
		}
		folder, err := filepath.EvalSymlinks(filepath.Join(root, entry.Name()))
		if err != nil {
			continue
		}
		vendor, ok := attribute(folder, "idVendor", 16)
		product, known := attribute(folder, "idProduct", 16)
		if !ok || !known {
			continue
		}
		bus, _ := attribute(folder, "busnum", 10)
		number, _ := attribute(folder, "devnum", 10)
		all = append(all, usbDevice{
			folder: folder, vendor: uint16(vendor), product: uint16(product),
			bus: int(bus), number: int(number), ports: scanPorts(folder),
		})
	}
	return all
}

// scanPorts lists the serial ports of the device at folder.
func scanPorts(folder string) []usbPort {
	entries, _ := os.ReadDir(folder)
	var all []usbPort
	for _, entry := range entries {
		at := filepath.Join(folder, entry.Name())
		number, ok := attribute(at, "bInterfaceNumber", 16)
		if !ok || !strings.Contains(entry.Name(), ":") {
			continue
		}
		class, _ := attribute(at, "bInterfaceClass", 16)
		subclass, _ := attribute(at, "bInterfaceSubClass", 16)
		protocol, _ := attribute(at, "bInterfaceProtocol", 16)
		for _, name := range ttys(at) {
			all = append(all, usbPort{
				tty: name, number: fmt.Sprintf("if%02x", number),
				class: fmt.Sprintf("%02x/%02x/%02x", class, subclass, protocol),
			})
		}
	}
	return all
}

// ttys lists the ttys of an interface. A driver of serial converters puts its
// port there itself ("ttyUSB0"), the ACM driver below a class ("tty/ttyACM0").
func ttys(folder string) []string {
	var names []string
	direct, _ := os.ReadDir(folder)
	classed, _ := os.ReadDir(filepath.Join(folder, "tty"))
	for _, entry := range slices.Concat(direct, classed) {
		if name := entry.Name(); len(name) > len("tty") && strings.HasPrefix(name, "tty") {
			names = append(names, name)
		}
	}
	return names
}

// attribute reads a number of at most 16 bits from a file of sysfs.
func attribute(folder, name string, base int) (value uint64, ok bool) {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return 0, false
	}
	value, err = strconv.ParseUint(strings.TrimSpace(string(text)), base, 16)
	return value, err == nil
}
