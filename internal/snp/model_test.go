package snp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A modelPage is all that there is to know of one page, as the APM's tables say it, with nothing shared between pages.
type modelPage struct {
	assigned, validated, large, shared bool
	content                            uint64 // its first word; 0 where it is junk
}

// model is the naive machine: one modelPage for each page of the region, and a host that assigns 2 MiB where it can.
type model struct {
	page  [4 * 512]modelPage
	base  uint64 // address of the first page
	small bool   // the host assigns 4 KiB
}

func (m *model) at(gpa uint64) *modelPage { return &m.page[(gpa-m.base)/4096] }

func (m *model) large(gpa uint64) []modelPage {
	i := (gpa - m.base) / 4096 &^ 511
	return m.page[i : i+512]
}

func (m *model) psmash(gpa uint64) {
	for i := range m.large(gpa) {
		m.large(gpa)[i].large = false
	}
}

// assign is what the host does on a nested page fault for a private page.
func (m *model) assign(gpa uint64) {
	p := m.at(gpa)
	p.shared = false
	free := !m.small
	for _, q := range m.large(gpa) {
		free = free && !q.shared && !q.assigned
	}
	if !free {
		*p = modelPage{assigned: true}
		return
	}
	for i := range m.large(gpa) {
		m.large(gpa)[i] = modelPage{assigned: true, large: true}
	}
}

func (m *model) toShared(gpa uint64) {
	if m.at(gpa).large {
		m.psmash(gpa)
	}
	if !m.at(gpa).shared {
		*m.at(gpa) = modelPage{shared: true}
	}
}

func (m *model) pvalidate(gpa uint64, size uint64, validate bool) (abi.Result, bool) {
	if size == size2M && gpa%(2<<20) != 0 {
		return abi.FailInput, false
	}
	if !m.at(gpa).assigned {
		m.assign(gpa)
	}
	if size == size4K && m.at(gpa).large {
		m.psmash(gpa)
	}
	if size == size2M && !m.at(gpa).large {
		return abi.FailSizeMismatch, false
	}
	same := m.at(gpa).validated == validate
	if size == size4K {
		m.at(gpa).validated = validate
		return abi.Success, same
	}
	for i := range m.large(gpa) {
		m.large(gpa)[i].validated = validate
	}
	return abi.Success, same
}

// The platform with the honest host, driven by instructions, and the naive model do the same whatever is done to them.
func TestPagesAgreeWithOneRecordPerPage(t *testing.T) {
	for _, small := range []bool{false, true} {
		for seed := range uint64(4) {
			t.Logf("seed %d, 4 KiB host pages: %v", seed, small)
			compare(t, rand.New(rand.NewPCG(seed, 2026)), small)
		}
	}
}

