package snp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

var _ host.Frames = (*snp.Platform)(nil)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) frameAt(gpa uint64) confidential.Frame {
	m.t.Helper()
	f, err := m.FrameAt(gpa)
	must(m.t, err)
	return f
}

// store and load are the guest's accesses with C-bit.
func (m *machine) store(gpa, v uint64) {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: gpa, x86.RBX: v}, insnStore...); o.vector != done || o.err != nil {
		m.t.Fatalf("store to %#x: %+v", gpa, o)
	}
}

func (m *machine) load(gpa uint64) uint64 {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: gpa}, insnLoad...); o.vector != done || o.err != nil {
		m.t.Fatalf("load from %#x: %+v", gpa, o)
	}
	return m.cpu.R[x86.RBX]
}

// A guest that validates an address again, for which the host has another frame, is told nothing: CF says of the new
// frame that it had not been validated. From then on the host chooses what the guest reads, and no access faults.
func TestTwoFramesValidatedForOneAddress(t *testing.T) {
	const first, second = 0x1111111111111111, 0x2222222222222222
	for _, small := range []bool{true, false} {
		m := newMachine(t)
		size := uint64(size2M)
		if small {
			size = size4K
			must(t, m.AddPage(m.cpu, page, physical.Size4K))
		}
		m.mustValidate(page, size)
		m.store(page, first)
		f1 := m.frameAt(page)
		must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
		if s := m.State(page); s != "hypervisor-owned" {
			t.Errorf("without a frame the page is %s", s)
		}
		if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
			t.Errorf("a load after that: %+v", o) // the host has added another frame
		}
		if r, cf := m.pvalidate(page, size4K, 1); r != abi.Success || cf {
			t.Errorf("validating again: %v, CF %v", r, cf)
		}
		m.store(page, second)
		f2 := m.frameAt(page)
		for range 3 {
			for f, want := range map[confidential.Frame]uint64{f1: first, f2: second} {
				must(t, m.MapFrame(m.cpu, page, f))
				if got := m.load(page); got != want || m.State(page) != "validated" {
					t.Errorf("frame %d of %d and %d: the guest reads %#x, and the page is %s", f, f1, f2, got, m.State(page))
				}
			}
		}
		if !small && m.State(page+0x1000) != "validated" {
			t.Error("the pages beside it are not what they were")
		}
	}
}

// What runs is what the frame has that the address leads to.
func TestFramesWithCode(t *testing.T) {
	m := newMachine(t)
	put := func(v byte) confidential.Frame {
		m.mustValidate(page, size4K)
		back := int64(doneAt) - page - 10
		m.writeBytes(page, []byte{0xBB, v, 0, 0, 0, 0xE9, byte(back), byte(back >> 8), byte(back >> 16), byte(back >> 24)}) // mov ebx, v
		return m.frameAt(page)
	}
	jump := func(want uint64) {
		t.Helper()
		if o := m.run(regs{x86.RAX: page}, []byte(insnJump)...); o.vector != done || o.err != nil || m.cpu.R[x86.RBX] != want {
			t.Errorf("%+v, RBX %d, want %d", o, m.cpu.R[x86.RBX], want)
		}
	}
	f1 := put(1)
	jump(1)
	must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
	f2 := put(2)
	jump(2)
	must(t, m.MapFrame(m.cpu, page, f1))
	jump(1)
	must(t, m.MapFrame(m.cpu, page, f2))
	jump(2)
}

// RMPUPDATE takes validation away and leaves contents alone: what the host puts back into a frame that it has read
// before is what the guest had there, once the guest validates it. Anything else that the host writes is junk to the
// guest, and so is what was another frame's.
func TestOldContentsInTheSameFrame(t *testing.T) {
	const old, changed = 0x0102030405060708, 0x1112131415161718
	for what, put := range map[string]func(m *machine, f confidential.Frame, was *[mem.PageSize]byte) confidential.Frame{
		"old": func(_ *machine, f confidential.Frame, _ *[mem.PageSize]byte) confidential.Frame { return f },
		"changed": func(_ *machine, f confidential.Frame, was *[mem.PageSize]byte) confidential.Frame {
			was[3] ^= 1
			return f
		},
		"another frame's": func(m *machine, _ confidential.Frame, _ *[mem.PageSize]byte) confidential.Frame {
			f, err := m.NewFrame()
			must(m.t, err)
			return f
		},
	} {
		m := newMachine(t)
		m.mustValidate(page, size4K)
		m.store(page, old)
		m.store(page+16, old)
		f := m.frameAt(page)
		var was, is [mem.PageSize]byte
		must(t, m.ReadFrame(f, &was))
		if bytes.Contains(was[:], []byte{8, 7, 6, 5, 4, 3, 2, 1}) {
			t.Error("the host reads what the guest has written")
		}
		m.store(page, changed)
		m.store(page+16, changed)
		must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
		must(t, m.ReadFrame(f, &is))
		if is == was || bytes.Equal(is[:16], is[16:32]) {
			t.Error("the host does not see that the page has changed, or sees that it has the same in two places")
		}
		must(t, m.UpdateFrame(m.cpu, f, 0, false))
		back := put(m, f, &was)
		must(t, m.WriteFrame(back, &was))
		must(t, m.UpdateFrame(m.cpu, back, page, true))
		must(t, m.MapFrame(m.cpu, page, back))
		if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
			t.Errorf("%s: a load: %+v", what, o)
		}
		if r, cf := m.pvalidate(page, size4K, 1); r != abi.Success || cf {
			t.Errorf("%s: validating again: %v, CF %v", what, r, cf)
		}
		first, second := m.load(page), m.load(page+16)
		if second != old && what != "another frame's" || (first == old) != (what == "old") || first == changed {
			t.Errorf("%s: the guest reads %#x and %#x", what, first, second)
		}
	}
}

