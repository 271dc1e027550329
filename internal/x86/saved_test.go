package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

func TestStateIsWhole(t *testing.T) {
	memory, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	plain := &Plain{Memory: memory, RAM: func(uint64) bool { return true }}
	statetest.Complete(t, func() *CPU { return New(Config{Memory: memory, Platform: plain}) }, (*CPU).Carry,
		// of the configuration
		"id", "topology.Sockets", "topology.Cores", "topology.Threads", "topology.Nodes", "platform", "bus", "mem", "eferKeep", "la57", "nsPerInsn", "cost", "maxBlock", "tscHz", "lastTSC", "queue", "hint", "lockHint", "busLocks.known", "spins", "random.dry",
		// made again, or living within an instruction
		"R", "X", "flags", "rest", "code", "codeSeen", "engine", "tlb", "jumps", "limit", "yielding", "at", "target", "deadline", "spun", "vain", "unlooked", "busUses", "stackRef", "exit", "exiting", "finish", "scratch", "part", "beginning", "mode", "native", "armed.fetch", "armed.write", "armed.read", "armed.port", "armed.at", "armed.size",
		// a debugger's
		"watch.budget", "watch.step", "watch.from", "watch.steps", "watch.blocks", "watch.most", "watch.entered", "watch.pause", "debug",
		// apart, below
		"APIC",
	)
	statetest.Complete(t, func() *LocalAPIC { return &LocalAPIC{} }, (*LocalAPIC).carry, "id", "inta", "now", "hz", "timerHz", "tsc", "eoi", "send", "nmi")
}

// What the registers hold, and each entry of the TLB.
func TestStateOfTheRest(t *testing.T) {
	memory, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	c := New(Config{Memory: memory, Platform: &Plain{Memory: memory, RAM: func(uint64) bool { return true }}})
	seen := map[string]string{string(carried(c)): "nothing"}
	differs := func(what string) {
		t.Helper()
		b := string(carried(c))
		if before, twice := seen[b]; twice {
			t.Errorf("after %s the state is that after %s", what, before)
		}
		seen[b] = what
	}
	for i := range 16 {
		c.R[i]++
		differs("a register")
		c.X[i][1]++
		differs("a register of SSE")
	}
	for _, slot := range []int{FSBase, GSBase, uop.BlkRIP} {
		c.R[slot]++
		differs("a base")
	}
	for _, flag := range []uint64{FlagCF, FlagPF, FlagAF, FlagZF, FlagSF, FlagTF, FlagIF, FlagDF, FlagOF, FlagNT, FlagAC, FlagID} {
		c.SetFlags(c.Flags() ^ flag)
		differs("a flag")
	}
	frame := mem.FrameOf(physical.Private, 0x3000)
	for m := range c.tlb.data {
		c.tlb.data[m][5] = tlbEntry{read: 0x5000, write: noTag, where: frame}
		differs("an entry for reading")
		c.tlb.data[m][5].write = 0x5000
		differs("an entry for writing")
		c.tlb.data[m][5].where |= globalBit
		differs("an entry that is global")
	}
	for m := range c.tlb.fetch {
		c.tlb.fetch[m][5] = fetchEntry{tag: 0x5000, frame: frame, where: 0x3000}
		differs("an entry for fetches")
	}
	c.tlb.data[modeUser][6] = tlbEntry{read: 0x6000, write: noTag, where: frame}
	differs("an entry that is not global")
	c.tlb.tables[5] = tableEntry{gpa: 0x5000, f: frame}
	differs("a paging structure")
	c.tlb.large.add(0, 2<<20)
	differs("a large page")

	again := New(Config{Memory: memory, Platform: c.platform})
	s := state.In(carried(c))
	if again.Carry(s); s.End() != nil || string(carried(again)) != string(carried(c)) {
		t.Errorf("what is read is something else: %v", s.End())
	}
	if i := unmarked(again); i >= 0 {
		t.Errorf("a load of CR3 passes place %d of the TLB over", i)
	}
	if e := again.tlb.data[modeUser][5]; e.page != memory.Page(frame) || e.write != tag(0x5000).with(unbackedTag) {
		t.Errorf("an entry of a page without backing became %+v", e)
	}
}

// A translation that leads out of memory would lead into the host's.
func TestStateWithForeignFrame(t *testing.T) {
	memory, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	for _, frame := range []mem.Frame{mem.FrameOf(physical.Private, 2<<20), 1<<62 | 2, ^mem.Frame(0)} {
		c := New(Config{Memory: memory, Platform: &Plain{Memory: memory}})
		c.tlb.data[0][5] = tlbEntry{read: 0x5000, write: noTag, where: frame}
		s := state.In(carried(c))
		if New(Config{Memory: memory, Platform: c.platform}).Carry(s); s.End() == nil {
			t.Errorf("frame %#x was taken", uint64(frame))
		}
	}
}

func carried(c *CPU) []byte {
	s := state.Out()
	c.Carry(s)
	return s.Bytes()
}
