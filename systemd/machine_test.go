package systemd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/systemd"
)

// host is a machine of these files, by path; a path that ends with a slash is
// a folder.
func host(t *testing.T, files map[string]string) systemd.Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return systemd.Host{Root: root}
}

const throttled = "sys/devices/platform/soc/soc:firmware/get_throttled"

func TestLook(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  systemd.Machine
	}{
		{"bare", nil, systemd.Machine{}},
		{"installed", map[string]string{
			"etc/passwd":                             "root:x:0:0::/root:/bin/sh\npinferry:x:990:990::/var/lib/pinferry:/usr/sbin/nologin\n",
			"etc/group":                              "root:x:0:\ndialout:x:20:pinferry\n",
			"usr/lib/udev/rules.d/70-pinferry.rules": "x", "usr/lib/systemd/system/pinferry.service": "x",
		}, systemd.Machine{Rules: true, Unit: true, User: true, Group: true}},
		{"others' names", map[string]string{
			"etc/passwd": "notpinferry:x:1:1::/:/bin/sh\npinferryman:x:2:2:::\n", "etc/group": "xdialout:x:20:\n",
			"usr/lib/udev/rules.d/71-pinferry.rules": "x",
		}, systemd.Machine{}},
		{"rules that are switched off", map[string]string{
			"etc/udev/rules.d/70-pinferry.rules": "", "usr/lib/udev/rules.d/70-pinferry.rules": "x",
		}, systemd.Machine{}},
		{"ModemManager by its process", map[string]string{
			"proc/1/comm": "systemd\n", "proc/412/comm": "ModemManager\n", "proc/self": "",
		}, systemd.Machine{Manager: true}},
		{"ModemManager by its control group", map[string]string{"sys/fs/cgroup/system.slice/ModemManager.service/": ""}, systemd.Machine{Manager: true}},
		{"ModemManager in old control groups", map[string]string{"sys/fs/cgroup/systemd/system.slice/ModemManager.service/": ""}, systemd.Machine{Manager: true}},
		{"power is good", map[string]string{throttled: "0\n"}, systemd.Machine{Power: "good"}},
		{"voltage is low", map[string]string{throttled: "50005\n"}, systemd.Machine{Power: "low"}},
		{"voltage was low", map[string]string{throttled: "0x50000\n"}, systemd.Machine{Power: "dipped"}},
		{"too hot, and no more", map[string]string{throttled: "80008\n"}, systemd.Machine{Power: "good"}},
		{"no number", map[string]string{throttled: "soon\n"}, systemd.Machine{}},
		{"alarm of the sensor", map[string]string{
			"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
			"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
		}, systemd.Machine{Power: "low"}},
		{"no alarm of the sensor", map[string]string{
			"sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
		}, systemd.Machine{Power: "good"}},
		{"the firmware remembers, the sensor does not", map[string]string{
			throttled: "50000\n", "sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
		}, systemd.Machine{Power: "dipped"}},
		{"alarm of another sensor", map[string]string{
			"sys/class/hwmon/hwmon0/name": "other\n", "sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1\n",
		}, systemd.Machine{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := host(t, test.files).Look(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestInstallRules(t *testing.T) {
	h := host(t, map[string]string{"etc/udev/rules.d/": ""})
	var ran []string
	h.Run = func(name string, arguments ...string) ([]byte, error) {
		ran = append(ran, name+" "+strings.Join(arguments, " "))
		return nil, nil
	}
	if err := h.InstallRules(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("70-pinferry.rules")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(h.Root, "etc/udev/rules.d/70-pinferry.rules")
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if len(ran) != 1 || ran[0] != "udevadm control --reload" {
		t.Errorf("ran %q", ran)
	}
	if !h.Look().Rules {
		t.Error("the rules are there and not seen")
	}
	t.Run("Emptied", func(t *testing.T) {
		h := host(t, map[string]string{"etc/udev/rules.d/70-pinferry.rules": ""})
		if err := h.InstallRules(); !errors.Is(err, os.ErrExist) {
			t.Errorf("what an administrator switched off: got %v", err)
		}
	})
	t.Run("NoUdev", func(t *testing.T) {
		if err := host(t, nil).InstallRules(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		h := host(t, map[string]string{"etc/udev/rules.d/": ""})
		failed := errors.New("exit status 1")
		h.Run = func(string, ...string) ([]byte, error) { return []byte("no daemon\n"), failed }
		if err := h.InstallRules(); !errors.Is(err, failed) || !strings.Contains(err.Error(), "no daemon") {
			t.Errorf("got %v", err)
		}
	})
}
