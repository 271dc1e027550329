package x86

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// A handler whose first instruction raises the exception that it handles, on an interrupt stack: no instruction
// completes any more, and nothing is used up.
func TestExceptionsWithoutEnd(t *testing.T) {
	t.Parallel()
	undefined := program{code: "0F 0B", setup: func(m *scene) {
		m.write(progGate+6*16, 0x0B0F) // ud2
		m.gate(6, progGate+6*16, 0x8E01)
	}}
	for _, limit := range []int{0, 1} {
		m := newScene(t, &undefined, limit)
		m.until = 1 << 40
		var loop *FaultLoopError
		if e := m.drive(0); !errors.As(e.Err, &loop) || loop.RIP != progGate+6*16 || m.Instructions() != 0 {
			t.Errorf("blocks of %d: it ended with %v after %d instructions", limit, e, m.Instructions())
		}
		if tally := m.Tally(); tally.Time(m.Cost()) != m.Now() {
			t.Errorf("time is %d, and went to what takes %d", m.Now(), tally.Time(m.Cost()))
		}
	}
	// Deadlines are met in such a loop, and an interrupt gets the processor out of it.
	m := newScene(t, &undefined, 0)
	if e := m.Run(100_000); e.Kind != ExitDeadline || m.Now() < 100_000 {
		t.Errorf("at %d ns: %v", m.Now(), e)
	}
	undefined.setup = func(m *scene) {
		m.write(progGate+6*16, 0x0B0F)
		m.gate(6, progGate+6*16, 0x8F01) // a trap gate: IF stays set
	}
	m = newScene(t, &undefined, 0)
	m.from.RFLAGS |= FlagIF
	m.SetState(&m.from)
	m.Run(10_000)
	m.APIC.Deliver(0x40, false)
	if e := m.Run(20_000); e.Kind != ExitDeadline && e.Kind != ExitHalted || m.RIP() != progGate+0x40*16+1 {
		t.Errorf("the interrupt left the processor at %#x: %v", m.RIP(), e)
	}
}

// What is kept of decoded code is bounded, whatever a guest executes: here each byte of its memory is the beginning of
// a block.
func TestDecodedCodeIsBounded(t *testing.T) {
	t.Parallel()
	const from, to = progBig, progBig + 512<<10
	p := program{code: asm(
		movImm(uop.RBX, from),
		"48 8D 35 02 00 00 00", // lea rsi, [next]
		"FF E3",                // again: jmp rbx
		"48 FF C3",             // next: inc rbx
		"48 81 FB"+le(to-64, 4),
		"72 F2", // jb again
		"F4",    // hlt
	), setup: func(m *scene) {
		for gpa := uint64(from); gpa < to; gpa += 8 {
			v := uint64(0x9090_9090_9090_9090)
			if gpa&0x38 == 0x38 {
				v = 0xE6FF_9090_9090_9090 // jmp rsi at the end of each 64 bytes
			}
			m.write(gpa, v)
		}
	}}
	m := newScene(t, &p, 0)
	most, last, fresh := 0, 0, 0
	for e := (Exit{}); e.Kind != ExitHalted; {
		if e = m.Run(m.Now() + 100_000); e.Kind != ExitDeadline && e.Kind != ExitHalted {
			t.Fatalf("it ended at %#x with %v", m.RIP(), e)
		}
		if m.code.bytes < last {
			fresh++
		}
		last = m.code.bytes
		most = max(most, last)
	}
	if most > maxCode+64<<10 || fresh == 0 {
		t.Errorf("%d bytes of decoded code were kept, and %d times forgotten; at most %d may be", most, fresh, maxCode)
	}
}

// Blocks that go on in another page, and are written over again and again, leave nothing behind in that page's list.
func TestCrossingBlocksAreForgotten(t *testing.T) {
	t.Parallel()
	memory, err := mem.New(progRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	cc := newCodeCache(memory, maxCode)
	here, next := mem.FrameOf(physical.Private, 0x1000), mem.FrameOf(physical.Private, 0x2000)
	for range 100 {
		cc.add(&block{valid: true, frame: here, offset: mem.PageSize - 1, size: 2, second: next, cross: true})
		cc.CodeChanged(here, mem.PageSize-1, 1)
	}
	if n := len(cc.crossing[next]); n > 1 {
		t.Errorf("%d blocks are kept in the list of the page in which they ended", n)
	}
	if cc.bytes != 0 {
		t.Errorf("%d bytes are kept, and no block", cc.bytes)
	}
}

// A guest that lets time pass without end comes to the end of time, not to its beginning.
func TestTimeEnds(t *testing.T) {
	t.Parallel()
	b := newBare(t, 0, []byte{0xEB, 0xFE}) // 1: jmp 1
	for range 3 {
		b.Idle(^uint64(0))
		if now := b.Now(); now < MaxTime {
			t.Fatalf("time is %d", now)
		}
	}
	if e := b.Run(1<<63 - 1); e.Kind != ExitStopped || !errors.Is(e.Err, ErrTimeUp) {
		t.Errorf("exit %v", e)
	}
	if waited := b.Tally().Waited; waited != MaxTime {
		t.Errorf("it has waited %d ns, of %d that there are", waited, int64(MaxTime))
	}
	b = newBare(t, 0, []byte{0xF4})
	b.rest |= FlagIF
	b.APIC.svr |= apicEnabled
	b.APIC.lvt[lvtTimer], b.APIC.expiry = 0x40, 1<<63-2
	if e := b.Run(1<<63 - 1); e.Kind != ExitStopped || !errors.Is(e.Err, ErrTimeUp) || b.Now() < 0 {
		t.Errorf("asleep: exit %v at %d", e, b.Now())
	}
}

// A timer whose interrupt is never taken does not keep a processor that waits busy, however often it fires.
func TestTimerThatDoesNotWake(t *testing.T) {
	t.Parallel()
	const vector = 0x40
	for name, c := range map[string]struct {
		timer, priority, rflags uint64
		wakes                   bool
	}{
		"taken":        {apicPeriodic | vector, 0, FlagIF, true},
		"masked":       {apicPeriodic | apicLVTMask | vector, 0, FlagIF, false},
		"IF is clear":  {apicPeriodic | vector, 0, 0, false},
		"low priority": {apicPeriodic | vector, vector, FlagIF, false},
	} {
		b := newBare(t, 0, []byte{0xF4})
		b.rest |= c.rflags
		b.APIC.svr |= apicEnabled
		b.APIC.lvt[lvtTimer] = c.timer
		b.APIC.setTaskPriority(c.priority)
		b.APIC.startTimer(1)
		if woke := b.Run(1_000_000).Kind != ExitHalted; woke != c.wakes {
			t.Errorf("%s: woke %v", name, woke)
		}
		if !c.wakes && (b.TimerWakes() || b.Now() > 1000) {
			t.Errorf("%s: at %d ns, the timer wakes: %v", name, b.Now(), b.TimerWakes())
		}
	}
}
