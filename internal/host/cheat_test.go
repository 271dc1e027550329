package host_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// pageUnderAttack is the second page that is added in these tests, and so attacked by an attack with N = 2.
const pageUnderAttack = 0x5000

// newCheat returns a host of a TD that cheats, and the memory of its guest, which has executed an instruction.
func newCheat(t *testing.T, a host.Attack) (*host.CheatingTD, *fakeGuest, *x86.CPU, *mem.Memory) {
	t.Helper()
	return newCheatOf(t, physical.Size4K, a)
}

// newCheatOf is newCheat with pages of some size.
func newCheatOf(t *testing.T, size physical.PageSize, a host.Attack) (*host.CheatingTD, *fakeGuest, *x86.CPU, *mem.Memory) {
	t.Helper()
	h, g, c := newHost(t, size, cost.TDX())
	m, err := mem.New(large)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	begin(t, c)
	cheat := host.CheatTD(h, m, a)
	cheat.Serve(g)
	return cheat, g, c, m
}

// begin executes an instruction: before the first nothing is attacked.
func begin(t *testing.T, c *x86.CPU) {
	t.Helper()
	if err := c.WritePhysical(0, bytes.Repeat([]byte{0x90}, 16)); err != nil {
		t.Fatal(err)
	}
	c.LimitInstructions(1)
	if e := c.Run(1000); e.Kind != x86.ExitBudget {
		t.Fatalf("exit %+v", e)
	}
	c.LimitInstructions(0)
}

// addTwo lets the guest ask for two pages, of which the second is to be attacked.
func addTwo(t *testing.T, h *host.CheatingTD, c *x86.CPU, g *fakeGuest) {
	t.Helper()
	for _, gpa := range []uint64{0x3000, pageUnderAttack} {
		if err := h.Fault(c, gpa, physical.Private, physical.Size4K); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"unshare 0x3000 0x4000", "add 0x3000 4K", "unshare 0x5000 0x6000", "add 0x5000 4K"}; !slices.Equal(g.calls, want) {
		t.Fatalf("%q, want %q", g.calls, want)
	}
	g.calls = nil
}

// A page is attacked at the next exit for something else, whatever that is, and once.
func TestAttacksWhenTheGuestExits(t *testing.T) {
	for what, exit := range map[string]func(h *host.CheatingTD, c *x86.CPU){
		"HLT":     func(h *host.CheatingTD, c *x86.CPU) { h.Halt(c, true) },
		"IN":      func(h *host.CheatingTD, c *x86.CPU) { h.In(c, 0x70, 1) },
		"OUT":     func(h *host.CheatingTD, c *x86.CPU) { h.Out(c, 0x70, 1, 0) },
		"a fault": func(h *host.CheatingTD, c *x86.CPU) { _ = h.Fault(c, 0x9000, physical.Private, physical.Size4K) },
		"MapGPA":  func(h *host.CheatingTD, c *x86.CPU) { h.Convert(c, 0x9000, 0xA000, physical.Shared) },
	} {
		h, g, c, _ := newCheat(t, host.Attack{Kind: host.Drop, N: 2})
		addTwo(t, h, c, g)
		if err := h.Fault(c, pageUnderAttack, physical.Private, physical.Size4K); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(g.calls, "remove 0x5000 0x6000") {
			t.Errorf("%s: the page is taken away before the guest has accepted it", what)
		}
		g.calls = nil
		exit(h, c)
		if len(g.calls) == 0 || g.calls[0] != "remove 0x5000 0x6000" {
			t.Errorf("%s: %q", what, g.calls)
		}
		g.calls = nil
		exit(h, c)
		if slices.Contains(g.calls, "remove 0x5000 0x6000") {
			t.Errorf("%s: attacked again: %q", what, g.calls)
		}
		if steps := h.Report().Steps; len(steps) != 1 || steps[0].GPA != pageUnderAttack {
			t.Errorf("%s: reported as %+v", what, steps)
		}
	}
}

// A cheat serves the guest otherwise: HLT halts.
func TestCheatHalts(t *testing.T) {
	h, _, c, _ := newCheat(t, host.Attack{Kind: host.Drop, N: 2})
	h.Halt(c, true)
	if e := c.Run(1000); e.Kind != x86.ExitHalted {
		t.Errorf("exit %+v", e)
	}
}

