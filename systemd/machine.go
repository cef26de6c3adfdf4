package systemd

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed 70-pinferry.rules
var rules []byte

// Where what a package installs may stand, and where the rules are put that
// this program installs itself.
const (
	rulesName = "70-pinferry.rules"
	rulesHome = "etc/udev/rules.d"
	unitName  = "pinferry.service"
)

var (
	rulesFolders = []string{rulesHome, "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"}
	unitFolders  = []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"}
)

// Host is the machine that a box stands on.
type Host struct {
	// Root is the folder that its file system begins at; "" is "/".
	Root string
	// Run runs a program of the machine and returns what it printed; nil runs it
	// for real.
	Run func(name string, arguments ...string) ([]byte, error)
}

// Machine is how a machine stands.
type Machine struct {
	// Manager tells whether ModemManager runs, and Rules whether udev rules of
	// pinferry are installed, which keep it from the modems.
	Manager, Rules bool
	// Power is "good"; "low" when the voltage is too low now; "dipped" when it has
	// been since the machine was switched on; "" when the machine does not tell.
	Power string
	// Unit tells whether the service is installed, User and Group whether the
	// system knows the user it runs as and the group that ports belong to.
	Unit, User, Group bool
}

// Look tells how the machine stands. What cannot be read is taken for absent.
func (h Host) Look() Machine {
	return Machine{
		Manager: h.managed(), Rules: h.has(rulesFolders, rulesName), Power: h.power(),
		Unit: h.has(unitFolders, unitName),
		User: h.knows("etc/passwd", "pinferry"), Group: h.knows("etc/group", "dialout"),
	}
}

// InstallRules installs the udev rules, for root, and makes udev read them.
// They hold for what is plugged in from then on. A file of that name which
// is there already is an error: an administrator may have emptied it.
func (h Host) InstallRules() error {
	path := h.path(rulesHome, rulesName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("install the udev rules: %w", err)
	}
	_, err = f.Write(rules)
	// The mask of whoever calls must not hide them from udev.
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		os.Remove(path) // half of them would be worse than none
		return fmt.Errorf("install the udev rules: %w", err)
	}
	run := h.Run
	if run == nil {
		run = func(name string, arguments ...string) ([]byte, error) {
			return exec.Command(name, arguments...).CombinedOutput()
		}
	}
	if said, err := run("udevadm", "control", "--reload"); err != nil {
		return fmt.Errorf("make udev read its rules: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

// path is a path of the machine.
func (h Host) path(elements ...string) string {
	return filepath.Join("/", h.Root, filepath.Join(elements...))
}

// has tells whether one of the folders has a file. An empty one, or a link to
// /dev/null, is how an administrator takes it away.
func (h Host) has(folders []string, name string) bool {
	for _, folder := range folders {
		if info, err := os.Stat(h.path(folder, name)); err == nil {
			return info.Mode().IsRegular() && info.Size() > 0
		}
	}
	return false
}

// knows tells whether a list of users or groups names one.
func (h Host) knows(list, name string) bool {
	text, err := os.ReadFile(h.path(list))
	return err == nil && strings.Contains("\n"+string(text), "\n"+name+":")
}

// managed tells whether ModemManager runs. A service that may not see the
// processes of others sees its control group all the same.
func (h Host) managed() bool {
	for _, tree := range []string{"", "unified", "systemd"} {
		group := h.path("sys/fs/cgroup", tree, "system.slice/ModemManager.service")
		if _, err := os.Stat(group); err == nil {
			return true
		}
	}
	processes, _ := filepath.Glob(h.path("proc/[0-9]*/comm"))
	for _, process := range processes {
		if name, err := os.ReadFile(process); err == nil && strings.TrimSpace(string(name)) == "ModemManager" {
			return true
		}
	}
	return false
}

// The bits of the firmware's word on a Raspberry Pi (its documentation of
// get_throttled).
const (
	lowNow    = 1 << 0
	lowBefore = 1 << 16
)

// power asks the firmware of a Raspberry Pi for the voltage: by its own word,
// which also remembers, or by the alarm of the sensor that its driver makes.
func (h Host) power() string {
	state := ""
	if text, err := os.ReadFile(h.path("sys/devices/platform/soc/soc:firmware/get_throttled")); err == nil {
		bits, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(text)), "0x"), 16, 32)
		switch {
		case err != nil:
		case bits&lowNow != 0:
			return "low"
		case bits&lowBefore != 0:
			state = "dipped"
		default:
			state = "good"
		}
	}
	sensors, _ := filepath.Glob(h.path("sys/class/hwmon/hwmon*"))
	for _, sensor := range sensors {
		if name, err := os.ReadFile(filepath.Join(sensor, "name")); err != nil || strings.TrimSpace(string(name)) != "rpi_volt" {
			continue
		}
		alarm, err := os.ReadFile(filepath.Join(sensor, "in0_lcrit_alarm"))
		switch {
		case err != nil:
		case strings.TrimSpace(string(alarm)) == "1":
			return "low"
		case state == "":
			state = "good"
		}
	}
	return state
}
