package console

import (
	"fmt"
	"strings"
	"time"
)

// ManualPage prints the manual page. It is for those who make packages.
func (t Table) ManualPage(in *Invocation, version string, date time.Time) error {
	if err := in.Parse(); err != nil {
		return err
	}
	_, err := fmt.Fprint(in.Stdout, t.Manual(version, date.UTC().Format(time.DateOnly)))
	return err
}

// Manual returns the manual page of the table's commands for man(1). The
// version and the date stand in its foot.
func (t Table) Manual(version, date string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`.TH PINFERRY 1 "%s" "pinferry %s" "User Commands"`, roff(date), roff(version))
	line(".SH NAME\npinferry \\- one\\-time passwords by SMS from a box of your own")
	line(".SH SYNOPSIS\n.B pinferry\n.I COMMAND\n[\\fIFLAGS\\fR] [\\fIOPERANDS\\fR]")
	line(".SH DESCRIPTION")
	line("%s", roff("pinferry issues and verifies one-time passwords by SMS through a GSM modem on the premises. "+
		"Its commands ask the box that runs through its admin socket, which lets in root, the user of the service and the members of the group pinferry. "+
		"Flags and operands may stand in any order; what follows -- is operands."))
	line(".SH COMMANDS")
	for _, s := range t.sheets() {
		line(".SS %s", roff(strings.TrimSpace("pinferry "+s.Name+" "+s.Operands)))
		summary := strings.ToUpper(s.Summary[:1]) + s.Summary[1:]
		line("%s.", roff(summary))
		for _, f := range s.flags {
			line(".TP\n\\fB%s\\fR%s", roff(f.name), italic(f.value))
			usage := f.usage
			if f.fallback != "" {
				usage += " (default " + f.fallback + ")"
			}
			line("%s", roff(usage))
		}
		if s.notes != "" {
			line(".PP\n.nf\n%s\n.fi", roff(s.notes))
		}
	}
	line(".SH OUTPUT")
	line("%s", roff("On a terminal lists have a heading, words of state are coloured, and lines are cut to its width; into a file or a pipe they are whole and plain. "+
		"With --json a command prints JSON. Phone numbers that were not typed are masked; a code is never shown."))
	line(".SH EXIT STATUS")
	for _, one := range []struct {
		code int
		what string
	}{
		{OK, "It is done."},
		{Failed, "It failed."},
		{Usage, "The command line or the config file is wrong."},
		{NotReady, "No box answers, or it cannot do this now."},
		{Refused, "The box refuses: a rule, a limit, a wrong code, a missing right."},
	} {
		line(".TP\n.B %d\n%s", one.code, roff(one.what))
	}
	line(".SH ENVIRONMENT")
	for _, one := range [][2]string{
		{"PINFERRY_SOCKET", "Where the commands look for the box."},
		{"PINFERRY_SERVER_LISTEN and its like", "Scalars of [server], [storage], [routes] and [limits] in the config file."},
		{"NO_COLOR", "If set, nothing is coloured."},
	} {
		line(".TP\n.B %s\n%s", roff(one[0]), roff(one[1]))
	}
	line(".SH FILES")
	for _, one := range [][2]string{
		{"/etc/pinferry/pinferry.toml", "The config file; the one that is shipped explains every key."},
		{"/var/lib/pinferry", "The database and the keys."},
		{"/run/pinferry/admin.sock", "The admin socket."},
		{"/var/backups/pinferry", "What pinferry-backup.timer writes, if it is enabled."},
	} {
		line(".TP\n.I %s\n%s", roff(one[0]), roff(one[1]))
	}
	line(".SH SEE ALSO\n.BR systemctl (1),\n.BR journalctl (1)")
	return b.String()
}

// italic is the value of a flag behind its name.
func italic(value string) string {
	if value == "" {
		return ""
	}
	return " \\fI" + roff(value) + "\\fR"
}

// roff is a text that asks nothing of the formatter.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "`", `\(ga`, "'", `\(aq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
