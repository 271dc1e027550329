package negotiate_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

const (
	below = 2*giB - 4*kiB - 256*miB // what the fake firmware leaves unaccepted below 4 GiB
	above = 2 * giB
)

// Each policy, with a system that says that it accepts and with one that does not.
func TestBothSides(t *testing.T) {
	for _, c := range []struct {
		policy     negotiate.Policy
		says       bool
		reply      negotiate.Reply
		calls      int
		unaccepted uint64
	}{
		{negotiate.Negotiate, true, negotiate.Allowed, 1, below + above},
		{negotiate.Negotiate, false, negotiate.NotOffered, 2, 0},
		{negotiate.Lazy, true, negotiate.NotOffered, 1, below + above},
		{negotiate.Lazy, false, negotiate.NotOffered, 1, below + above},
	} {
		f := newFirmware(c.policy)
		if c.says {
			if a := negotiate.Announce(f); a.Reply != c.reply || f.LookedUpBy.Len() != 1 || f.AllowedBy.Len() > 0 != (c.reply == negotiate.Allowed) {
				t.Errorf("%v: %v, %v", c.policy, a, f.Negotiation)
			}
		}
		n, err := negotiate.Room(f)
		if err != nil || n != uint64(len(f.memory)+negotiate.Spare)*stride {
			t.Fatalf("%v: room of %d bytes, %v", c.policy, n, err)
		}
		buf := make([]byte, n)
		e, err := negotiate.Leave(f, buf)
		if err != nil || e.Calls != c.calls || f.ExitAttempts != c.calls || !f.exited {
			t.Fatalf("%v, says %v: %+v, %v", c.policy, c.says, e, err)
		}
		var m negotiate.Map
		if err := m.Check(buf, e.Map, negotiate.Bounds{}); err != nil {
			t.Fatal(err)
		}
		if got := total(m.Unaccepted()); got != c.unaccepted {
			t.Errorf("%v, says %v: %#x unaccepted, want %#x", c.policy, c.says, got, c.unaccepted)
		}
		if f.AcceptedLate+c.unaccepted != below+above {
			t.Errorf("%v, says %v: firmware accepted %#x", c.policy, c.says, f.AcceptedLate)
		}
		if got := total(m.Free()); got != 640*kiB+255*miB+f.AcceptedLate {
			t.Errorf("%v, says %v: %#x free", c.policy, c.says, got)
		}
	}
}

func total(ranges func(func(accept.Range) bool)) (bytes uint64) {
	for r := range ranges {
		bytes += r.Len()
	}
	return bytes
}

// Firmware accepts once, at the first call, and not at later ones.
func TestAcceptRestHappensOnce(t *testing.T) {
	f := newFirmware(negotiate.Negotiate)
	if changed, err := f.AcceptRest(f, accept.DriverFunc(f.accept)); !changed || err != nil || len(f.accepted) != 2 {
		t.Fatalf("changed %v, %v: %v", changed, err, f.accepted)
	}
	f.memory[3].Type = uefi.UnacceptedMemory
	f.Allow("too late")
	if changed, err := f.AcceptRest(f, accept.DriverFunc(f.accept)); changed || err != nil || len(f.accepted) != 2 {
		t.Errorf("again: changed %v, %v: %v", changed, err, f.accepted)
	}

	f = newFirmware(negotiate.Negotiate)
	f.fails = errors.New("the host gives no page")
	if changed, err := f.AcceptRest(f, accept.DriverFunc(f.accept)); changed || !errors.Is(err, f.fails) || f.AcceptedLate != 0 || f.key != 0 {
		t.Errorf("changed %v, %v, %d bytes", changed, err, f.AcceptedLate)
	}
}

