package x86

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// An askedPlatform notes what it is asked, and refuses accesses of one kind.
type askedPlatform struct {
	*Plain
	asked   []string
	refused map[AccessKind]error
}

func (p *askedPlatform) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	if err := p.refused[a.Kind]; err != nil {
		return Translation{}, &Refusal{Stop: err}
	}
	p.asked = append(p.asked, fmt.Sprintf("%v %#x", a.Kind, gpa&^pageMask))
	return p.Plain.Resolve(c, gpa, a)
}

// What a processor has been told to forget it asks the platform about again, whatever it did there: load, store, fetch,
// walk, run decoded code by a link or by the jump cache. About the rest it does not ask.
func TestForget(t *testing.T) {
	const function = bareData + 0x1000
	b := newBare(t, 0, []byte{
		0x48, 0x8B, 0x08, // again: mov rcx, [rax]
		0x48, 0x89, 0x48, 0x08, // mov [rax+8], rcx
		0xFF, 0xD3, // call rbx
		0xEB, 0xF5, // jmp again
	})
	b.write(function, 0xC3) // ret
	b.R[uop.RAX], b.R[uop.RBX] = bareData, function
	p := &askedPlatform{Plain: b.platform.(*Plain)}
	b.platform = p
	run := func() (asked []string) {
		t.Helper()
		p.asked = nil
		if e := b.Run(b.Now() + 1000); e.Kind != ExitDeadline { // 200 turns
			t.Fatalf("exit %+v", e)
		}
		slices.Sort(p.asked)
		return slices.Compact(p.asked)
	}
	if asked := run(); len(asked) == 0 {
		t.Fatal("the platform was not asked at all")
	}
	if asked := run(); len(asked) != 0 {
		t.Fatalf("what is known was asked again: %v", asked)
	}
	page := func(kind AccessKind, gpa uint64) string { return fmt.Sprintf("%v %#x", kind, gpa) }
	walk := func(then string) []string {
		return []string{page(Walk, bareTables), page(Walk, bareTables+0x1000), then}
	}
	for _, c := range []struct {
		what  string
		plane physical.Plane
		gpa   uint64
		want  []string
	}{
		{"data", physical.Private, bareData, walk(page(Read, bareData))},
		{"a function's code", physical.Private, function, walk(page(Fetch, function))},
		{"the loop's code", physical.Private, bareCode, walk(page(Fetch, bareCode))},
		{"the stack", physical.Private, bareStack - 0x1000, walk(page(Write, bareStack-0x1000))},
		{"the other plane", physical.Shared, bareData, nil},
		{"another page", physical.Private, bareData + 0x2000, nil},
	} {
		b.Forget(c.plane, c.gpa, c.gpa+mem.PageSize)
		slices.Sort(c.want)
		got := run()
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: asked %v, want %v", c.what, got, c.want)
		}
	}
}

// A processor's own access to a paging structure is the platform's to allow: to read an entry, and to set its accessed
// or dirty bit.
func TestWalksAreAsked(t *testing.T) {
	refusal := errors.New("no")
	for _, kind := range []AccessKind{Walk, WalkWrite} {
		b := newBare(t, 0, []byte{0x48, 0x89, 0x08}) // mov [rax], rcx
		b.R[uop.RAX] = bareData
		b.platform = &askedPlatform{Plain: b.platform.(*Plain), refused: map[AccessKind]error{kind: refusal}}
		before := [2]uint64{b.word(bareTables), b.word(bareTables + 0x1000)}
		if e := b.Run(1000); e.Kind != ExitStopped || e.Err != refusal {
			t.Errorf("%v: exit %+v", kind, e)
		}
		if after := [2]uint64{b.word(bareTables), b.word(bareTables + 0x1000)}; after != before {
			t.Errorf("%v: the tables are %#x, were %#x", kind, after, before)
		}
	}
}