func compare(t *testing.T, r *rand.Rand, small bool) {
	var options []option
	if small {
		options = append(options, with4KPages)
	}
	m := newMachine(t, options...)
	want := &model{base: 8 << 20, small: small}
	for step := range 3000 {
		gpa := want.base + r.Uint64N(uint64(len(want.page)))*4096
		if r.IntN(2) == 0 { // often the same few pages
			gpa = want.base + r.Uint64N(4)<<21 + r.Uint64N(3)*4096
		}
		p := want.at(gpa)
		value := r.Uint64() | 1
		switch op := r.IntN(10); op {
		case 0, 1, 2:
			size, validate := r.Uint64N(2), r.Uint64N(3) > 0
			if size == size2M && r.IntN(4) > 0 {
				gpa &^= 2<<20 - 1
			}
			action := uint64(0)
			if validate {
				action = 1
			}
			gotR, gotCF := m.pvalidate(gpa, size, action)
			if wantR, wantCF := want.pvalidate(gpa, size, validate); gotR != wantR || gotCF != wantCF {
				t.Fatalf("step %d: PVALIDATE(%#x, %d, %d) is %v, CF %v, want %v, CF %v", step, gpa, size, action, gotR, gotCF, wantR, wantCF)
			}
		case 3: // to shared
			m.share(gpa)
			want.toShared(gpa)
		case 4: // to private
			m.msr(gpa | 1<<52 | 0x14)
			if p.shared {
				*p = modelPage{}
			}
		case 5, 6: // private store and load
			code, write := insnLoad, op == 5
			if write {
				code = insnStore
			}
			o := m.run(regs{x86.RAX: gpa, x86.RBX: value}, code...)
			if !p.validated {
				if o.vector != vectorVC || o.code != 0x404 {
					t.Fatalf("step %d: access to %#x (%+v): %+v", step, gpa, *p, o)
				}
				if !p.assigned {
					want.assign(gpa)
				}
				break
			}
			if o.vector != done || !write && p.content != 0 && m.cpu.R[x86.RBX] != p.content || !write && m.cpu.R[x86.RBX] == 0 {
				t.Fatalf("step %d: access to %#x (%+v): %+v, %#x", step, gpa, *p, o, m.cpu.R[x86.RBX])
			}
			p.content = m.cpu.R[x86.RBX]
		case 7: // shared store
			m.storeShared(gpa, value)
			want.toShared(gpa)
			p.content = value
		case 8: // shared load
			v := m.loadShared(gpa)
			switch {
			case p.assigned && (v == p.content || v == 0):
				t.Fatalf("step %d: the private page at %#x reads %#x without C-bit", step, gpa, v)
			case p.shared && p.content != 0 && v != p.content:
				t.Fatalf("step %d: the shared page at %#x reads %#x, want %#x", step, gpa, v, p.content)
			case !p.assigned && !p.shared:
				want.toShared(gpa)
			}
			if p.shared {
				p.content = v
			}
		case 9: // the host takes pages away, or splits one
			end := gpa + (1+r.Uint64N(3))*4096
			if end > want.base+uint64(len(want.page))*4096 {
				break
			}
			if err := m.RemovePages(m.cpu, gpa, end); err != nil {
				t.Fatal(err)
			}
			for _, edge := range []uint64{gpa, end} {
				if edge%(2<<20) != 0 && want.at(edge).large {
					want.psmash(edge)
				}
			}
			for a := gpa; a < end; a += 4096 {
				if q := want.at(a); q.assigned {
					if q.large {
						want.psmash(a)
					}
					*q = modelPage{}
				}
			}
		}
		if step%100 == 0 {
			checkModel(t, m, want)
		}
	}
	checkModel(t, m, want)
}

func checkModel(t *testing.T, m *machine, want *model) {
	t.Helper()
	unaccepted := uint64(memorySize - (holeEnd - holeStart) - low)
	for i, p := range want.page {
		gpa := want.base + uint64(i)*4096
		state := "hypervisor-owned"
		switch {
		case p.validated:
			state = "validated"
		case p.assigned:
			state = "not validated"
		case p.shared:
			state = "shared"
		}
		if got := m.State(gpa); got != state {
			t.Fatalf("page %#x is %s, want %s", gpa, got, state)
		}
		if p.validated || p.shared {
			unaccepted -= 4096
		}
		if p.content != 0 {
			plane := physical.Private
			if p.shared {
				plane = physical.Shared
			}
			if got := m.word(plane, gpa); got != p.content {
				t.Fatalf("page %#x holds %#x, want %#x", gpa, got, p.content)
			}
		}
		if gpa%(2<<20) == 0 && p.large != m.isLarge(gpa) {
			t.Fatalf("page %#x is large: %v, want %v", gpa, m.isLarge(gpa), p.large)
		}
	}
	if got := m.Unaccepted(); got != unaccepted {
		t.Fatalf("%d bytes unaccepted, want %d", got, unaccepted)
	}
}

// isLarge finds out by trying to assign 4 KiB and by asking for 2 MiB, neither of which changes anything.
func (m *machine) isLarge(gpa uint64) bool {
	if m.State(gpa) != "validated" && m.State(gpa) != "not validated" {
		return false
	}
	if m.AddPage(m.cpu, gpa, physical.Size4K) == nil {
		m.t.Fatalf("a page was assigned in the place of the one at %#x", gpa)
	}
	action := uint64(0)
	if m.State(gpa) == "validated" {
		action = 1
	}
	r, _ := m.pvalidate(gpa, size2M, action) // as it is: CF
	return r == abi.Success
}
