package oracle

import (
	"bytes"
	"fmt"
)

// Compare returns what differs between silicon's outcome and the interpreter's, one line each; nothing where they
// agree.
func (c *Case) Compare(silicon, interpreter *Outcome) (differences []string) {
	differ := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	if silicon.Err != nil || interpreter.Err != nil {
		if silicon.Err != nil {
			differ("silicon: %v", silicon.Err)
		}
		if interpreter.Err != nil {
			differ("interpreter: %v", interpreter.Err)
		}
		return differences
	}
	word := func(name string, want, got uint64) {
		if want != got {
			differ("%s: silicon %#x, interpreter %#x", name, want, got)
		}
	}
	if silicon.Vector != interpreter.Vector {
		differ("exception: silicon %s, interpreter %s", silicon.exception(), interpreter.exception())
	} else if silicon.Vector == vectorPF && !c.Skip.CR2 {
		word("CR2", silicon.CR2, interpreter.CR2)
	}
	if code := silicon.comparableCode(); silicon.Vector == interpreter.Vector && code != interpreter.comparableCode() {
		word("error code", uint64(code), uint64(interpreter.comparableCode()))
	}
	word("RIP", silicon.RIP, interpreter.RIP)
	for i := range silicon.GPR {
		word(registerNames[i], silicon.GPR[i], interpreter.GPR[i])
	}
	mask := ^c.undefinedFlags(silicon)
	if a, b := silicon.Flags&mask, interpreter.Flags&mask; a != b {
		differ("flags: silicon %s, interpreter %s", flagString(a), flagString(b))
	}
	if SegmentBases() {
		word("FS base", silicon.FSBase, interpreter.FSBase)
		word("GS base", silicon.GSBase, interpreter.GSBase)
	}
	word("MXCSR", uint64(silicon.MXCSR), uint64(interpreter.MXCSR))
	for i := range silicon.XMM {
		if a, b := silicon.XMM[i], interpreter.XMM[i]; a != b {
			differ("XMM%d: silicon %016x_%016x, interpreter %016x_%016x", i, a[1], a[0], b[1], b[0])
		}
	}
	c.compareX87(&silicon.X87, &interpreter.X87, differ)
	c.compareArena(silicon.Arena, interpreter.Arena, differ)
	return differences
}

// undefinedFlags returns the flags that are not compared: RF, which is set in the image of some faults by rules that no
// program depends on, and what the instructions executed so far leave undefined. A fault leaves the flags as they were
// before its instruction.
func (c *Case) undefinedFlags(silicon *Outcome) uint64 {
	end := c.In.RIP + uint64(len(c.Code))
	switch fetch := silicon.Vector == vectorPF && silicon.Code&0x10 != 0; {
	case silicon.Vector != vectorBP && silicon.Vector != vectorDB && !fetch:
		return flagRF | c.Skip.Early
	case silicon.RIP == end || silicon.RIP == end+1:
		return flagRF | c.Skip.Flags
	}
	return flagRF | c.Skip.Early | c.Skip.Flags
}

var registerNames = [16]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

// comparableCode returns the error code as far as silicon lets user code know it: Linux sets the P bit for addresses in
// the kernel's half, present or not, lest the code tell where the kernel is.
func (o *Outcome) comparableCode() uint32 {
	if o.Vector == vectorPF && o.CR2>>63 != 0 {
		return o.Code | 1
	}
	return o.Code
}

// kind returns the exception's name.
func (o *Outcome) kind() string {
	if o.Err != nil {
		return "no end"
	}
	name, ok := map[uint8]string{0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 11: "#NP", 12: "#SS", 13: "#GP", 14: "#PF", 16: "#MF", 17: "#AC", 19: "#XM"}[o.Vector]
	if !ok {
		name = fmt.Sprint("vector ", o.Vector)
	}
	return name
}

func (o *Outcome) exception() string {
	name := o.kind()
	switch o.Vector {
	case vectorPF:
		return fmt.Sprintf("%s(%#x) at %#x", name, o.Code, o.CR2)
	case vectorGP, vectorSS:
		return fmt.Sprintf("%s(%#x)", name, o.Code)
	}
	return name
}

func flagString(flags uint64) string {
	s := fmt.Sprintf("%#x", flags)
	for _, f := range []struct {
		bit  uint64
		name string
	}{{flagCF, "CF"}, {flagPF, "PF"}, {flagAF, "AF"}, {flagZF, "ZF"}, {flagSF, "SF"}, {flagDF, "DF"}, {flagOF, "OF"}, {flagAC, "AC"}} {
		if flags&f.bit != 0 {
			s += " " + f.name
		}
	}
	return s
}

func (c *Case) compareX87(a, b *X87, differ func(string, ...any)) {
	if a.FCW != b.FCW {
		differ("FCW: silicon %#x, interpreter %#x", a.FCW, b.FCW)
	}
	if mask := ^c.Skip.FSW; a.FSW&mask != b.FSW&mask {
		differ("FSW: silicon %#x, interpreter %#x", a.FSW&mask, b.FSW&mask)
	}
	if a.FTW != b.FTW {
		differ("FTW: silicon %#x, interpreter %#x", a.FTW, b.FTW)
	}
	for i := range a.ST {
		if a.ST[i] != b.ST[i] {
			differ("ST%d: silicon %04x_%016x, interpreter %04x_%016x", i, a.ST[i].SignExp, a.ST[i].Significand, b.ST[i].SignExp, b.ST[i].Significand)
		}
	}
}

func (c *Case) compareArena(a, b []byte, differ func(string, ...any)) {
	if bytes.Equal(a, b) {
		return
	}
	reported := 0
	for i := 0; i < len(a) && reported < 4; i++ {
		if a[i] == b[i] || c.skipped(arenaBase+uint64(i)) {
			continue
		}
		end := min(i+16, len(a))
		differ("memory at %#x: silicon % x, interpreter % x", arenaBase+i, a[i:end], b[i:end])
		i = end - 1
		reported++
	}
}

func (c *Case) skipped(addr uint64) bool {
	for _, s := range c.Skip.Mem {
		if addr-s.Addr < uint64(s.Len) {
			return true
		}
	}
	return false
}
