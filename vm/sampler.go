package vm

import (
	"strings"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// A sampler shows a recorder what happens, and at the instants that it asks for what the machine's memory is. Those are
// instants of virtual time, so that two runs show the same; where firmware works, which is between two instructions, the
// next event takes their place. A nil one shows nothing.
type sampler struct {
	m       *Machine
	to      *timeline.Recorder
	touched pageSet
}

func (m *Machine) newSampler() *sampler {
	if m.cfg.Timeline == nil {
		return nil
	}
	s := &sampler{m: m, to: m.cfg.Timeline}
	var ram []timeline.Area
	for _, r := range m.ram {
		ram = append(ram, timeline.Area{Start: r.Start, End: r.End})
	}
	s.to.Start(m.cfg.Memory, ram)
	m.log.Watch(s)
	m.console.say = s.said
	return s
}

// Event implements [record.Sink].
func (s *sampler) Event(e record.Event) {
	s.to.Event(e)
	if _, phase := e.(record.Marked); phase {
		s.take()
		return
	}
	s.sample()
}

func (s *sampler) said(line []byte) {
	if text := strings.TrimSpace(strings.ReplaceAll(string(line), "\t", " ")); text != "" {
		s.m.log.Say(record.Said{Stamp: s.m.stamp(), Text: text})
	}
}

// until returns the instant of the next sample, if that comes before ns.
func (s *sampler) until(ns int64) int64 {
	if s == nil {
		return ns
	}
	return min(ns, s.to.Next())
}

// sample takes a sample if it is time.
func (s *sampler) sample() {
	if s != nil && s.m.Now() >= s.to.Next() {
		s.take()
	}
}

func (s *sampler) take() {
	t := timeline.Sample{NS: s.m.Now(), Unaccepted: s.m.platform.unaccepted(), Touched: s.touched.n * mem.PageSize}
	if s.m.platform.memory != nil {
		t.Given, t.Accepted, t.Shared = s.m.platform.memory()
	}
	s.to.Take(t, s.m.log.Counted())
}

// A samplerPlatform sees which pages are touched: each comes by before it gets into the TLB.
type samplerPlatform struct {
	x86.Platform
	s *sampler
}

// observe returns the platform as the processors are to see it.
func (s *sampler) observe(p x86.Platform) x86.Platform {
	if s == nil {
		return p
	}
	return samplerPlatform{p, s}
}

// Resolve implements [x86.Platform]. External reads do not count: the machine looks at the guest's stack by them.
func (p samplerPlatform) Resolve(c *x86.CPU, gpa uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	t, r := p.Platform.Resolve(c, gpa, a)
	if r == nil && !t.MMIO && a.Kind != x86.ExternalRead {
		p.s.touched.add(t.GPA / mem.PageSize)
	}
	return t, r
}

// A pageSet is a set of pages by their numbers: a bit for each page, made for 128 MiB of memory at a time.
type pageSet struct {
	chunk []*[pagesAChunk / 64]uint64
	n     uint64 // how many there are
}

const pagesAChunk = 1 << 15

func (s *pageSet) add(page uint64) {
	for i := page / pagesAChunk; i >= uint64(len(s.chunk)); {
		s.chunk = append(s.chunk, nil)
	}
	c := &s.chunk[page/pagesAChunk]
	if *c == nil {
		*c = new([pagesAChunk / 64]uint64)
	}
	word, bit := &(*c)[page%pagesAChunk/64], uint64(1)<<(page%64)
	if *word&bit == 0 {
		*word |= bit
		s.n++
	}
}
