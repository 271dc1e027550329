package record

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

// What was taken before is found, whatever the ranges: a map of pages says the same.
func TestTakenTwice(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var pages taken
	model := map[uint64]bool{}
	for range 20_000 {
		start, n := r.Uint64N(8*pagesOfUnit), 1+r.Uint64N(pagesOfUnit+3)
		if r.IntN(3) == 0 {
			start, n = start&^(pagesOfUnit-1), pagesOfUnit
		}
		if r.IntN(2) == 0 {
			want := uint64(0)
			for p := start; p < start+n; p++ {
				if model[p] {
					want += pageBytes
				}
				if pages.has(p*pageBytes) != model[p] {
					t.Fatalf("page %d is there: %v", p, !model[p])
				}
				model[p] = true
			}
			if got := pages.add(start*pageBytes, n*pageBytes); got != want {
				t.Fatalf("pages %d, %d of them: %d bytes were there, want %d", start, n, got, want)
			}
			continue
		}
		pages.remove(start*pageBytes, n*pageBytes)
		for p := start; p < start+n; p++ {
			delete(model, p)
		}
	}
}

func TestDetected(t *testing.T) {
	l := NewLog(nil)
	accept := func(gpa Address) { l.Accept(Accepted{GPA: gpa, Bytes: 2 << 20, Size: physical.Size2M, RIP: gpa + 1}) }
	accept(2 << 20)
	accept(4 << 20)
	l.Convert(Converted{GPA: 2 << 20, Bytes: 2 << 20, To: physical.Shared})
	accept(2 << 20)
	if d := l.Record().Detected; d != (Detected{}) {
		t.Errorf("after a conversion: %+v", d)
	}
	accept(4 << 20)
	if d := l.Record().Detected; d.AcceptedTwice != (Count{2 << 20, 1}) || d.Where != 4<<20 || d.At != 4<<20+1 {
		t.Errorf("%+v", d)
	}
	l.Call(Called{Interface: RMP, Name: "PVALIDATE", Status: "SUCCESS, CF"})
	if d := l.Record().Detected; d.Ignored != 0 {
		t.Errorf("before the guest has gone on: %+v", d)
	}
	accept(8 << 20)
	l.Call(Called{Interface: TDCALL, Name: "MEM.PAGE.ACCEPT", Status: "TDX_PAGE_ALREADY_ACCEPTED"})
	l.WentOn()
	if d := l.Record().Detected; d.Ignored != 2 {
		t.Errorf("%+v", d)
	}
	l.Refuse(16 << 20) // never accepted
	l.Refuse(8<<20 + 0x1000)
	l.GiveBack(8<<20, 0x2000)
	l.Refuse(8<<20 + 0x1000)
	l.Refuse(8<<20 + 0x2000)
	if d := l.Record().Detected; d.UsedAfterRemoval != 2 {
		t.Errorf("%+v", d)
	}
	l.Tell("R15", "MapGPA", 0x1234)
	l.Tell("RBX", "MapGPA", 0x1235)
	l.NumberAgain()
	if d := l.Record().Detected; d.Told != 2 || d.ToldFirst != "R15 of MapGPA, by the instruction at 0x1234" || d.NumberedAgain != 1 {
		t.Errorf("%+v", d)
	}
}

// The summary says what was detected, and nothing of what was not.
func TestDetectedInWords(t *testing.T) {
	var b strings.Builder
	(&Detected{}).write(&b)
	if b.Len() > 0 {
		t.Errorf("of nothing it says %q", b.String())
	}
	d := Detected{
		AcceptedTwice: Count{4096, 1}, Where: 0x5000, At: 0x1001, Ignored: 2, UsedAfterRemoval: 3,
		Told: 4, ToldFirst: "R15 of MapGPA", NumberedAgain: 5, IdleVMSAs: 6,
	}
	d.write(&b)
	for _, want := range []string{
		"4 KiB  1 operations; the first at 0x5000", "2 times that a page was accepted already", "3 times what it had accepted",
		"4 registers that the host does not need; the first: R15 of MapGPA", "5 messages to the secure processor", "6 that no processor runs from",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
