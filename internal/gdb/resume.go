package gdb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// stopReply says why the machine stands still (gdb manual, E.3).
func (s *Server) stopReply(t Target) string {
	var b strings.Builder
	fmt.Fprintf(&b, "T%02xthread:%s;", uint8(s.stop.Reason), thread(s.stop.CPU))
	if w := s.stop.Watch; w != nil {
		name := map[PointKind]string{WriteWatch: "watch", ReadWatch: "rwatch", AccessWatch: "awatch"}[w.Kind]
		fmt.Fprintf(&b, "%s:%x;", name, w.Address)
		return b.String()
	}
	// Without this gdb believes that RIP is the address after an INT3.
	rip := t.Registers(s.stop.CPU).RIP
	at := func(k PointKind) bool {
		return slices.ContainsFunc(s.points, func(p Point) bool { return p.Kind == k && p.Address == rip })
	}
	switch {
	case s.stop.Reason != Trap:
	case at(HardwareBreak):
		b.WriteString("hwbreak:;")
	case at(SoftwareBreak):
		b.WriteString("swbreak:;")
	}
	return b.String()
}

// goOn is vCont: actions with the threads for which they are meant. A step of one thread is all that others wait for,
// as a deterministic machine decides itself who runs. Signals are nothing that a processor takes: C and S are c and s.
func (r *request) goOn() (string, *Resume) {
	resume := Resume{How: Continue}
	for action := range strings.SplitSeq(r.args, ";") {
		what, whose, given := strings.Cut(action, ":")
		cpu := r.s.cpu
		if given {
			var ok bool
			if cpu, ok = r.cpuOf(whose); !ok {
				return replyInvalid, nil
			}
		}
		step := Resume{How: Step, CPU: cpu}
		switch {
		case what == "":
			return replyInvalid, nil
		case what[0] == 'c', what[0] == 'C':
			continue
		case what[0] == 'r':
			start, end, _ := strings.Cut(what[1:], ",")
			var err, err2 error
			step.Start, err = strconv.ParseUint(start, 16, 64)
			step.End, err2 = strconv.ParseUint(end, 16, 64)
			if err != nil || err2 != nil {
				return replyInvalid, nil
			}
		case what[0] != 's' && what[0] != 'S':
			return replyInvalid, nil
		}
		if resume.How == Continue {
			resume = step
		}
	}
	return "", &resume
}
