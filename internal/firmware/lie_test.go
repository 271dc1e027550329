package firmware

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// A system sees firmware as package negotiate does, through the services that the machine's guests call.
type system struct {
	*machine
	args, buffer uint64
}

const systemBuffer = 64 << 10

func newSystem(m *machine) *system {
	return &system{m, m.room(8), m.room(systemBuffer / 8)}
}

func (s *system) LocateProtocol(protocol uefi.GUID) (uint64, uefi.Status) {
	s.poke(s.args+8, protocol[:])
	status := s.boots(uefi.BSLocateProtocol, s.args+8, 0, s.args)
	return s.word(s.args), status
}

func (s *system) AllowUnacceptedMemory(address uint64) uefi.Status {
	return s.must(s.word(address), address)
}

func (s *system) GetMemoryMap(buf []byte) (negotiate.MapInfo, uefi.Status) {
	size, key, stride, version := s.args, s.args+8, s.args+16, s.args+24
	s.putWord(size, uint64(len(buf)))
	s.putWord(version, 0)
	status := s.boots(uefi.BSGetMemoryMap, size, s.buffer, key, stride, version)
	s.peek(s.buffer, buf)
	return negotiate.MapInfo{
		Size: s.word(size), Key: s.word(key), DescriptorSize: s.word(stride), DescriptorVersion: uint32(s.word(version)),
	}, status
}

func (s *system) ExitBootServices(key uint64) uefi.Status {
	return s.boots(uefi.BSExitBootServices, s.images[0].handle, key)
}

// leave is what a system does that knows about unaccepted memory: it announces, leaves, and checks the map.
func (s *system) leave() (*negotiate.Map, error) {
	negotiate.Announce(s)
	if _, err := negotiate.Room(s); err != nil {
		return nil, err
	}
	buf := make([]byte, systemBuffer)
	e, err := negotiate.Leave(s, buf)
	if err != nil {
		return nil, err
	}
	m := new(negotiate.Map)
	ram := physical.RAM(s.cfg.TotalMemory)
	image := s.images[0].memory
	return m, m.Check(buf, e.Map, negotiate.Bounds{Limit: ram[len(ram)-1].End, InUse: []accept.Range{image}})
}

// Each lie is told, to a system that checks what it is told. Two of them cannot be seen in a map; both stop the guest
// when it acts on them.
func TestLies(t *testing.T) {
	want := map[Lie]negotiate.Error{
		LieOverlap: negotiate.ErrOverlap, LieWrap: negotiate.ErrBeyond, LieImage: negotiate.ErrInUse, LieKey: negotiate.ErrRefused,
		LieStride: negotiate.ErrDescriptorSize, LieStrideHuge: negotiate.ErrDescriptorSize,
		LieAccepted: 0, LieUnaccepted: 0, LieTable: 0, LieStale: 0,
	}
	if len(want) != len(lies) {
		t.Errorf("%d lies, %d tests", len(lies), len(want))
	}
	for lie, problem := range want {
		t.Run(string(lie), func(t *testing.T) {
			if parsed, err := ParseLie(string(lie)); err != nil || parsed != lie {
				t.Fatalf("%q, %v", parsed, err)
			}
			m := newMachine(t, func(c *Config) { c.TotalMemory, c.Unaccepted, c.Lie = 4*gib, true, lie })
			left := sum(m.Leaves())
			s, err := newSystem(m).leave()
			if problem == 0 && err != nil || problem != 0 && !errors.Is(err, problem) {
				t.Fatalf("%v, want %v", err, problem)
			}
			if m.Told().Times == 0 {
				t.Error("it was never told")
			}
			// The books are true whatever is told.
			checkMap(t, m.memory.regions)
			if got := m.memory.total(uefi.UnacceptedMemory); got != left {
				t.Errorf("%#x unaccepted in the books, want %#x", got, left)
			}
			about := m.Told().About
			switch lie {
			case LieAccepted:
				if err := m.accept(about); err == nil {
					t.Errorf("%v is said to be unaccepted, and it is", about)
				}
				fallthrough
			case LieUnaccepted:
				unaccepted := false
				for r := range s.Unaccepted() {
					unaccepted = unaccepted || about.In(r)
				}
				if unaccepted != (lie == LieAccepted) || about.Len() != lieSize || m.accepted[about.Start] != (lie == LieAccepted) {
					t.Errorf("%v: called unaccepted %v, accepted %v", about, unaccepted, m.accepted[about.Start])
				}
			case LieTable, LieStale:
				_, err := s.TakeOver(m.installedTable())
				if want := map[Lie]negotiate.Error{LieTable: negotiate.ErrTableFormat, LieStale: negotiate.ErrTableContradict}[lie]; !errors.Is(err, want) {
					t.Errorf("the table: %v, want %v", err, want)
				}
			}
		})
	}
	if _, err := ParseLie("white"); err == nil {
		t.Error("a white lie")
	}
	if _, err := New(Config{TotalMemory: 64 * mib, ACPI: testACPI(), Image: testImage(nil), Lie: "white"}); err == nil {
		t.Error("a white lie in a configuration")
	}
}

