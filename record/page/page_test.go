package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// The same run gives the same bytes, however long it took where it ran.
func TestSameBytes(t *testing.T) {
	r, tl := booted()
	first := written(t, r, tl)
	again, tl := booted()
	again.Host = record.Host{WallNS: 7e9, MIPS: 212.3, PeakRSSBytes: 1 << 30}
	if !bytes.Equal(first, written(t, again, tl)) {
		t.Error("two runs that were the same have pages that differ")
	}
}

// What the page says first is what the record says.
func TestHead(t *testing.T) {
	r, tl := booted()
	text := strings.ReplaceAll(string(written(t, r, tl)), "\u00a0", " ")
	for _, want := range []string{
		"<h1>6.12.0-test on Intel TDX</h1>", "given 4 GiB of memory", "580 MiB of it had been accepted", "the guest switched itself off",
		`accepted by firmware</dt><dd><span class="amount">256 MiB</span><br><small>128 operations`,
		`accepted by EFI stub</dt><dd><span class="amount">4 MiB</span><br><small>1,024 operations`,
		`accepted by the kernel</dt><dd><span class="amount">320 MiB</span><br><small>160 operations`,
		`not accepted</dt><dd><span class="amount">3,516 MiB</span><br><small>85.8 % of memory`,
		"6.12.0-test called AllowUnacceptedMemory", "EFI_SUCCESS once",
		"Together they are all 388 MiB that the guest accepted itself; firmware’s 256 MiB are beside them",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

// Where something went wrong, the page says what, and begins at the end.
func TestWrongEnd(t *testing.T) {
	r, tl := booted()
	r.Outcome = record.Violation
	r.Diagnosis = &record.Diagnosis{Summary: "touched memory that it has not accepted", GPA: new(record.Address(0x1234000)), RIP: new(record.Address(0x42)), Symbol: "f+0x3", Advice: "accept it"}
	r.Attack = &record.Attack{Kind: "drop", N: 3}
	r.Lie = &record.Lie{Kind: "wrap", Told: 2}
	text := string(written(t, r, tl))
	for _, want := range []string{
		"touched memory that it has not accepted", "guest-physical 0x1234000", "0x42 in f&#43;0x3", "accept it", "drop: never happened", "wrap: firmware lied 2 times",
		fmt.Sprintf(`"start":%d,`, tl.End),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

// A run of which nothing is known has a page, too: one that was cancelled before it began.
func TestNothing(t *testing.T) {
	r := record.NewLog(nil).Record()
	r.Outcome = record.Cancelled
	for _, r.Platform = range []string{"tdx", "none", "riscv"} {
		written(t, r, &timeline.Timeline{})
	}
}

// Where nothing has to be accepted the page does not explain acceptance, and has no map of states and no one who asked.
func TestWhatDoesNotApplyIsLeftOut(t *testing.T) {
	r, tl := booted()
	about := []string{"<em>accept</em>", "#space", `id="map"`, "#callers", `id="flame"`, "Who accepted", "host’s pages"}
	for _, r.Platform = range []string{"tdx", "none"} {
		text, _, _ := strings.Cut(string(written(t, r, tl)), `<script type="application/json"`)
		for _, words := range about {
			if has := strings.Contains(text, words); has != (r.Platform == "tdx") {
				t.Errorf("%s: the page has %s: %v", r.Platform, words, has)
			}
		}
	}
}

// However long a guest runs, however many ask for memory and whatever it writes, a page stays small. This one has 64 GiB,
// in pages of 4 KiB first and then in larger ones, all accepted in an order without any, for thousands who all have long names; and writes without end.
func TestSize(t *testing.T) {
	g := newGuest(64 * gibi)
	rng := rand.New(rand.NewPCG(1, 2))
	g.marks(record.FirmwareStart)
	g.accepts(record.Firmware, 0, 256*mebi, physical.Size4K)
	g.marks(record.StubEntry)
	g.marks(record.ExitBootServices)
	g.marks(record.KernelEntry)
	g.marks(record.Init)
	for i, unit := range rng.Perm(int(60 * gibi / timeline.UnitBytes)) {
		if i < 6000 { // each asks once
			g.stack = nil
			for depth := range 40 {
				a := uint64(i*100 + depth)
				g.names[a] = fmt.Sprintf("<%d&%s", a, strings.Repeat("<", 150))
				g.stack = append(g.stack, a)
			}
		}
		gpa := 4*gibi + uint64(unit)*timeline.UnitBytes
		if i < 6000 {
			g.accepts(record.Running, gpa, timeline.UnitBytes*3/4, physical.Size4K)
		} else {
			g.accepts(record.Running, gpa, timeline.UnitBytes, physical.Size2M)
		}
		g.says("%s", strings.Repeat("\"<\x00", 100))
		g.log.Call(record.Called{Stamp: g.stamp(), Interface: record.VE, Name: fmt.Sprintf("REASON_%d", i%90)})
		if i%2 == 0 {
			g.shares(gpa, timeline.UnitBytes/2)
		}
	}
	r, tl := g.ends()
	r.Diagnosis = &record.Diagnosis{Summary: strings.Repeat("<", 1<<20)}
	r.Config.CommandLine = strings.Repeat("&", 1<<20)
	n := len(written(t, r, tl))
	t.Logf("%d bytes; %d changes, %d acceptances, %d samples, %d stacks", n, len(tl.Changes), len(tl.Taken), len(tl.Samples), len(r.Acceptance.Callers))
	if n > MaxBytes {
		t.Errorf("the page has %d bytes, more than %d", n, MaxBytes)
	}
}

// Each part of what the script reads has a room of its own, which together make the page small.
func TestRoom(t *testing.T) {
	r, tl := booted()
	tl.Changes, tl.Taken, tl.Samples, tl.Exits, r.Acceptance.Callers = nil, nil, nil, nil, nil
	for i := range 100_000 {
		name := fmt.Sprintf("%d%s", i, strings.Repeat("<", 100))
		s := &record.Stack{name, "b", "c"}
		ns := int64(i) * 1_000_000_000
		tl.Changes = append(tl.Changes, timeline.Change{NS: ns, First: uint32(i * 7919 % 30_000), Units: 300, To: timeline.ByKernel})
		tl.Taken = append(tl.Taken, timeline.Taken{NS: ns, GPA: uint64(i*7919%30_000) * timeline.UnitBytes, Bytes: 100 * timeline.UnitBytes, Stack: s})
		tl.Samples = append(tl.Samples, timeline.Sample{NS: ns, Exits: make([]uint64, 200)})
		r.Acceptance.Callers = append(r.Acceptance.Callers, record.Caller{Stack: *s, Count: record.Count{Bytes: 1, Operations: 1}})
	}
	for i := range 200 {
		tl.Exits = append(tl.Exits, fmt.Sprint("exit ", i))
	}
	tl.Changes = tl.Changes[:8192] // as a recorder has at most
	d := dataOf(r, tl)
	for _, part := range []struct {
		name string
		of   any
		room int
	}{
		{"who asked", d.Asked, 110_000}, {"the flame graph", d.Flame, 350_000}, {"the changes", d.Changes, 480_000}, {"the samples", d.Samples, 460_000},
	} {
		text, err := json.Marshal(part.of)
		if err != nil || len(text) > part.room || len(text) < part.room/20 {
			t.Errorf("%s: %d bytes for %d; %v", part.name, len(text), part.room, err)
		}
	}
	var all uint64
	for _, s := range d.Flame.Stacks {
		all += s.Bytes
	}
	if all != 100_000 {
		t.Errorf("the flame graph has %d of 100,000 bytes", all)
	}
	if n := len(written(t, r, tl)); n > MaxBytes {
		t.Errorf("the page has %d bytes", n)
	}
}
