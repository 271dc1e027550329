package vm

import (
	"strings"

	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// arrangeAttack has a host that cheats begin at its moment, at once where that has passed. A moment that is a place in the
// kernel is looked for until the kernel is there.
func (m *Machine) arrangeAttack() {
	h := m.platform.cheat
	if h == nil {
		return
	}
	switch at := h.Attack().At; {
	case h.Begun():
		m.arrangeAct()
	case at.Name == attack.Start, at.Name == attack.Now, at.Name == attack.Init && m.log.Reached(record.Init):
		m.cheatBegins()
	case at.Name == "" && !at.Place:
		m.arrange(at.Value, hostBegins)
	}
}

// seekMoment sets a breakpoint where the attack is to begin, once it is known where that is.
func (m *Machine) seekMoment() {
	h := m.platform.cheat
	if h == nil || h.Begun() || m.soughtMoment || m.debug != nil {
		return
	}
	at := h.Attack().At
	address, known := at.Value, at.Place
	switch {
	case at.Place:
	case at.Name == attack.Init, at.Name == "", m.symbols() == nil:
		return
	default:
		linked, is := m.symbols().Address(at.Name)
		moved, placed := m.kernelOffset()
		address, known = linked+moved, is && placed
	}
	if known {
		m.soughtMoment = true
		m.cpu().SetBreakpoints([]uint64{address})
	}
}

// cheatHeard hears of a breakpoint, and says whether it was the host's: its moment, or where the guest comes back after it
// has acted.
func (m *Machine) cheatHeard() bool {
	h := m.platform.cheat
	if h == nil || m.debug != nil {
		return false
	}
	m.cpu().SetBreakpoints(nil)
	if !h.Begun() {
		m.cheatBegins()
		return true
	}
	m.cheatBack()
	return true
}

// watchForCheat watches the page of whose use the host wants to hear. gdb has no watches then.
func (m *Machine) watchForCheat() {
	h := m.platform.cheat
	if h == nil || m.debug != nil {
		return
	}
	if gpa, wants := h.Watched(); wants {
		m.cpu().SetWatches([]x86.Watch{{Start: gpa, End: gpa + mem.PageSize, Physical: true, Read: true, Write: true}})
	}
}

// cheatSaw tells the host of a use of the page that it watches, and says whether it does.
func (m *Machine) cheatSaw(exit x86.Exit) bool {
	h := m.platform.cheat
	if h == nil || m.debug != nil {
		return false
	}
	h.Used(m.cpu(), exit.GPA, exit.Access.Kind.Writes())
	return true
}

// cheatBegins tells the host that its moment has come.
func (m *Machine) cheatBegins() {
	m.platform.cheat.Begin(m.instructions())
	m.arrangeAct()
}

func (m *Machine) arrangeAct() {
	if at, wants := m.platform.cheat.Due(); wants {
		m.arrange(at, hostActs)
	}
}

// cheatActs lets the host act, and watches for the guest to come back to what it was at.
func (m *Machine) cheatActs() {
	h, c := m.platform.cheat, m.cpu()
	if !h.Act(c) {
		return
	}
	if rip, level := h.Where(); level == 3 {
		c.WatchUser()
	} else if m.debug == nil {
		c.SetBreakpoints([]uint64{rip})
	}
}

// cheatBack tells the host that the guest may be back.
func (m *Machine) cheatBack() {
	if h := m.platform.cheat; h != nil {
		h.Back(m.cpu())
	}
}

// accuse says in d what the host did to a guest that did not get over it. The guest is not to blame for pages that it
// had accepted.
func accuse(d *record.Diagnosis, a *record.Attack) {
	if a == nil || len(a.Steps) == 0 {
		return
	}
	var did []string
	for _, s := range a.Steps {
		did = append(did, s.String())
	}
	d.Summary = strings.Join(did, "; ") + "; then: " + d.Summary
	if d.GPA != nil && excuse(a, uint64(*d.GPA), nil) {
		d.Advice = "The host is to blame, as --host-attack " + a.Kind + " told it: it attacked this page after it had given it to the guest."
	}
}

// excuse says whether the host has taken a page from the guest that was the guest's, or said so of one that was to become
// it. Then the rule that the guest has met is not the reason, and is replaced where why is not nil.
func excuse(a *record.Attack, gpa uint64, why *string) bool {
	if a == nil {
		return false
	}
	for _, s := range a.Steps {
		if record.Address(gpa) < s.GPA || gpa-uint64(s.GPA) >= s.Bytes || s.Refused != "" {
			continue
		}
		reason := ""
		switch {
		case a.Kind == host.Lie:
			reason = "the host said that it had converted it, and had not"
		case s.State == "accepted" || s.State == "validated":
			reason = "the guest had " + s.State + " it before the host did that"
		default:
			continue
		}
		if why != nil {
			*why = reason
		}
		return true
	}
	return false
}