func TestJoinIsOfTheLargePageAround(t *testing.T) {
	h, g, c, _ := newCheat(t, host.Attack{Kind: host.Join, N: 2})
	addTwo(t, h, c, g)
	h.In(c, 0x70, 1)
	if want := []string{"add 0x0 2M"}; !slices.Equal(g.calls, want) {
		t.Errorf("%q, want %q", g.calls, want)
	}

	// A page that is large already is split first.
	h, g, c, _ = newCheatOf(t, physical.Size2M, host.Attack{Kind: host.Join, N: 1})
	if err := h.Fault(c, large+0x3000, physical.Private, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	g.calls, g.split = nil, true
	h.In(c, 0x70, 1)
	if want := []string{"split 0x200000", "add 0x200000 2M"}; !slices.Equal(g.calls, want) {
		t.Errorf("a large page: %q, want %q", g.calls, want)
	}
}

// What is replayed is what the guest has changed meanwhile: a page as it was would deceive no guest.
func TestReplayWaitsForAChange(t *testing.T) {
	h, g, c, m := newCheat(t, host.Attack{Kind: host.Replay, N: 2})
	addTwo(t, h, c, g)
	old := bytes.Repeat([]byte{1}, mem.PageSize)
	write := func(b []byte) {
		if err := m.Write(physical.Private, pageUnderAttack, b); err != nil {
			t.Fatal(err)
		}
	}
	write(old)
	for range 3 {
		if h.In(c, 0x70, 1); len(g.calls) != 0 {
			t.Fatalf("replayed before the page changed: %q", g.calls)
		}
	}
	write([]byte{2})
	h.In(c, 0x70, 1)
	if want := []string{"remove 0x5000 0x6000", "add 0x5000 4K"}; !slices.Equal(g.calls, want) {
		t.Errorf("%q, want %q", g.calls, want)
	}
	b := make([]byte, mem.PageSize)
	if err := m.Read(physical.Private, pageUnderAttack, b); err != nil || !bytes.Equal(b, old) {
		t.Errorf("the page begins with % x, %v", b[:8], err)
	}
}

// The host lies about the conversion that it is to lie about, on both architectures. One that would change nothing is
// not counted.
func TestLies(t *testing.T) {
	type request struct {
		what       string
		start, end uint64
		to         physical.Plane
		calls      []string
	}
	requests := []request{
		{"what is private anyway", 0x1000, 0x2000, physical.Private, []string{"unshare 0x1000 0x2000"}},
		{"the first", 0x1000, 0x2000, physical.Shared, []string{"remove 0x1000 0x2000", "share 0x1000 0x2000"}},
		{"the second", 0x2000, 0x3000, physical.Shared, nil},
		{"the third", 0x3000, 0x4000, physical.Shared, []string{"remove 0x3000 0x4000", "share 0x3000 0x4000"}},
	}
	check := func(what string, g *fakeGuest, steps func() []record.AttackStep, convert func(r request) (uint64, bool)) {
		for _, r := range requests {
			g.calls = nil
			if next, ok := convert(r); next != r.end || !ok || !slices.Equal(g.calls, r.calls) {
				t.Errorf("%s, %s: %#x, %v, %q", what, r.what, next, ok, g.calls)
			}
		}
		if s := steps(); len(s) != 1 || s[0].GPA != 0x2000 || s[0].Bytes != 0x1000 {
			t.Errorf("%s: reported as %+v", what, s)
		}
	}
	lie := host.Attack{Kind: host.Lie, N: 2}
	td, g, c, m := newCheat(t, lie)
	check("TD", g, func() []record.AttackStep { return td.Report().Steps }, func(r request) (uint64, bool) {
		return td.Convert(c, r.start, r.end, r.to)
	})
	honest, g, c := newSNP(t, 0)
	begin(t, c)
	vm := host.CheatSNP(honest, m, lie)
	vm.Serve(g)
	check("SNP", g, func() []record.AttackStep { return vm.Report().Steps }, func(r request) (uint64, bool) {
		return vm.ChangePageState(c, r.start, r.end, physical.Size4K, r.to)
	})
}
