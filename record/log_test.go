package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

func at(n int64) Stamp { return Stamp{VirtualNS: n, Instructions: uint64(n)} }

// aBoot emits a boot in miniature: firmware accepts 256 MiB, the stub two unaligned ends, the kernel 4 MiB before init
// and 2 MiB after it in 4 KiB pages.
func aBoot(l *Log) {
	l.Mark(Marked{Stamp: at(0), Phase: FirmwareStart, Unaccepted: 1 * gib})
	l.Accept(Accepted{Stamp: at(10), GPA: 0, Bytes: 256 * mib, Size: physical.Size2M, NS: 1000})
	l.Mark(Marked{Stamp: at(20), Phase: StubEntry, Unaccepted: 768 * mib})
	l.Call(Called{Stamp: at(21), Interface: UEFI, Name: "ExitBootServices", Status: "EFI_INVALID_PARAMETER"})
	l.Call(Called{Stamp: at(22), Interface: UEFI, Name: "ExitBootServices", Status: "EFI_SUCCESS"})
	l.Mark(Marked{Stamp: at(22), Phase: ExitBootServices, Unaccepted: 768 * mib})
	l.Accept(Accepted{Stamp: at(23), GPA: 1*gib - 4*kib, Bytes: 4 * kib, Size: physical.Size4K, NS: 8, RIP: 0x1000})
	l.Accept(Accepted{Stamp: at(24), GPA: 1*gib - 8*kib, Bytes: 4 * kib, Size: physical.Size4K, NS: 8, RIP: 0x1000})
	l.Accept(Accepted{Stamp: at(25), By: Firmware, GPA: 600 * mib, Bytes: 4 * kib, Size: physical.Size4K, NS: 8})
	l.Mark(Marked{Stamp: at(30), Phase: KernelEntry, Unaccepted: 768*mib - 12*kib})
	for i := range uint64(2) {
		l.Call(Called{Stamp: at(40), Interface: HostExit, Name: "EPT_VIOLATION"})
		l.Add(Added{Stamp: at(40), GPA: Address(256*mib + i*2*mib), Bytes: 2 * mib, Size: physical.Size2M})
		l.Accept(Accepted{Stamp: at(41 + int64(i)), GPA: Address(256*mib + i*2*mib), Bytes: 2 * mib, Size: physical.Size2M, NS: 400, RIP: 0xffffffff81000000})
		l.Call(Called{Stamp: at(41), Interface: TDCALL, Name: "MEM.PAGE.ACCEPT", Status: "TDX_SUCCESS"})
	}
	l.Mark(Marked{Stamp: at(50), Phase: Init, Unaccepted: 764*mib - 12*kib})
	for i := range uint64(512) {
		l.Add(Added{Stamp: at(60 + int64(i)), GPA: Address(300*mib + i*4*kib), Bytes: 4 * kib})
		l.Accept(Accepted{Stamp: at(60 + int64(i)), GPA: Address(300*mib + i*4*kib), Bytes: 4 * kib, NS: 8, RIP: 0xffffffff81000000})
	}
	l.Convert(Converted{Stamp: at(700), GPA: 8 * mib, Bytes: 64 * kib, To: physical.Shared})
	l.Mark(Marked{Stamp: at(800), Phase: Report, Unaccepted: 762*mib - 12*kib})
	l.Mark(Marked{Stamp: Stamp{900, 850}, Phase: End, Unaccepted: 761 * mib})
}

func TestTotalsAreExact(t *testing.T) {
	l := NewLog(nil)
	aBoot(l)
	r := l.Record()
	by := r.Acceptance.By
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"firmware", by.Firmware.Count, Count{256*mib + 4*kib, 129}},
		{"firmware, by size", by.Firmware.Sizes, map[string]Count{"2M": {256 * mib, 128}, "4K": {4 * kib, 1}}},
		{"stub", by.Stub.Count, Count{8 * kib, 2}},
		{"kernel", by.Kernel.Count, Count{6 * mib, 514}},
		{"kernel until init", by.Kernel.UntilInit, Count{4 * mib, 2}},
		{"kernel after init", by.Kernel.AfterInit, Count{2 * mib, 512}},
		{"kernel's time", by.Kernel.VirtualNS, int64(2*400 + 512*8)},
		{"added", r.Added, map[string]Count{"2M": {4 * mib, 2}, "4K": {2 * mib, 512}}},
		{"converted", r.Conversions, map[string]Count{"shared": {64 * kib, 1}}},
		{"exits", r.Calls["host_exit"]["EPT_VIOLATION"][""], uint64(2)},
		{"accept calls", r.Calls["tdcall"]["MEM.PAGE.ACCEPT"]["TDX_SUCCESS"], uint64(2)},
		{"failed ExitBootServices", r.Calls["uefi"]["ExitBootServices"]["EFI_INVALID_PARAMETER"], uint64(1)},
		{"unaccepted at init", *r.Acceptance.UnacceptedAtInit, uint64(764*mib - 12*kib)},
		{"unaccepted at report", *r.Acceptance.UnacceptedAtReport, uint64(762*mib - 12*kib)},
		{"unaccepted at end", *r.Acceptance.UnacceptedAtEnd, uint64(761 * mib)},
		{"init", *r.VirtualNS.Init, int64(50)},
		{"total", r.VirtualNS.Total, int64(900)},
		{"instructions", r.Instructions, uint64(850)},
		{"phases", len(r.Phases), 7},
		{"accepted so far", l.AcceptedBytes(), uint64(262*mib + 12*kib)},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

