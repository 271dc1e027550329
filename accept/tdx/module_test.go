package tdx_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const (
	kiB = 1 << 10
	miB = 1 << 20
	giB = 1 << 30

	sharedBit = 1 << 47
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

func random(t *testing.T) *rand.Rand {
	t.Logf("go test ./accept/tdx -run '^%s$' -seed %d", t.Name(), *seed)
	return rand.New(rand.NewPCG(*seed, 0))
}

// A page is one that the guest has asked for.
type page struct {
	gpa   uint64
	level abi.Level
}

// A module answers TDCALL by the module's rules, for memory that the host has mapped as it likes.
type module struct {
	t *testing.T

	knows1G  bool
	levels   map[uint64]abi.Level // how the host maps a 2 MiB page, by its address: Level4K, else Level2M; or Level1G, by that of the first
	accepted map[uint64]bool      // 4 KiB pages, by address
	busy     int                  // how often each page is busy before it is not
	busyCode abi.Status
	answer   func(page) (abi.Status, bool) // a cheat

	host func(r *tdx.Registers) // answers TDG.VP.VMCALL

	asked   []page
	waiting int
}

func newModule(t *testing.T) *module {
	return &module{t: t, levels: map[uint64]abi.Level{}, accepted: map[uint64]bool{}, busyCode: abi.OperandBusy}
}

func (m *module) TDCALL(r *tdx.Registers) {
	switch abi.Leaf(r.RAX) {
	case abi.LeafMemPageAccept:
		if want := (tdx.Registers{RAX: r.RAX, RCX: r.RCX}); *r != want {
			m.t.Errorf("the registers of TDG.MEM.PAGE.ACCEPT hold more than they need: %+v", *r)
		}
		r.RAX = uint64(m.pageAccept(page{r.RCX &^ abi.PageInfoLevel, abi.Level(r.RCX & abi.PageInfoLevel)}))
	case abi.LeafVPVMCall:
		r.RAX = 0
		m.host(r)
	default:
		m.t.Errorf("TDCALL %#x", r.RAX)
	}
}

func (m *module) pageAccept(p page) abi.Status {
	if m.waiting < m.busy {
		m.waiting++
		return m.busyCode.With(abi.OperandRCX)
	}
	m.waiting = 0
	m.asked = append(m.asked, p)
	if m.answer != nil {
		if s, cheats := m.answer(p); cheats {
			return s
		}
	}
	if p.level > abi.Level2M && !m.knows1G || p.level > abi.Level1G || p.gpa%p.level.Bytes() != 0 || p.gpa >= sharedBit {
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	mapped := m.mapped(p.gpa)
	switch {
	case p.level > mapped:
		return abi.PageSizeMismatch.With(uint64(p.level))
	case m.accepted[p.gpa]:
		return abi.PageAlreadyAccepted.With(uint64(mapped))
	}
	// A pending page that is larger is an EPT violation, on which the host splits it.
	if mapped == abi.Level1G && p.level < mapped {
		m.levels[p.gpa&^(giB-1)] = abi.Level2M
	}
	if p.level == abi.Level4K {
		m.levels[p.gpa&^(2*miB-1)] = abi.Level4K
	}
	for at := p.gpa; at < p.gpa+p.level.Bytes(); at += 4 * kiB {
		m.accepted[at] = true
	}
	return abi.Success
}

// mapped returns the size of the host's page at gpa.
func (m *module) mapped(gpa uint64) abi.Level {
	if m.levels[gpa&^(giB-1)] == abi.Level1G {
		return abi.Level1G
	}
	if l, ok := m.levels[gpa&^(2*miB-1)]; ok {
		return l
	}
	return abi.Level2M
}

// has says whether exactly the pages of the ranges are accepted.
func (m *module) has(ranges ...accept.Range) bool {
	n := uint64(0)
	for _, r := range ranges {
		for at := r.Start; at < r.End; at += 4 * kiB {
			if !m.accepted[at] {
				return false
			}
			n++
		}
	}
	return uint64(len(m.accepted)) == n
}
