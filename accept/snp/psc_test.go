package snp_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
)

// setHeader and setDone are how a host cheats about how far it has come.
func setHeader(current, last int) func(*platform) {
	return func(p *platform) { p.put(abi.GHCBSharedBuffer, uint64(abi.PSCHeaderOf(current, last))) }
}

func setDone(n int, done uint64) func(*platform) {
	return func(p *platform) {
		p.put(entryAt(n), p.get(entryAt(n))&^0xFFF|done)
	}
}

func both(f ...func(*platform)) func(*platform) {
	return func(p *platform) {
		for _, f := range f {
			f(p)
		}
	}
}

func repeat(n int, f func(*platform)) (fs []func(*platform)) {
	for range n {
		fs = append(fs, f)
	}
	return fs
}

// What a host can leave behind in the structure of a page state change: three entries, of which the second is 2 MiB.
func TestHostThatCheats(t *testing.T) {
	r := accept.Range{Start: 2*miB - 4*kiB, End: 4*miB + 4*kiB}
	nothing := func(*platform) {}
	for _, c := range []struct {
		name  string
		after []func(*platform) // each exit; the last one again and again
		cause snp.Cause         // 0 where the request succeeds
		gpa   uint64
		exits int
	}{
		{"an honest one", []func(*platform){nothing}, 0, 0, 1},
		{"reserved bits", []func(*platform){func(p *platform) { p.ghcb[abi.GHCBSharedBuffer+4] = 1 }}, snp.Inconsistent, r.Start, 1},
		{"the highest of them", []func(*platform){func(p *platform) { p.ghcb[abi.GHCBSharedBuffer+7] = 0x80 }}, snp.Inconsistent, r.Start, 1},
		{"an end that has grown", []func(*platform){setHeader(3, 3)}, snp.Inconsistent, r.Start, 1},
		{"an end that has shrunk", []func(*platform){setHeader(2, 1)}, snp.Inconsistent, r.Start, 1},
		{"a cursor far beyond the end", []func(*platform){setHeader(4, 2)}, snp.Inconsistent, r.Start, 1},
		{"the farthest", []func(*platform){setHeader(0xFFFF, 2)}, snp.Inconsistent, r.Start, 1},
		{"a cursor that moves back", []func(*platform){both(setHeader(1, 2), setDone(1, 0)), setHeader(0, 2)}, snp.Inconsistent, 2 * miB, 2},
		{"pages that are undone", []func(*platform){
			both(setHeader(1, 2), setDone(1, 9)), both(setHeader(1, 2), setDone(1, 8)),
		}, snp.Inconsistent, 2*miB + 9*4*kiB, 2},
		{"more pages than there are", []func(*platform){both(setHeader(1, 2), setDone(1, 513))}, snp.Inconsistent, r.Start, 1},
		{"no progress", []func(*platform){both(setHeader(0, 2), setDone(0, 0))}, snp.Stalled, r.Start, 17},
		{"none in the middle", []func(*platform){both(setHeader(1, 2), setDone(1, 7))}, snp.Stalled, 2*miB + 7*4*kiB, 18},
		{"some, slowly", []func(*platform){
			both(setHeader(0, 2), setDone(0, 0)), both(setHeader(1, 2), setDone(1, 0)), both(setHeader(1, 2), setDone(1, 1)),
			both(setHeader(1, 2), setDone(1, 1)), both(setHeader(1, 2), setDone(1, 512)), setHeader(3, 2),
		}, 0, 0, 6},
		{"some, as slowly as can be", append(append(repeat(16, both(setHeader(0, 2), setDone(0, 0))),
			repeat(17, both(setHeader(1, 2), setDone(1, 3)))...), setHeader(3, 2)), 0, 0, 34},
		{"an exception", []func(*platform){func(p *platform) { p.set(abi.GHCBSWExitInfo1, 1) }}, snp.Refused, r.Start, 1},
		{"malformed input", []func(*platform){func(p *platform) { p.set(abi.GHCBSWExitInfo1, 2) }}, snp.Refused, r.Start, 1},
		{"a response that there is not", []func(*platform){func(p *platform) { p.set(abi.GHCBSWExitInfo1, 3) }}, snp.Refused, r.Start, 1},
		{"an error", []func(*platform){func(p *platform) { p.set(abi.GHCBSWExitInfo2, uint64(abi.PSCGeneric)) }}, snp.Refused, r.Start, 1},
		{"an error later", []func(*platform){both(setHeader(2, 2), setDone(2, 0)),
			func(p *platform) { p.set(abi.GHCBSWExitInfo2, uint64(abi.PSCInvalidEntry)) }}, snp.Refused, 4 * miB, 2},
		{"entries of its own", []func(*platform){func(p *platform) {
			for n := range 3 {
				p.put(entryAt(n), ^uint64(0))
			}
		}}, 0, 0, 1},
	} {
		p := newPlatform(t)
		d := p.withGHCB()
		p.afterPSC = func(p *platform) { c.after[min(p.exits, len(c.after))-1](p) }
		err := d.Accept(r)
		var e *snp.Error
		switch {
		case c.cause == 0 && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.cause != 0 && (!errors.As(err, &e) || e.Cause != c.cause || e.GPA != c.gpa):
			t.Errorf("%s: %v; want cause %d at %#x", c.name, err, c.cause, c.gpa)
		}
		if p.exits != c.exits {
			t.Errorf("%s: %d exits, want %d", c.name, p.exits, c.exits)
		}
		if validates := c.cause == 0; validates != p.has(r, validated) || !validates && p.pvalidates != 0 {
			t.Errorf("%s: %d PVALIDATE", c.name, p.pvalidates)
		}
	}
}

// A host that says it is done and has done nothing is found out by PVALIDATE, or the processor makes it work.
func TestHostThatLies(t *testing.T) {
	r := accept.Range{Start: 2 * miB, End: 4 * miB}
	p := newPlatform(t)
	d := p.withGHCB()
	p.afterPSC = func(p *platform) {
		for at := r.Start; at < r.End; at += 4 * kiB {
			p.pages[at] = validated // it has put back what was there
		}
	}
	var e *snp.Error
	if err := d.Accept(r); !errors.As(err, &e) || !e.AlreadyValidated() || e.GPA != r.Start {
		t.Error(err)
	}
}
