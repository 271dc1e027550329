package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tacit-vm/tacit/record"
)

// onTerminal runs a command line on a terminal of so many columns and returns what that was sent.
func onTerminal(t *testing.T, width uint16, args ...string) string {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal to be had: ", err)
	}
	defer screen.Close()
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width})
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal to be had: ", err)
	}
	sent := make(chan string)
	go func() {
		all, _ := io.ReadAll(screen) // EIO, when the last has closed it
		sent <- string(all)
	}()
	status := execute(t.Context(), args, terminal, terminal, (&fake{outcome: record.PowerOff}).run)
	terminal.Close()
	if text := strings.ReplaceAll(<-sent, "\r\n", "\n"); status == 0 {
		return text
	} else {
		t.Fatalf("%q: status %d, %q", args, status, text)
		return ""
	}
}

func TestTerminal(t *testing.T) {
	_, debian13 := inspectStock(t)
	t.Setenv("TERM", "xterm")
	for _, noColor := range []string{"", "1"} {
		t.Setenv("NO_COLOR", noColor)
		for _, c := range []struct {
			args []string
			word string // that has a colour
		}{
			{[]string{"boot", "-q", "-v", "i"}, green + "poweroff"}, {[]string{"inspect", debian13}, green + "yes"},
			{[]string{"boot", "--help"}, ""}, {[]string{"--help"}, ""}, {[]string{"inspect", "--help"}, ""},
		} {
			text := onTerminal(t, 80, c.args...)
			if c.word != "" && strings.Contains(text, c.word) != (noColor == "") || (noColor != "" || c.word == "") && strings.Contains(text, "\x1b[3") {
				t.Errorf("%q with NO_COLOR=%q: %q", c.args, noColor, text)
			}
			for line := range strings.Lines(text) {
				line = strings.NewReplacer(green, "", red, "", yellow, "", noColour, "", "\n", "").Replace(line)
				if i := strings.LastIndex(line, eraseLine); i >= 0 {
					line = line[i+len(eraseLine):]
				}
				if n := len([]rune(line)); n > 80 && len(strings.Fields(line)) > 1 {
					t.Errorf("%q: %d columns: %s", c.args, n, line)
				}
			}
		}
	}
	t.Setenv("TERM", "dumb")
	if text := onTerminal(t, 80, "boot", "-q", "i"); strings.Contains(text, "\x1b") {
		t.Errorf("a terminal that knows nothing gets %q", text)
	}
}
