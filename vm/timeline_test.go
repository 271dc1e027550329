package vm_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/vm"
)

// agrees asserts that what happened over time adds up to what the record says of all of it.
func agrees(t *testing.T, r *record.Record, tl *timeline.Timeline) {
	t.Helper()
	if len(tl.Samples) < 2 {
		t.Fatalf("there are %d samples", len(tl.Samples))
	}
	for i, s := range tl.Samples[1:] {
		if was := tl.Samples[i]; s.NS <= was.NS || s.Touched < was.Touched {
			t.Errorf("sample %+v comes after %+v", s, was)
		}
	}
	// Once firmware is left, memory is looked at often. One instruction, such as a conversion, may take a few milliseconds.
	left := slices.IndexFunc(tl.Phases, func(p record.Marked) bool { return p.Phase == record.KernelEntry })
	for i, s := range tl.Samples[1:] {
		if gap := s.NS - tl.Samples[i].NS; tl.Samples[i].NS >= tl.Phases[left].VirtualNS && gap > tl.End/512+5_000_000 {
			t.Errorf("between %d and %d there is no sample", tl.Samples[i].NS, s.NS)
		}
	}
	first, last := tl.Samples[0], tl.Samples[len(tl.Samples)-1]
	if first.NS != 0 || last.NS != r.VirtualNS.Total || tl.End != r.VirtualNS.Total {
		t.Errorf("samples from %d to %d, the end is at %d; the record says %d", first.NS, last.NS, tl.End, r.VirtualNS.Total)
	}
	if last.Unaccepted != *r.Acceptance.UnacceptedAtEnd {
		t.Errorf("%d bytes are unaccepted at the end, the record says %d", last.Unaccepted, *r.Acceptance.UnacceptedAtEnd)
	}
	if r.Platform != vm.None {
		for _, s := range tl.Samples {
			if s.Touched > s.Accepted+s.Shared {
				t.Errorf("%+v: more was touched than may be", s)
			}
			if s.Accepted+s.Shared+s.Unaccepted != r.MemoryBytes {
				t.Errorf("%+v: of %d bytes %d are accounted for", s, r.MemoryBytes, s.Accepted+s.Shared+s.Unaccepted)
			}
		}
	}
	var by [4]record.Count
	for i, taken := range tl.Taken {
		by[taken.By].Bytes += taken.Bytes
		by[taken.By].Operations += taken.Operations
		if i > 0 && tl.Taken[i-1].Last > taken.NS {
			t.Errorf("%+v overlaps %+v", taken, tl.Taken[i-1])
		}
		if taken.Last-taken.NS < taken.Cost {
			t.Errorf("%+v took longer than it lasted", taken)
		}
	}
	want := [4]record.Count{record.Firmware: r.Acceptance.By.Firmware.Count, record.Stub: r.Acceptance.By.Stub.Count, record.Kernel: r.Acceptance.By.Kernel.Count}
	if by != want {
		t.Errorf("accepted %+v, the record says %+v", by, want)
	}
	var added, inAll record.Count
	for _, a := range tl.Added {
		added.Bytes += a.Bytes
		added.Operations += a.Operations
	}
	for _, a := range r.Added {
		inAll.Bytes += a.Bytes
		inAll.Operations += a.Operations
	}
	if added != inAll {
		t.Errorf("added %+v, the record says %+v", added, inAll)
	}
	var phases []record.PhaseReached
	for _, p := range tl.Phases {
		phases = append(phases, record.PhaseReached{Phase: p.Phase, Stamp: p.Stamp, Unaccepted: p.Unaccepted})
	}
	if !reflect.DeepEqual(phases, r.Phases) {
		t.Errorf("phases %+v, the record says %+v", phases, r.Phases)
	}
	exits := map[string]uint64{}
	for on, prefix := range map[string]string{
		"tdcall": "TDCALL ", "tdvmcall": "TDVMCALL ", "host_exit": "exit ", "ve": "#VE ", "vc": "#VC ", "rmp": "RMP ", "ghcb": "GHCB ",
	} {
		for name, statuses := range r.Calls[on] {
			for _, n := range statuses {
				exits[prefix+name] += n
			}
		}
	}
	got := map[string]uint64{}
	for i, name := range tl.Exits {
		got[name] = last.Exits[i]
	}
	if !reflect.DeepEqual(got, exits) {
		t.Errorf("exits %v, the record says %v", got, exits)
	}
}

// without returns a record's bytes, but for what it says of the host.
func without(t *testing.T, r *record.Record) string {
	t.Helper()
	c := *r
	c.Host = record.Host{}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Of every kind of run the account over time adds up to the record, and making it changes neither that nor the events.
// However the processor cuts its blocks, it is the same account.
func TestTimeline(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]vm.Config{
		"plain":             {Platform: vm.None},
		"TDX":               {Platform: vm.TDX},
		"TDX, small pages":  {Platform: vm.TDX, HostPage: 4 << 10, Memory: 512 * mib, Misalign: true, Append: "unaccepted=eager"},
		"SNP":               {Platform: vm.SNP},
		"SNP, eager":        {Platform: vm.SNP, FirmwarePolicy: "eager"},
		"SNP, small pages":  {Platform: vm.SNP, HostPage: 4 << 10, Memory: 512 * mib},
		"TDX, old firmware": {Platform: vm.TDX, FirmwarePolicy: "upstream", Callers: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(cfg vm.Config, with bool) (booted, *timeline.Timeline, string) {
				var recorder timeline.Recorder
				var events bytes.Buffer
				lines := record.NewLines(&events)
				cfg.Events = lines
				if with {
					cfg.Timeline = &recorder
				}
				b := goGuest(t, cfg, "hold=64M")
				if err := lines.Close(); err != nil {
					t.Fatal(err)
				}
				return b, recorder.Timeline(), events.String()
			}
			plain, _, events := run(cfg, false)
			var first *timeline.Timeline
			for _, limit := range []int{0, 1, 7} {
				cfg.BlockLimit = limit
				b, tl, withEvents := run(cfg, true)
				agrees(t, b.Record, tl)
				if touched := tl.Samples[len(tl.Samples)-1].Touched; touched < 64*mib || touched > gib/4 {
					t.Errorf("the program holds 64 MiB, and %d bytes were touched", touched)
				}
				if got, want := without(t, b.Record), without(t, plain.Record); got != want {
					t.Errorf("blocks of %d: the record is\n%s\nwithout a timeline it is\n%s", limit, got, want)
				}
				if withEvents != events {
					t.Errorf("blocks of %d: the events are others", limit)
				}
				if first == nil {
					first = tl
				} else if !reflect.DeepEqual(tl, first) {
					t.Errorf("blocks of %d give another timeline", limit)
				}
			}
		})
	}
}
