package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A seamPlatform is a plain one of which a test replaces what it is about.
type seamPlatform struct {
	*Plain
	resolve func(c *CPU, gpa uint64, a Access) (Translation, *Refusal)
}

func (p *seamPlatform) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	if p.resolve != nil && gpa&^pageMask == bareData {
		return p.resolve(c, gpa, a)
	}
	return p.Plain.Resolve(c, gpa, a)
}

// onSeam puts another platform under a bare processor.
func onSeam(b *bare) *seamPlatform {
	p := &seamPlatform{Plain: b.platform.(*Plain)}
	b.platform = p
	return p
}

// A read-only translation serves loads without asking again, and no store.
func TestReadOnlyTranslation(t *testing.T) {
	b := newBare(t, 0, []byte{
		0x48, 0x8B, 0x08, // mov rcx, [rax]
		0x48, 0x8B, 0x08,
		0x48, 0x89, 0x08, // mov [rax], rcx
		0x48, 0x89, 0x08,
		0xF4, // hlt
	})
	p := onSeam(b)
	var asked []AccessKind
	p.resolve = func(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
		asked = append(asked, a.Kind)
		tr, r := p.Plain.Resolve(c, gpa, a)
		tr.ReadOnly = !a.Kind.Writes()
		return tr, r
	}
	b.write(bareData, 0x1234)
	b.R[uop.RAX] = bareData
	if e := b.Run(1e6); e.Kind != ExitHalted || b.R[uop.RCX] != 0x1234 {
		t.Fatalf("%+v, RCX %#x", e, b.R[uop.RCX])
	}
	if len(asked) != 2 || asked[0] != Read || asked[1] != Write {
		t.Errorf("the platform was asked about %v, want one read and one write", asked)
	}
}

// A platform's exception loads CR2 where it says so, and leaves it alone where it does not.
func TestPlatformExceptionWithCR2(t *testing.T) {
	for _, with := range []bool{true, false} {
		b := newBare(t, 0, []byte{0x48, 0x8B, 0x08})
		p := onSeam(b)
		p.resolve = func(*CPU, uint64, Access) (Translation, *Refusal) {
			return Translation{}, &Refusal{Exception: &Exception{Vector: VectorVC, Code: 7, HasCode: true, CR2: 0x777, HasCR2: with}}
		}
		b.write(bareIDT+VectorVC*16, 0x9000|8<<16|0x8E<<40, 0)
		b.write(0x9000, 0xF4)
		b.R[uop.RAX] = bareData
		if e := b.Run(1e6); e.Kind != ExitHalted {
			t.Fatalf("%+v", e)
		}
		if got := b.State().CR2; (got == 0x777) != with || b.word(b.R[uop.RSP]) != 7 {
			t.Errorf("HasCR2 %v: CR2 is %#x, the code %#x", with, got, b.word(b.R[uop.RSP]))
		}
	}
}

func TestEFERHasWhatIsConfigured(t *testing.T) {
	for _, bits := range []uint64{0, 1 << 21} {
		memory, err := mem.New(2 << 20)
		if err != nil {
			t.Fatal(err)
		}
		c := New(Config{Memory: memory, Platform: &Plain{Memory: memory}, EFER: bits})
		if ok := c.writeEFER(EFERNXE | 1<<21); ok != (bits != 0) || ok && c.State().EFER != EFERNXE|1<<21 {
			t.Errorf("EFER with %#x: %v, %#x", bits, ok, c.State().EFER)
		}
		_ = memory.Close()
	}
}

func TestProbe(t *testing.T) {
	b := newBare(t, 0, []byte{0xF4})
	if gpa, ok := b.Probe(bareData + 5); !ok || gpa != bareData+5 || b.raised {
		t.Errorf("%#x, %v", gpa, ok)
	}
	if _, ok := b.Probe(5 << 30); ok || !b.raised || b.pending.Vector != uop.VectorPF || b.pending.CR2 != 5<<30 {
		t.Errorf("an address that is not mapped: %v, %v", ok, b.pending)
	}
	b.raised = false
	if _, ok := b.Probe(1 << 47); ok || !b.raised || b.pending.Vector != uop.VectorGP {
		t.Errorf("a non-canonical address: %v, %v", ok, b.pending)
	}
}