func TestCallersAreFew(t *testing.T) {
	var n negotiate.Negotiation
	if n.LookedUpBy.Names() != nil {
		t.Error("it has not been called")
	}
	var want []string
	for i := range 100 {
		n.LookUp(strconv.Itoa(i % 50))
		if i < 16 {
			want = append(want, strconv.Itoa(i))
		}
	}
	if got := n.LookedUpBy.Names(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for p, want := range []string{"negotiate", "lazy", "eager", "unknown policy"} {
		if got := negotiate.Policy(p).String(); got != want {
			t.Errorf("policy %d is %q", p, got)
		}
	}
}

func TestAnnounceIsRefused(t *testing.T) {
	f := newFirmware(negotiate.Negotiate)
	f.refuse = uefi.AccessDenied
	if a := negotiate.Announce(f); a != (negotiate.Answer{Reply: negotiate.Refused, Status: uefi.AccessDenied}) || a.Reply.String() != "refused" {
		t.Errorf("%v", a)
	}
	if a := negotiate.Announce(nothing{f}); a != (negotiate.Answer{Reply: negotiate.NotOffered}) {
		t.Errorf("an interface at address 0: %v", a)
	}
}

// nothing finds every protocol at address 0.
type nothing struct{ *firmware }

func (nothing) LocateProtocol(uefi.GUID) (uint64, uefi.Status) { return 0, uefi.Success }

// What firmware may say of its map that keeps a system from asking to leave at all.
func TestLeaveOfFirmwareThatLies(t *testing.T) {
	for _, c := range []struct {
		name  string
		tell  func(*negotiate.MapInfo, *uefi.Status)
		exit  func(uefi.Status) uefi.Status
		room  bool // Room finds it, too
		want  negotiate.Error
		calls int
	}{
		{"descriptors smaller than their fields", func(i *negotiate.MapInfo, _ *uefi.Status) { i.DescriptorSize = 24 }, nil, true, negotiate.ErrDescriptorSize, 0},
		{"descriptors without a size", func(i *negotiate.MapInfo, _ *uefi.Status) { i.DescriptorSize = 0 }, nil, true, negotiate.ErrDescriptorSize, 0},
		{"huge descriptors", func(i *negotiate.MapInfo, _ *uefi.Status) { i.DescriptorSize = 1 << 63 }, nil, true, negotiate.ErrDescriptorSize, 0},
		{"descriptors off their alignment", func(i *negotiate.MapInfo, _ *uefi.Status) { i.DescriptorSize = 41 }, nil, true, negotiate.ErrDescriptorSize, 0},
		{"another version", func(i *negotiate.MapInfo, _ *uefi.Status) { i.DescriptorVersion = 2 }, nil, true, negotiate.ErrDescriptorVersion, 0},
		{"half a descriptor", func(i *negotiate.MapInfo, _ *uefi.Status) { i.Size -= 8 }, nil, true, negotiate.ErrMapSize, 0},
		{"more than fits the buffer", func(i *negotiate.MapInfo, s *uefi.Status) { i.Size, *s = 1000*stride, uefi.Success }, nil, false, negotiate.ErrMapSize, 0},
		{"a million descriptors", func(i *negotiate.MapInfo, s *uefi.Status) { i.Size, *s = stride<<20, uefi.BufferTooSmall }, nil, true, negotiate.ErrBufferTooSmall, 0},
		{"no map", func(_ *negotiate.MapInfo, s *uefi.Status) { *s = uefi.DeviceError }, nil, true, negotiate.ErrNoMap, 0},
		{"never the right key", nil, func(uefi.Status) uefi.Status { return uefi.InvalidParameter }, false, negotiate.ErrRefused, 2},
		{"something else", nil, func(uefi.Status) uefi.Status { return uefi.AccessDenied }, false, negotiate.ErrExit, 1},
	} {
		f := newFirmware(negotiate.Lazy)
		f.tell, f.answer = c.tell, c.exit
		if _, err := negotiate.Room(f); c.room != (err != nil) && c.want != negotiate.ErrMapSize {
			t.Errorf("%s: Room: %v", c.name, err)
		}
		e, err := negotiate.Leave(f, make([]byte, 40*stride))
		if !errors.Is(err, c.want) || e.Calls != c.calls || f.ExitAttempts != c.calls {
			t.Errorf("%s: %v after %d calls, want %v after %d", c.name, err, e.Calls, c.want, c.calls)
		}
	}
}

// The map that grows between the two tries has room in the spare descriptors, or there is an end.
func TestMapGrowsAtExit(t *testing.T) {
	for _, more := range []int{0, 1, negotiate.Spare, negotiate.Spare + 1} {
		f := newFirmware(negotiate.Lazy)
		n, err := negotiate.Room(f)
		if err != nil {
			t.Fatal(err)
		}
		f.answer = func(s uefi.Status) uefi.Status {
			if f.ExitAttempts > 1 {
				return s
			}
			for i := range uint64(more) {
				f.memory = append(f.memory, region(uefi.ReservedMemoryType, 8*giB+2*i*uefi.PageSize, 8*giB+(2*i+1)*uefi.PageSize))
			}
			f.key++
			return uefi.InvalidParameter
		}
		e, err := negotiate.Leave(f, make([]byte, n))
		if more > negotiate.Spare {
			if !errors.Is(err, negotiate.ErrBufferTooSmall) || e.Map.Size != n+stride {
				t.Errorf("%d more: %+v, %v", more, e, err)
			}
		} else if err != nil || e.Calls != 2 || e.Map.Size != uint64(len(f.memory))*stride {
			t.Errorf("%d more: %+v, %v", more, e, err)
		}
	}
}

// Of the system's side nothing may allocate, neither where firmware is honest nor where it lies.
func TestNoAllocations(t *testing.T) {
	var m negotiate.Map
	honest := quiet{buf: encode(
		region(uefi.UnacceptedMemory, 1*giB, 2*giB+4*kiB),
		region(uefi.ConventionalMemory, 0, 512*miB), // out of order
		region(uefi.UnacceptedMemory, 4*giB, 6*giB),
	)}
	overlap := encode(region(uefi.ConventionalMemory, 0, 4*giB), region(uefi.UnacceptedMemory, 1*giB, 2*giB))
	var sum uint64
	driver := accept.DriverFunc(func(r accept.Range) error { sum += r.Len(); return nil })
	var bs negotiate.BootServices = &honest
	buf, table := make([]byte, 40*stride), make([]byte, 64*kiB)
	bounds := negotiate.Bounds{InUse: []accept.Range{{Start: 1 * miB, End: 3*miB + 1}}}
	var failed error
	if n := testing.AllocsPerRun(100, func() {
		negotiate.Announce(bs)
		n, err := negotiate.Room(bs)
		sum += n
		failed = err
		e, err := negotiate.Leave(bs, buf)
		failed = err
		if err := m.Check(buf, e.Map, bounds); err != nil {
			t.Error(err)
		}
		for r := range m.Free() {
			sum += r.Len()
		}
		clear(table)
		h := m.Header()
		h.Put(table)
		b, err := h.Bitmap(table[accept.HeaderSize:])
		if err != nil {
			t.Error(err)
		}
		failed = m.Fill(b, driver)
		_, failed = m.TakeOver(table)
		table[0] = 7
		_, failed = m.TakeOver(table)
		if !m.Readable(accept.Range{Start: 4 * kiB, End: 8 * kiB}) {
			t.Error("not readable")
		}
		failed = m.Check(overlap, infoOf(overlap), bounds)
		e.Map.DescriptorSize = 24
		failed = m.Check(buf, e.Map, bounds)
		_, failed = negotiate.Room(liar{&honest})
	}); n != 0 {
		t.Errorf("%v allocations (%d, %v)", n, sum, failed)
	}
}

// quiet is firmware that allocates nothing itself.
type quiet struct{ buf []byte }

func (q *quiet) LocateProtocol(uefi.GUID) (uint64, uefi.Status) { return 1, uefi.Success }
func (q *quiet) AllowUnacceptedMemory(uint64) uefi.Status       { return uefi.Success }
func (q *quiet) ExitBootServices(uint64) uefi.Status            { return uefi.Success }
func (q *quiet) GetMemoryMap(buf []byte) (negotiate.MapInfo, uefi.Status) {
	if len(buf) < len(q.buf) {
		return infoOf(q.buf), uefi.BufferTooSmall
	}
	copy(buf, q.buf)
	return infoOf(q.buf), uefi.Success
}

// liar has descriptors of no size.
type liar struct{ *quiet }

func (l liar) GetMemoryMap(buf []byte) (negotiate.MapInfo, uefi.Status) {
	return negotiate.MapInfo{Size: 96}, uefi.BufferTooSmall
}