// Permissions and the VMSA flag are the frame's.
func TestFramesKeepPermissions(t *testing.T) {
	m := atLevels(t)
	m.rmpadjust(page, size2M, 1|abi.AdjustRead)
	f := m.frameAt(page)
	must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
	m.mustValidate(page, size4K)
	load := func() error {
		m.SetVMPL(0, 1)
		defer m.SetVMPL(0, 0)
		return m.run(regs{x86.RAX: page}, insnLoad...).err
	}
	if load() == nil {
		t.Error("a new frame can be read by VMPL1")
	}
	must(t, m.MapFrame(m.cpu, page, f))
	if err := load(); err != nil {
		t.Error(err)
	}
}

// What hardware refuses, or has the guest fault on forever.
func TestFramesThatCannotBe(t *testing.T) {
	m := newMachine(t)
	const other, common, none = page + 0x1000, page + 2<<20, page + 4<<20
	must(t, m.AddPage(m.cpu, page, physical.Size4K))
	must(t, m.AddPage(m.cpu, other, physical.Size4K))
	m.share(common)
	m.mustValidate(page, size4K)
	f, mine := m.frameAt(page), m.frameAt(other)
	must(t, m.MapFrame(m.cpu, other, confidential.NoFrame))
	hosts, err := m.NewFrame()
	must(t, err)
	var b [mem.PageSize]byte
	for what, err := range map[string]error{
		"mapping a frame at two addresses":               m.MapFrame(m.cpu, other, f),
		"mapping a frame that is for another address":    m.MapFrame(m.cpu, none, mine),
		"mapping a frame that is not the guest's":        m.MapFrame(m.cpu, none, hosts),
		"mapping a frame that there is not":              m.MapFrame(m.cpu, none, 77),
		"mapping where memory is shared":                 m.MapFrame(m.cpu, common, mine),
		"mapping where there is no memory":               m.MapFrame(m.cpu, holeStart, confidential.NoFrame),
		"mapping half a page":                            m.MapFrame(m.cpu, page+0x800, confidential.NoFrame),
		"updating a frame that the guest reaches":        m.UpdateFrame(m.cpu, f, page, true),
		"assigning a frame for where there is no memory": m.UpdateFrame(m.cpu, hosts, holeStart, true),
		"assigning a frame for half a page":              m.UpdateFrame(m.cpu, hosts, page+0x800, true),
		"updating no frame":                              m.UpdateFrame(m.cpu, confidential.NoFrame, page, true),
		"writing to a frame that the guest reaches":      m.WriteFrame(f, &b),
		"writing to a frame that is assigned":            m.WriteFrame(mine, &b),
		"writing to a frame that there is not":           m.WriteFrame(77, &b),
		"reading a frame that there is not":              m.ReadFrame(confidential.NoFrame, &b),
		"the frame of shared memory":                     frameError(m.FrameAt(common)),
		"the frame where there is none":                  frameError(m.FrameAt(none)),
		"the frame where there is no memory":             frameError(m.FrameAt(holeStart)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if m.State(page) != "validated" || m.State(common) != "shared" || m.frameAt(page) != f {
		t.Error("what was refused has changed something")
	}
	// A frame has its number until it is freed.
	must(t, m.RemovePages(m.cpu, page, page+0x1000))
	if err := m.ReadFrame(f, &b); err == nil {
		t.Error("a frame that was freed can be read")
	}
}

func frameError(_ confidential.Frame, err error) error { return err }

// However many frames a host keeps, they are bounded.
func TestFramesAreBounded(t *testing.T) {
	m := newMachine(t)
	var bytes int64
	m.OnGrowth(func(n int64) { bytes += n })
	n := 0
	for ; n < 1<<20; n++ {
		if _, err := m.NewFrame(); err != nil {
			break
		}
	}
	if n > 4096 || bytes != int64(n)*mem.PageSize {
		t.Errorf("%d frames, %d bytes counted", n, bytes)
	}
	var r *snp.ResultError
	if err := m.MapFrame(m.cpu, 0x1000, confidential.NoFrame); err == nil || errors.As(err, &r) {
		t.Errorf("one more: %v", err)
	}
}
