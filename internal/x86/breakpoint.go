package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Breakpoints that the guest sets in its debug registers (SDM vol. 3, 18.2 and 18.3). Like a debugger's (debug.go) they
// cost nothing where there are none: a page with one is marked in the TLB, so that loads and stores are looked at there,
// and no decoded block is entered. That is for each processor by itself, and every engine obeys it.

// Bits of DR6 and DR7.
const (
	dr6Hits = 0xF     // B0 to B3
	dr6BD   = 1 << 13 // a debug register was to be used while DR7.GD was set
	dr6BS   = 1 << 14 // single step

	dr7GD = 1 << 13
)

// Kinds of breakpoints, R/W in DR7.
const (
	breakFetch = iota
	breakWrite
	breakPort // with CR4.DE
	breakUse
)

// armed is what DR7 and CR4.DE make of DR0 to DR3. It follows from those, and is not state.
type armed struct {
	fetch, write, read, port uint8     // numbers of breakpoints, a bit each
	at                       [4]uint64 // the first address or port
	size                     [4]uint64 // bytes
}

// breakSize is the length of a breakpoint by LEN in DR7.
var breakSize = [4]uint64{1, 2, 8, 4}

// arm follows a change of debug registers or of CR4.DE.
func (c *CPU) arm() {
	var a armed
	for n := range a.at {
		control := c.dr[7] >> (4 * n)
		if c.dr[7]>>(2*n)&3 == 0 {
			continue
		}
		bit, size := uint8(1)<<n, breakSize[control>>18&3]
		switch control >> 16 & 3 {
		case breakFetch:
			a.fetch |= bit
			size = 1
		case breakWrite:
			a.write |= bit
		case breakUse:
			a.write |= bit
			a.read |= bit
		case breakPort:
			if c.cr4&CR4DE == 0 {
				continue // undefined
			}
			a.port |= bit
		}
		a.at[n], a.size[n] = c.dr[n]&^(size-1), size
	}
	if a == c.armed {
		return
	}
	c.armed = a
	c.tlb.eachData(c.markWatched)
	c.markFetches()
	c.stopBehind()
}

// matches returns which of the breakpoints in set have one of n bytes or ports from start on.
func (a *armed) matches(set uint8, start, n uint64) (hits uint64) {
	for i := range a.at {
		if set>>i&1 != 0 && overlap(a.at[i], a.at[i]+a.size[i], start, start+n) {
			hits |= 1 << i
		}
	}
	return hits
}

// fetchBreaks says whether there is a breakpoint on the instruction at rip, and raises what that raises, unless the run loop
// has to look up first: traps of the instruction before it and interrupts take precedence (SDM vol. 3, table 7-2). It
// comes before everything that the instruction could do wrong, and not with RF, within a repeated instruction, or after MOV
// SS.
func (c *CPU) fetchBreaks(rip uint64) bool {
	if c.resuming == c.icount || c.repeating == c.icount || c.shadow == c.icount && c.shadowSS {
		return false
	}
	hits := c.armed.matches(c.armed.fetch, rip, 1)
	if hits == 0 {
		return false
	}
	if c.icount >= c.limit.Load() {
		return true
	}
	c.dr[6] = c.dr[6]&^dr6Hits | hits
	c.Raise(Exception{Vector: uop.VectorDB, breakpoint: true})
	return true
}

// useBreaks notes the breakpoints on an access to n bytes, for after the instruction under way.
func (c *CPU) useBreaks(kind AccessKind, va, n uint64) {
	set := c.armed.read
	if kind.Writes() {
		set = c.armed.write
	}
	c.hit(c.armed.matches(set, va, n))
}

// portBreaks notes those on an access to n ports.
func (c *CPU) portBreaks(port uint16, n int) {
	if c.armed.port != 0 {
		c.hit(c.armed.matches(c.armed.port, uint64(port), uint64(n)))
	}
}

func (c *CPU) hit(hits uint64) {
	if hits != 0 {
		c.traps.now |= hits
		c.stopBehind()
	}
}

// traps are bits of DR6 for a #DB that is to come between two instructions.
type traps struct {
	now  uint64 // of the instruction that has just been under way
	kept uint64 // of MOV SS and POP SS, which keep it off until after the next instruction, or until that one's handler begins
}

// debugTrap raises the #DB that is due, and says whether one is.
func (c *CPU) debugTrap() bool {
	t := &c.traps
	if c.shadow == c.icount && c.shadowSS {
		t.kept |= t.now
		t.now = 0
		return false
	}
	due := t.now | t.kept
	*t = traps{}
	if due&dr6Hits != 0 {
		c.dr[6] &^= dr6Hits
	}
	if due&dr6BusLock != 0 {
		c.dr[6] &^= dr6BusLock // the other way about than the others
	}
	c.dr[6] |= due &^ dr6BusLock
	c.Raise(Exception{Vector: uop.VectorDB, trap: true})
	return true
}

// guardsDR raises #DB where DR7.GD forbids to use a debug register.
func (c *CPU) guardsDR() bool {
	if c.dr[7]&dr7GD == 0 {
		return false
	}
	c.dr[6] |= dr6BD
	c.raiseNoCode(uop.VectorDB)
	return true
}

func moveFromDR(c *CPU, u *uop.Uop) bool {
	n, ok := c.debugRegister(u.Imm)
	if !ok || c.guardsDR() {
		return false
	}
	c.R[u.Dst%uop.Slots] = c.dr[n]
	return true
}

func moveToDR(c *CPU, u *uop.Uop) bool {
	n, ok := c.debugRegister(u.Imm)
	if !ok || c.guardsDR() {
		return false
	}
	v := c.R[u.Src%uop.Slots]
	if n >= 6 && v>>32 != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	switch n {
	case 6:
		one := uint64(resetDR6)
		if c.busLocks.known {
			one &^= dr6BusLock
		}
		v = v&(dr6Hits|dr6BusLock|dr6BD|dr6BS|1<<15) | one
	case 7:
		v = v&^0xD000 | resetDR7
	}
	c.dr[n] = v
	c.arm()
	return true
}

// debugRegister resolves DR4 and DR5, which are DR6 and DR7 unless CR4.DE forbids.
func (c *CPU) debugRegister(n int64) (int, bool) {
	if n == 4 || n == 5 {
		if c.cr4&CR4DE != 0 {
			return 0, c.raiseNoCode(uop.VectorUD)
		}
		n += 2
	}
	return int(n), true
}
