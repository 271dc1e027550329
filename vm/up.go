package vm

import (
	"bytes"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// Software that is not tacit's does not report that it has come up. It says so on its console: there is a prompt at which one
// logs in, or systemd tells of what it has reached.

// Who says it.
const (
	byPrompt  = "login prompt"
	bySystemd = "systemd"
)

// loginPrompt is how the line ends at which one logs in: the host's name comes before it (agetty(8), login(1)).
const loginPrompt = " login: "

// comeUp are words of systemd's: of what it starts last (systemd.special(7)), by its unit's name and by its description,
// and the line in which it sums up how long all that took (src/core/manager.c, manager_notify_finished).
var comeUp = [][]byte{
	[]byte("multi-user.target"), []byte("Multi-User System"), []byte("graphical.target"), []byte("Graphical Interface"),
}

// saysUp says who says in a line of the console, whole or so far, that the guest has come up; it is empty where nobody does.
func saysUp(line []byte, whole bool) string {
	switch {
	case !whole && bytes.HasSuffix(line, []byte(loginPrompt)):
		return byPrompt
	case !whole:
		return ""
	case bytes.Contains(line, []byte("Startup finished in ")):
		return bySystemd
	case bytes.Contains(line, []byte("Reached target ")):
		for _, words := range comeUp {
			if bytes.Contains(line, words) {
				return bySystemd
			}
		}
	}
	return ""
}

// heedUp hears a line of the console, whole or so far, and whether it says that the guest has come up. Only the first such
// line counts, and none before there is a program that could have said it.
func (m *Machine) heedUp(line []byte, whole bool) {
	if m.up != nil || !m.log.Reached(record.Init) {
		return
	}
	by := saysUp(line, whole)
	if by == "" {
		return
	}
	m.up = &record.Up{By: by, Stamp: m.stamp()}
	if m.event.kind == atUp {
		m.cpu().Pause()
	}
}

// carryUp carries whether it has come up.
func (m *Machine) carryUp(s *state.Stream) {
	state.Optional(s, &m.up, func(u *record.Up) {
		state.String(s, &u.By, maxLine)
		u.Stamp.Carry(s)
	})
}