// A run of pages is one event, even where adding and accepting them take turns, and the events come in order of time.
func TestSinkSeesRunsInOrder(t *testing.T) {
	list := &List{Max: 1000}
	l := NewLog(list)
	aBoot(l)
	l.Flush()
	var last Stamp
	var accepted, added uint64
	for _, e := range list.Events {
		if e.when().before(last) {
			t.Errorf("%#v comes after %v", e, last)
		}
		last = e.when()
		switch e := e.(type) {
		case Accepted:
			accepted += e.Bytes
			if e.By == Running {
				t.Errorf("%#v: the log should say who", e)
			}
			if e.GPA == 300*mib && (e.Bytes != 2*mib || e.Last != at(571) || e.NS != 512*8) {
				t.Errorf("512 consecutive accepts became %#v", e)
			}
		case Added:
			added += e.Bytes
		case Called:
			if e.Interface != UEFI {
				t.Errorf("%#v should only be counted", e)
			}
		}
	}
	if accepted != l.AcceptedBytes() || added != 6*mib {
		t.Errorf("events sum up to %d accepted and %d added", accepted, added)
	}
	if len(list.Events) > 20 {
		t.Errorf("%d events: runs are not joined", len(list.Events))
	}
}

// The sink changes nothing in the record, and two runs give the same bytes.
func TestRecordIsDeterministic(t *testing.T) {
	var first string
	for i := range 8 {
		var sink Sink
		if i%2 == 1 {
			sink = &List{Max: 3}
		}
		l := NewLog(sink)
		aBoot(l)
		var b bytes.Buffer
		if err := l.Record().WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b.String()
		} else if b.String() != first {
			t.Fatalf("run %d differs:\n%s\n%s", i, b.String(), first)
		}
	}
}

// Memory stays bounded whatever is called, and no count is lost.
func TestCallsAreBounded(t *testing.T) {
	l := NewLog(nil)
	for i := range 3 * maxCalls {
		l.Call(Called{Interface: Interface(i), Name: fmt.Sprint("name", i)})
	}
	var sum uint64
	names := 0
	for _, on := range l.Record().Calls {
		for _, statuses := range on {
			for _, n := range statuses {
				sum += n
				names++
			}
		}
	}
	if sum != 3*maxCalls || names > maxCalls+int(interfaces) {
		t.Errorf("%d calls under %d names", sum, names)
	}
	list := &List{Max: 2}
	l = NewLog(list)
	aBoot(l)
	l.Flush()
	if len(list.Events) != 2 || list.Dropped == 0 {
		t.Errorf("%d events kept, %d dropped", len(list.Events), list.Dropped)
	}
}

// Values outside the declared ones come from bugs elsewhere; they must not become a panic while a guest runs.
func TestOddValuesDoNotPanic(t *testing.T) {
	for _, l := range []*Log{nil, NewLog(nil), NewLog(&List{Max: 10})} {
		l.Accept(Accepted{By: 99, Size: 77, Bytes: 1, NS: 1 << 62})
		l.Accept(Accepted{By: 99, Size: 77, Bytes: 1, NS: 1 << 62})
		l.Accept(Accepted{GPA: ^Address(0), Bytes: ^uint64(0)})
		l.Add(Added{Size: 77, Bytes: 5})
		l.Convert(Converted{To: 9, Bytes: 4096})
		l.Call(Called{Interface: 200})
		l.Mark(Marked{Phase: 200})
		l.Flush()
		if l.Reached(200) || l.Record() == nil {
			t.Error("an unknown phase was reached")
		}
	}
	if s := fmt.Sprint(Agent(9), physical.PageSize(9), Phase(99), Interface(99), physical.Plane(9)); strings.Count(s, "unknown") != 5 {
		t.Error(s)
	}
}

