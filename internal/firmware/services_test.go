package firmware

import (
	"bytes"
	"hash/crc32"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

func TestConsole(t *testing.T) {
	m := newMachine(t, nil)
	out := m.word(m.systemTable + uefi.SystemTableConOut)
	call := func(offset uint64, args ...uint64) uefi.Status {
		return m.must(m.word(out+offset), append([]uint64{out}, args...)...)
	}
	mode := m.word(out + uefi.TextOutputMode)
	cursor := func() (column, row uint32) {
		v := m.word(mode + uefi.TextOutputModeCursorColumn - 4)
		return uint32(v >> 32), uint32(m.word(mode + uefi.TextOutputModeCursorRow))
	}
	call(uefi.TextOutputOutputString, m.alloc(wide("Grüße, 世界 🙂\r\nzweite")))
	if got := m.console.String(); got != "Grüße, 世界 🙂\r\nzweite" {
		t.Errorf("%q", got)
	}
	if c, r := cursor(); c != 6 || r != 1 {
		t.Errorf("cursor at %d, %d", c, r)
	}
	call(uefi.TextOutputOutputString, m.alloc(wide(strings.Repeat("x", columns)+"\b")))
	if c, r := cursor(); c != 5 || r != 2 {
		t.Errorf("cursor at %d, %d", c, r)
	}
	m.console.Reset()
	call(uefi.TextOutputSetAttribute, 0x1E) // yellow on blue
	call(uefi.TextOutputSetCursorPosition, 10, 3)
	call(uefi.TextOutputEnableCursor, 1)
	call(uefi.TextOutputClearScreen)
	if got, want := m.console.String(), "\x1b[93;44m\x1b[4;11H\x1b[?25h\x1b[2J\x1b[H"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	size := m.room(2)
	if s := call(uefi.TextOutputQueryMode, 0, size, size+8); s != uefi.Success || m.word(size) != columns || m.word(size+8) != rows {
		t.Errorf("QueryMode: %v", s)
	}
	for _, c := range [][]uint64{
		{uefi.TextOutputQueryMode, 1, size, size + 8}, {uefi.TextOutputSetMode, 1}, {uefi.TextOutputSetAttribute, 0x80},
		{uefi.TextOutputSetCursorPosition, columns, 0}, {uefi.TextOutputSetCursorPosition, 0, rows},
		{uefi.TextOutputTestString, m.alloc([]byte{0, 0xD8, 0, 0})}, // half a character
	} {
		if s := call(c[0], c[1:]...); s != uefi.Unsupported {
			t.Errorf("%d(%#x): %v", c[0], c[1:], s)
		}
	}
	if s := call(uefi.TextOutputOutputString, m.alloc(bytes.Repeat([]byte{'x', 0}, maxString+1))); s != uefi.InvalidParameter {
		t.Errorf("a string without end: %v", s)
	}
	// A string may begin at an odd address, cross pages, and end with the last byte that is mapped.
	m.console.Reset()
	call(uefi.TextOutputOutputString, m.at(0x30_0FFF, wide("odd")))
	call(uefi.TextOutputOutputString, m.at(0x30_2FF1, wide("across pages")))
	last := physical.RAM(m.cfg.TotalMemory)[0].End
	call(uefi.TextOutputOutputString, m.at(last-8, wide("end")))
	if got := m.console.String(); got != "oddacross pagesend" {
		t.Errorf("%q", got)
	}
	if s := call(uefi.TextOutputOutputString, m.at(last-2, []byte{'x', 1})); s != uefi.InvalidParameter {
		t.Errorf("a string that runs out of memory: %v", s)
	}
	in := m.word(m.systemTable + uefi.SystemTableConIn)
	if s := m.must(m.word(in+uefi.TextInputReadKeyStroke), in, size); s != uefi.NotReady {
		t.Errorf("ReadKeyStroke: %v", s)
	}
}

// Random numbers follow from the seed, and from nothing else.
func TestRNG(t *testing.T) {
	numbers := func(seed uint64) string {
		m := newMachine(t, func(c *Config) { c.Seed = seed })
		at := m.room(1)
		m.wants(uefi.Success, uefi.BSLocateProtocol, m.guid(uefi.RNGProtocolGUID), 0, at)
		r := m.word(at)
		get := func(algorithm, n, buffer uint64) uefi.Status {
			return m.must(m.word(r+uefi.RNGGetRNG), r, algorithm, n, buffer)
		}
		buffer := m.room(8)
		var b []byte
		for _, n := range []uint64{1, 32, 7} {
			if s := get(0, n, buffer); s != uefi.Success {
				t.Fatal(s)
			}
			b = append(b, m.bytes(buffer, int(n))...)
		}
		if s := get(m.guid(uefi.RNGAlgorithmRawGUID), 32, buffer); s != uefi.Success {
			t.Error(s)
		}
		for _, c := range []struct {
			algorithm, n, buffer uint64
			want                 uefi.Status
		}{
			{m.guid(protocolA), 32, buffer, uefi.Unsupported}, {0, 0, buffer, uefi.InvalidParameter},
			{0, 32, 0, uefi.InvalidParameter}, {0, math.MaxUint64, buffer, uefi.DeviceError},
		} {
			if s := get(c.algorithm, c.n, c.buffer); s != c.want {
				t.Errorf("%+v: %v", c, s)
			}
		}
		size := m.room(1)
		if s := m.must(m.word(r+uefi.RNGGetInfo), r, size, 0); s != uefi.BufferTooSmall || m.word(size) != 16 {
			t.Errorf("GetInfo: %v", s)
		}
		if s := m.must(m.word(r+uefi.RNGGetInfo), r, size, buffer); s != uefi.Success || uefi.GUID(m.bytes(buffer, 16)) != uefi.RNGAlgorithmRawGUID {
			t.Errorf("GetInfo: %v", s)
		}
		return string(b)
	}
	first, again, other := numbers(1), numbers(1), numbers(2)
	if first != again || first == other {
		t.Error("numbers do not follow from the seed")
	}
}

func TestMemoryServices(t *testing.T) {
	m := newMachine(t, nil)
	at := m.room(1)
	m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), 4096, at)
	base := m.word(at)
	const n = 3*step + 12345 // more than one step
	want := make([]byte, n)
	for i := range want {
		want[i] = byte(i * 7)
	}
	m.poke(base, want)
	for _, shift := range []uint64{0, 1, 4096, step + 3, 8 << 20} { // overlapping and not, forwards and backwards
		m.boots(uefi.BSCopyMem, base+shift, base, n)
		if !bytes.Equal(m.bytes(base+shift, n), want) {
			t.Fatalf("copied %d up", shift)
		}
		m.boots(uefi.BSCopyMem, base, base+shift, n)
		if !bytes.Equal(m.bytes(base, n), want) {
			t.Fatalf("copied %d down", shift)
		}
	}
	m.wants(uefi.Success, uefi.BSCalculateCrc32, base, n, at)
	if got := uint32(m.word(at)); got != crc32.ChecksumIEEE(want) {
		t.Errorf("CRC %#x", got)
	}
	m.boots(uefi.BSSetMem, base+5, n-10, 0xAB)
	got := m.bytes(base, n)
	if !bytes.Equal(got[:5], want[:5]) || !bytes.Equal(got[n-5:], want[n-5:]) || bytes.Count(got[5:n-5], []byte{0xAB}) != n-10 {
		t.Error("SetMem")
	}
	m.wants(uefi.InvalidParameter, uefi.BSCalculateCrc32, base, 0, at)
	m.wants(uefi.InvalidParameter, uefi.BSCalculateCrc32, base, 1<<40, at)
}

