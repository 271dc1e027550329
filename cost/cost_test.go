package cost

import (
	"math"
	"strings"
	"testing"
)

// Every number has a source of a stated kind, and every event has a name.
func TestEveryNumberHasASource(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Models() {
		if seen[m.Name()] || m.Name() == "" {
			t.Errorf("model name %q is empty or taken", m.Name())
		}
		seen[m.Name()] = true
		for _, row := range m.Table() {
			kind, text, _ := strings.Cut(row.Source, ": ")
			if kind != "published" && kind != "derived" && kind != "estimate" || text == "" {
				t.Errorf("%s: %v: source %q says neither published, derived nor estimate", m.Name(), row.Event, row.Source)
			}
			if row.NS < 0 {
				t.Errorf("%s: %v costs %d ns", m.Name(), row.Event, row.NS)
			}
		}
	}
	for e := Event(0); e < events; e++ {
		if e.String() == "" {
			t.Errorf("event %d has no name", e)
		}
	}
}

// The TSC of a guest runs at 1 GHz and one instruction is one tick: the rest of the machine relies on it.
func TestInstructionIsOneTick(t *testing.T) {
	for _, m := range Models() {
		if m.NS(Instruction) != 1 {
			t.Errorf("%s: an instruction takes %d ns", m.Name(), m.NS(Instruction))
		}
	}
}

// The sums that the published figures give.
func TestPublishedSums(t *testing.T) {
	m := TDX()
	if got := m.NS(Exit) + m.NS(HostAdd4K) + m.NS(TDXAccept4K); got != 8_000 {
		t.Errorf("a 4 KiB page accepted on its first touch takes %d ns; dstack measured about 8,000", got)
	}
	if got, pieces := m.NS(TDXAccept2M), 512*m.NS(TDXAccept4K); got >= pieces {
		t.Errorf("accepting 2 MiB whole takes %d ns, no less than in 4 KiB pieces (%d)", got, pieces)
	}
}

func TestChargeDoesNotOverflow(t *testing.T) {
	m := TDX()
	for _, c := range []struct {
		now  int64
		e    Event
		n    uint64
		want int64
	}{
		{0, Instruction, 0, 0},
		{5, Instruction, 7, 12},
		{1, Exit, 2, 5_001},
		{math.MaxInt64 - 1, Instruction, 1, math.MaxInt64},
		{math.MaxInt64 - 1, Instruction, 2, math.MaxInt64},
		{0, Instruction, math.MaxUint64, math.MaxInt64},
		{0, TDXAccept2M, math.MaxUint64, math.MaxInt64},
		{0, Exit, math.MaxUint64 / 2_000, math.MaxInt64},
		{3, Event(200), 9, 3},
	} {
		if got := m.Charge(c.now, c.e, c.n); got != c.want {
			t.Errorf("Charge(%d, %v, %d) = %d, want %d", c.now, c.e, c.n, got, c.want)
		}
	}
}

func TestNamed(t *testing.T) {
	for _, m := range Models() {
		if got, err := Named(m.Name()); err != nil || got.Name() != m.Name() {
			t.Errorf("Named(%q) = %q, %v", m.Name(), got.Name(), err)
		}
	}
	if _, err := Named("nonesuch"); err == nil || !strings.Contains(err.Error(), "tdx-estimate-1") {
		t.Errorf("an unknown name should list the known ones: %v", err)
	}
	var zero Model
	if zero.NS(Exit) != 0 || zero.Charge(4, Exit, 3) != 4 || zero.Table() != nil {
		t.Error("the zero model charges")
	}
}
