package record

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
)

// Against books that keep every millisecond: operations of random lengths, with random pauses, long ones among them.
func TestAcceptorsAgainstAModel(t *testing.T) {
	seed := uint64(1)
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		const processors = 200
		l := NewLog(nil)
		l.CountProcessors(processors)
		in := map[int64]map[int]bool{} // who accepts, by millisecond
		bytes := map[int]uint64{}
		var now int64
		for range 2000 {
			if now += r.Int64N(300_000); r.IntN(300) == 0 {
				now += r.Int64N(1_000_000_000)
			}
			e := Accepted{By: Running, CPU: r.IntN(1 + r.IntN(processors)), Bytes: 4096, NS: min(r.Int64N(3_000_000), now)}
			e.VirtualNS = now
			if r.IntN(10) == 0 {
				e.By = Firmware // which is nobody's processor's
			} else {
				bytes[e.CPU] += e.Bytes
				for ms := (now - e.NS) / 1e6; ms <= max(now-1, 0)/1e6; ms++ {
					if in[ms] == nil {
						in[ms] = map[int]bool{}
					}
					in[ms][e.CPU] = true
				}
			}
			l.Accept(e)
			if r.IntN(500) == 0 { // saved and loaded, it goes on
				s, loaded := state.Out(), NewLog(nil)
				l.Carry(s)
				read := state.In(s.Bytes())
				if loaded.Carry(read); read.End() != nil {
					t.Fatal(read.End())
				}
				l = loaded
			}
		}
		for range 2 { // asking changes nothing
			a := l.Record().Acceptance
			got := a.Acceptors
			most, at, width := 0, int64(0), got.StretchNS/1e6
			mostIn := make([]int, len(got.MostIn))
			for ms, who := range in {
				if len(who) > most || len(who) == most && ms < at {
					most, at = len(who), ms
				}
				mostIn[ms/width] = max(mostIn[ms/width], len(who))
			}
			if got.Most != most || got.AtNS != at*1e6 || !slices.Equal(got.MostIn, mostIn) || len(mostIn) > maxStretches {
				t.Fatalf("%+v\nwant %d at %d ms, in stretches %v", got, most, at, mostIn)
			}
			for cpu, on := range a.Processors {
				if on.CPU != cpu || on.Bytes != bytes[cpu] || on.Operations != bytes[cpu]/4096 {
					t.Errorf("%+v, want %d bytes", on, bytes[cpu])
				}
			}
		}
	}
}

// What no machine does costs neither time nor memory.
func TestAcceptorsOfNoMachine(t *testing.T) {
	l := NewLog(nil)
	l.CountProcessors(maxProcessors)
	for _, e := range []Accepted{
		{CPU: -1, NS: 1}, {CPU: 256, NS: 1},
		{CPU: 255, NS: 1 << 62, Stamp: Stamp{VirtualNS: 1 << 62}}, {CPU: 0, NS: -5, Stamp: Stamp{VirtualNS: 1 << 62}},
	} {
		e.By, e.Bytes, e.Size = Running, 4096, physical.Size4K
		l.Accept(e)
	}
	a := l.Record().Acceptance
	if a.Acceptors.Most != 2 || len(a.Acceptors.MostIn) > maxStretches || a.Processors[255].Operations != 1 {
		t.Errorf("%+v", a.Acceptors)
	}
	if a := NewLog(nil).Record().Acceptance; a.Processors != nil || a.Acceptors != nil {
		t.Errorf("of one processor: %+v", a)
	}
}