func TestClock(t *testing.T) {
	const start = 1_709_210_096 // 2024-02-29T12:34:56Z
	m := newMachine(t, func(c *Config) { c.RTCStart = start })
	at := m.room(2)
	m.now = 3_500_000_000
	if s := m.runs(uefi.RTGetTime, at, m.room(2)); s != uefi.Success {
		t.Fatal(s)
	}
	if got, want := m.bytes(at, 16), []byte{0xE8, 7, 2, 29, 12, 34, 59, 0, 0, 0x65, 0xCD, 0x1D, 0, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	set := func(b ...byte) uefi.Status {
		m.poke(at, b)
		return m.runs(uefi.RTSetTime, at)
	}
	if s := set(0xCF, 7, 12, 31, 23, 59, 58, 0, 0, 0, 0, 0, 60, 0, 0, 0); s != uefi.Success { // 1999, UTC is an hour ahead
		t.Error(s)
	}
	m.now += 2_000_000_000
	m.runs(uefi.RTGetTime, at, 0)
	if got, want := m.bytes(at, 7), []byte{0xD0, 7, 1, 1, 1, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	for _, bad := range [][]byte{
		{0xE7, 7, 2, 29, 0, 0, 0}, {0xE8, 7, 13, 1, 0, 0, 0}, {0xE8, 7, 0, 1, 0, 0, 0}, {0xE8, 7, 1, 0, 0, 0, 0},
		{0xE8, 7, 1, 1, 24, 0, 0}, {0xE8, 7, 1, 1, 0, 60, 0}, {0xE8, 7, 1, 1, 0, 0, 60}, {0, 0, 1, 1, 0, 0, 0}, {0xFF, 0xFF, 1, 1, 0, 0, 0},
	} {
		if s := set(append(bad, make([]byte, 9)...)...); s != uefi.InvalidParameter {
			t.Errorf("% x: %v", bad, s)
		}
	}
	for _, s := range []uefi.RuntimeService{uefi.RTGetWakeupTime, uefi.RTSetWakeupTime, uefi.RTUpdateCapsule, uefi.RTQueryCapsuleCapabilities} {
		if got := m.runs(s, at, at, at, at); got != uefi.Unsupported {
			t.Errorf("%v: %v", s, got)
		}
	}
}

func TestMonotonicCount(t *testing.T) {
	m := newMachine(t, nil)
	at := m.room(1)
	last := uint64(0)
	for i := range 10 {
		if i == 5 {
			m.runs(uefi.RTGetNextHighMonotonicCount, at)
		}
		m.wants(uefi.Success, uefi.BSGetNextMonotonicCount, at)
		if got := m.word(at); got <= last {
			t.Errorf("%#x after %#x", got, last)
		}
		last = m.word(at)
	}
	if last>>32 != 1 {
		t.Errorf("%#x", last)
	}
}

func TestVariables(t *testing.T) {
	const nv, bs, rt, appending = uefi.VariableNonVolatile, uefi.VariableBootServiceAccess, uefi.VariableRuntimeAccess, uefi.VariableAppendWrite
	m := newMachine(t, nil)
	vendor := m.guid(uefi.GlobalVariableGUID)
	attributes, size, buffer := m.room(1), m.room(1), m.alloc(make([]byte, 256))
	set := func(name string, attributes uint64, data string) uefi.Status {
		at, n := uint64(0), uint64(len(data))
		if n > 0 {
			at = m.alloc([]byte(data))
		}
		return m.runs(uefi.RTSetVariable, m.alloc(wide(name)), vendor, attributes, n, at)
	}
	get := func(name string) (string, uint32, uefi.Status) {
		m.putWord(size, 256)
		s := m.runs(uefi.RTGetVariable, m.alloc(wide(name)), vendor, attributes, size, buffer)
		if s != uefi.Success {
			return "", 0, s
		}
		return string(m.bytes(buffer, int(m.word(size)))), uint32(m.word(attributes)), s
	}
	wants := func(want uefi.Status, name string, attributes uint64, data string) {
		t.Helper()
		if s := set(name, attributes, data); s != want {
			t.Errorf("SetVariable(%q, %#x, %q) = %v, want %v", name, attributes, data, s, want)
		}
	}
	wants(uefi.Success, "Boot", bs, "secret")
	wants(uefi.Success, "Both", nv|bs|rt, "one")
	wants(uefi.Success, "Both", nv|bs|rt|appending, " two")
	wants(uefi.InvalidParameter, "Both", bs|rt, "other attributes")
	wants(uefi.InvalidParameter, "Odd", rt, "x")
	wants(uefi.InvalidParameter, "", bs, "x")
	wants(uefi.Unsupported, "Signed", nv|bs|rt|uefi.VariableTimeBasedAuthenticatedWriteAccess, "x")
	wants(uefi.Success, "Nothing", bs|appending, "")
	wants(uefi.NotFound, "Nothing", bs, "")
	if data, a, s := get("Both"); data != "one two" || a != nv|bs|rt || s != uefi.Success {
		t.Errorf("%q %#x %v", data, a, s)
	}
	if _, _, s := get("SecureBoot"); s != uefi.NotFound {
		t.Errorf("SecureBoot: %v", s)
	}
	m.putWord(size, 3)
	if s := m.runs(uefi.RTGetVariable, m.alloc(wide("Both")), vendor, attributes, size, buffer); s != uefi.BufferTooSmall || m.word(size) != 7 {
		t.Errorf("a short buffer: %v, %d", s, m.word(size))
	}
	names := func() (all []string) {
		name, g := m.alloc(make([]byte, 256)), m.guid(uefi.GUID{})
		for {
			m.putWord(size, 256)
			if s := m.runs(uefi.RTGetNextVariableName, size, name, g); s != uefi.Success {
				if s != uefi.NotFound {
					t.Errorf("GetNextVariableName: %v", s)
				}
				return all
			}
			b := m.bytes(name, int(m.word(size)))
			s := make([]uint16, 0, len(b)/2)
			for ; len(b) > 2; b = b[2:] {
				s = append(s, uint16(b[0])|uint16(b[1])<<8)
			}
			all = append(all, narrow(s))
		}
	}
	if got := strings.Join(names(), " "); got != "Boot Both" {
		t.Errorf("names: %s", got)
	}
	m.putWord(size, 4)
	empty := m.alloc(make([]byte, 16))
	if s := m.runs(uefi.RTGetNextVariableName, size, empty, m.guid(uefi.GUID{})); s != uefi.BufferTooSmall || m.word(size) != 10 {
		t.Errorf("a short buffer: %v, %d", s, m.word(size))
	}
	if s := m.runs(uefi.RTGetNextVariableName, size, m.alloc(wide("NoSuchName")), vendor); s != uefi.InvalidParameter {
		t.Errorf("after a name that does not exist: %v", s)
	}
	info := m.room(3)
	m.runs(uefi.RTQueryVariableInfo, nv|bs|rt, info, info+8, info+16)
	remaining := m.word(info + 8)
	// The store fills up, and is bounded in total.
	big := strings.Repeat("x", maxVariable)
	wants(uefi.OutOfResources, "Big", bs, big+"x")
	n := 0
	for ; n < 100 && set("Big"+string(rune('0'+n)), bs, big) == uefi.Success; n++ {
	}
	if n != maxStore/maxVariable-1 {
		t.Errorf("%d large variables", n)
	}
	wants(uefi.OutOfResources, "Both", nv|bs|rt|appending, big)
	if data, _, _ := get("Both"); data != "one two" {
		t.Errorf("a write that failed leaves %q", data)
	}
	for ; n > 0; n-- {
		wants(uefi.Success, "Big"+string(rune('0'+n-1)), 0, "")
	}
	m.runs(uefi.RTQueryVariableInfo, nv|bs|rt, info, info+8, info+16)
	if m.word(info+8) != remaining || m.word(info) != maxStore {
		t.Errorf("%d remain, were %d", m.word(info+8), remaining)
	}
	spare := m.alloc(wide("Boot")) // what follows cannot allocate
	fresh, freshData := m.alloc(wide("Fresh")), m.alloc([]byte("x"))
	m.exitBootServices0()
	m.putWord(size, 256)
	if s := m.runs(uefi.RTGetVariable, spare, vendor, attributes, size, buffer); s != uefi.NotFound {
		t.Errorf("a variable of boot services, afterwards: %v", s)
	}
	if s := m.runs(uefi.RTSetVariable, spare, vendor, nv|bs|rt, 1, freshData); s != uefi.InvalidParameter {
		t.Errorf("over a variable that is out of sight: %v", s)
	}
	if s := m.runs(uefi.RTSetVariable, fresh, vendor, bs|rt, 1, freshData); s != uefi.InvalidParameter {
		t.Errorf("volatile at runtime: %v", s)
	}
	if s := m.runs(uefi.RTSetVariable, fresh, vendor, nv|bs|rt, 1, freshData); s != uefi.Success {
		t.Errorf("non-volatile at runtime: %v", s)
	}
}

// All boot services are there, and those runtime services of which EFI_RT_PROPERTIES_TABLE says so: alone of these the
// specification lets firmware do without some (UEFI 2.10, sections 4.6.2 and 8).
func TestServicesAreOffered(t *testing.T) {
	missing := func(fn function) bool {
		return reflect.ValueOf(fn.serve).Pointer() == reflect.ValueOf((*Firmware).notOffered).Pointer()
	}
	for _, fn := range bootServices {
		if missing(fn) {
			t.Errorf("%s is not offered", fn.name)
		}
	}
	bits := map[string]uint32{
		"GetTime": uefi.RTSupportedGetTime, "SetTime": uefi.RTSupportedSetTime, "GetWakeupTime": uefi.RTSupportedGetWakeupTime, "SetWakeupTime": uefi.RTSupportedSetWakeupTime,
		"GetVariable": uefi.RTSupportedGetVariable, "GetNextVariableName": uefi.RTSupportedGetNextVariableName, "SetVariable": uefi.RTSupportedSetVariable,
		"SetVirtualAddressMap": uefi.RTSupportedSetVirtualAddressMap, "ConvertPointer": uefi.RTSupportedConvertPointer,
		"GetNextHighMonotonicCount": uefi.RTSupportedGetNextHighMonotonicCount, "ResetSystem": uefi.RTSupportedResetSystem,
		"UpdateCapsule": uefi.RTSupportedUpdateCapsule, "QueryCapsuleCapabilities": uefi.RTSupportedQueryCapsuleCapabilities, "QueryVariableInfo": uefi.RTSupportedQueryVariableInfo,
	}
	for _, fn := range runtimeServices {
		bit, ok := bits[fn.name]
		if !ok || missing(fn) == (runtimeOffered&bit != 0) {
			t.Errorf("%s: the table has %#x of it; it is missing: %v", fn.name, runtimeOffered&bit, missing(fn))
		}
	}
}

// Every call is on record, under the specification's names.
func TestCallsAreRecorded(t *testing.T) {
	var events events
	m := newMachine(t, func(c *Config) { c.Log = record.NewLog(&events) })
	m.cost = cost.Plain()
	m.now = 0
	m.wants(uefi.Success, uefi.BSStall, 0)
	m.wants(uefi.InvalidParameter, uefi.BSRegisterProtocolNotify, 0, 0, 0)
	want := []string{"Stall EFI_SUCCESS", "RegisterProtocolNotify EFI_INVALID_PARAMETER"}
	for i, e := range events {
		if got := e.Name + " " + e.Status; got != want[i] || e.Interface != record.UEFI || e.VirtualNS != int64(i+1)*m.cost.NS(cost.Exit) {
			t.Errorf("%+v, want %s", e, want[i])
		}
	}
	if len(events) != len(want) {
		t.Errorf("%d events", len(events))
	}
}

type events []record.Called

func (s *events) Event(e record.Event) { *s = append(*s, e.(record.Called)) }
