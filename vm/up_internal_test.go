package vm

import "testing"

// A guest has come up by words of a login program's or systemd's, and by nothing that looks like them.
func TestSaysUp(t *testing.T) {
	for _, c := range []struct {
		line  string
		whole bool
		want  string
	}{
		{"tacit login: ", false, byPrompt},
		{"\x1b[?2004ltacit login: ", false, byPrompt},
		{"login: ", false, ""}, // of whom?
		{"tacit login: root", true, ""},
		{"[  OK  ] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.", true, bySystemd},
		{"[  OK  ] Reached target Graphical Interface.", true, bySystemd},
		{"[  OK  ] Reached target Multi-User System.", false, ""},
		{"[  OK  ] Reached target initrd.target - Initrd Default Target.", true, ""},
		{"[    9.1] systemd[1]: Startup finished in 2.1s (kernel) + 7.0s (userspace) = 9.1s.", true, bySystemd},
		{"         Starting multi-user.target", true, ""},
	} {
		if got := saysUp([]byte(c.line), c.whole); got != c.want {
			t.Errorf("%q: %q, want %q", c.line, got, c.want)
		}
	}
}