// installedTable returns the table of unaccepted memory that is installed: nil where there is none.
func (m *machine) installedTable() []byte {
	at, ok := m.ConfigurationTable(uefi.LinuxUnacceptedMemTableGUID)
	if !ok {
		return nil
	}
	h := accept.Header{Size: m.word(at + 16)}
	return m.bytes(at, accept.HeaderSize+int(h.Size))
}

// What firmware installs is what a system can take over: it marks exactly what is unaccepted, before and after firmware
// has accepted the rest itself.
func TestUnacceptedTable(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   Policy
		misalign bool
		says     bool
	}{
		{"lazy", Lazy, false, true},
		{"misaligned", Negotiate, true, true},
		{"not called", Negotiate, true, false},
		{"eager", Eager, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, func(cfg *Config) {
				cfg.TotalMemory, cfg.Unaccepted, cfg.UnacceptedTable, cfg.Policy, cfg.Misalign = 4*gib, true, true, c.policy, c.misalign
			})
			if uint64(len(m.accepted))*pageSize+sum(m.Leaves()) != 4*gib {
				t.Errorf("%#x pages accepted, %v left", len(m.accepted), m.Leaves())
			}
			for _, r := range m.Leaves() {
				if r != r.AlignOut(accept.UnitSize) {
					t.Errorf("%v is not whole units", r)
				}
			}
			s := newSystem(m)
			if c.says {
				negotiate.Announce(s)
			}
			buf := make([]byte, systemBuffer)
			e, err := negotiate.Leave(s, buf)
			if err != nil {
				t.Fatal(err)
			}
			var final negotiate.Map
			if err := final.Check(buf, e.Map, negotiate.Bounds{}); err != nil {
				t.Fatal(err)
			}
			table := m.installedTable()
			if c.policy == Eager {
				if table != nil {
					t.Error("a table for nothing")
				}
				return
			}
			b, err := final.TakeOver(table)
			if err != nil {
				t.Fatal(err)
			}
			at, _ := m.ConfigurationTable(uefi.LinuxUnacceptedMemTableGUID)
			if !final.Readable(accept.Range{Start: at, End: at + uint64(len(table))}) {
				t.Errorf("the table at %#x is in no memory", at)
			}
			want := uint64(0)
			if c.policy == Lazy || c.says {
				want = sum(m.Leaves())
			}
			if got := b.Count(b.Span()) * accept.UnitSize; got != want || got != m.memory.total(uefi.UnacceptedMemory) {
				t.Errorf("%#x marked, want %#x", got, want)
			}
		})
	}
}

// The two sides, each as it is used, say the same about a machine without lies.
func TestSystemMeetsFirmware(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.TotalMemory, c.Unaccepted, c.Misalign = 4*gib, true, true })
	s, err := newSystem(m).leave()
	if err != nil {
		t.Fatal(err)
	}
	h := s.Header()
	b, err := h.Bitmap(make([]byte, h.Size))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fill(b, accept.DriverFunc(m.accept)); err != nil {
		t.Fatal(err)
	}
	if got := b.Count(b.Span())*accept.UnitSize + uint64(len(m.accepted))*pageSize; got != 4*gib {
		t.Errorf("%#x bytes are accepted or marked", got)
	}
	for r := range s.Free() {
		for page := r.Start; page < r.End; page += pageSize {
			if !m.accepted[page] {
				t.Fatalf("%#x is free and not accepted", page)
			}
		}
	}
}