func TestOnlyTheFirstMarkCounts(t *testing.T) {
	l := NewLog(nil)
	l.Mark(Marked{Stamp: at(5), Phase: Init, Unaccepted: 10})
	l.Mark(Marked{Stamp: at(9), Phase: Init, Unaccepted: 4})
	if r := l.Record(); *r.VirtualNS.Init != 5 || *r.Acceptance.UnacceptedAtInit != 10 || len(r.Phases) != 1 {
		t.Errorf("init at %d with %d", *r.VirtualNS.Init, *r.Acceptance.UnacceptedAtInit)
	}
}

func TestLines(t *testing.T) {
	var b bytes.Buffer
	lines := NewLines(&b)
	l := NewLog(lines)
	aBoot(l)
	l.Flush()
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(b.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		kinds[e["event"].(string)]++
		if _, has := e["virtual_ns"]; !has {
			t.Errorf("no time in %s", line)
		}
		if e["event"] == "accept" && e["gpa"] == "0x12c00000" && (e["by"] != "kernel" || e["size"] != "4K") {
			t.Errorf("wrong words in %s", line)
		}
	}
	if want := map[string]int{"mark": 7, "accept": 6, "add": 2, "convert": 1, "call": 2}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

func TestLinesReportAnError(t *testing.T) {
	lines := NewLines(full{})
	for range 10000 {
		lines.Event(Marked{Phase: Init})
	}
	if err := lines.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Close returned %v", err)
	}
}

// A guest can make any number of events, and a file has an end, which is no silent one.
func TestLinesAreBounded(t *testing.T) {
	var b bytes.Buffer
	lines := NewLines(&b)
	lines.room = 2
	for range 3 {
		lines.Event(Marked{Phase: Init})
	}
	if err := lines.Close(); err == nil || strings.Count(b.String(), "\n") != 2 {
		t.Errorf("Close returned %v after\n%s", err, &b)
	}
}

// What differs in more than its address is another run: who, which size, from where.
func TestRunsEndWhereSomethingChanges(t *testing.T) {
	list := &List{Max: 100}
	l := NewLog(list)
	page := func(n uint64) Accepted {
		return Accepted{By: Kernel, GPA: Address(n * 4 * kib), Bytes: 4 * kib, RIP: 1}
	}
	other := page(1)
	other.RIP = 2
	third := page(2)
	third.By, third.RIP = Firmware, other.RIP
	large := Accepted{By: Firmware, GPA: 12 * kib, Bytes: 2 * mib, Size: physical.Size2M, RIP: other.RIP}
	for _, e := range []Accepted{page(0), other, third, large} {
		l.Accept(e)
	}
	l.Flush()
	if len(list.Events) != 4 {
		t.Errorf("%d events: %v", len(list.Events), list.Events)
	}
}

// A sink that watches hears of each page, and of the console. What the log's own sink hears stays the same.
func TestWatch(t *testing.T) {
	alone, joined, watched := List{Max: 2000}, List{Max: 2000}, List{Max: 2000}
	aBoot(NewLog(&alone))
	l := NewLog(&joined)
	l.Watch(&watched)
	aBoot(l)
	l.Say(Said{Stamp: at(901), Text: "a\x1b[2Jb"})
	only := List{Max: 2000}
	without := NewLog(nil)
	without.Watch(&only)
	aBoot(without)
	if !reflect.DeepEqual(only.Events, watched.Events[:len(watched.Events)-1]) {
		t.Errorf("who watches a log without a sink hears\n%v, with one\n%v", only.Events, watched.Events)
	}
	if !reflect.DeepEqual(alone.Events, joined.Events) {
		t.Errorf("with a watch the sink hears\n%v, without\n%v", joined.Events, alone.Events)
	}
	var accepted, added, calls int
	for _, e := range watched.Events {
		switch e.(type) {
		case Accepted:
			accepted++
		case Added:
			added++
		case Called:
			calls++
		}
	}
	if accepted != 4+2+512 || added != 2+512 || calls != 0 {
		t.Errorf("%d acceptances, %d pages added, %d calls", accepted, added, calls)
	}
	if said := watched.Events[len(watched.Events)-1]; !reflect.DeepEqual(said, Said{Stamp: at(901), Text: `a\x1b[2Jb`}) {
		t.Errorf("the last event is %+v", said)
	}
	var times uint64
	for _, c := range l.Counted() {
		times += c.Times
	}
	if times != 2+2*2 {
		t.Errorf("%d calls were counted: %+v", times, l.Counted())
	}
}
