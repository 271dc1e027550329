package oracle

import (
	"errors"
	"go/format"
	"reflect"
	"strings"
	"testing"
)

// The rows of the tables mean what the manual's notation means.
func TestParseForms(t *testing.T) {
	forms := parseForms(`
	ADD r/mv, imm8 ; 83 /0 ib ; lock
	PADDB nn, nn/m ; 0F FC /r ; MMX
	MAX?? xmm, xmm/m?? ; 0F 5F /r
	ANDN ry, vy, r/my ; VEX.LZ.0F38 F2 /r ; BMI1
	PUSH rk ; 50+r
`)
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	want := []string{
		"ADD r/m16, imm8", "ADD r/m32, imm8", "ADD r/m64, imm8",
		"PADDB mm, mm/m64", "PADDB xmm, xmm/m128",
		"MAXPS xmm, xmm/m128", "MAXPD xmm, xmm/m128", "MAXSS xmm, xmm/m32", "MAXSD xmm, xmm/m64",
		"ANDN r32, v32, r/m32", "ANDN r64, v64, r/m64",
		"PUSH r16", "PUSH r64",
	}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("forms %q", names)
	}
	if f := forms[2]; !f.rexW || !f.lock || f.digit != 0 || f.memory != 8 || f.rm != (class{'g', 64}) || len(f.immediate) != 1 {
		t.Errorf("%s: %+v", f.name, f)
	}
	if f := forms[4]; f.mandatory != 0x66 || f.reg != (class{'x', 128}) || f.memory != 16 || f.feature != "MMX" {
		t.Errorf("%s: %+v", f.name, f)
	}
	if f := forms[9]; !f.vex || f.vexMap != 2 || f.opcode[0] != 0xF2 || f.vvvv != (class{'g', 32}) {
		t.Errorf("%s: %+v", f.name, f)
	}
	if f := forms[11]; !f.data16 || f.rexW || f.opReg != (class{'g', 16}) {
		t.Errorf("%s: %+v", f.name, f)
	}
}

// A case depends on seed and number only.
func TestCasesAreReproducible(t *testing.T) {
	all := func(*form) bool { return true }
	a, b := NewGenerator(7, all), NewGenerator(7, all)
	for n := range uint64(2000) {
		b.Case(n + 1)
		if x, y := a.Case(n).Literal(), b.Case(n).Literal(); x != y {
			t.Fatalf("case %d is\n%s\nand\n%s", n, x, y)
		}
	}
	if a.Case(3).Literal() == NewGenerator(8, all).Case(3).Literal() {
		t.Error("another seed makes the same case")
	}
}

// Every part of the outcome is compared, and in the recording's checksum.
func TestCompareSeesEverything(t *testing.T) {
	in, err := NewInterpreter(Way{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := &Case{Code: []byte{0x90}, In: State{RIP: codeBase, Flags: flag1 | flagIF, MXCSR: 0x1F80, X87: X87{FCW: 0x37F}}}
	var o Outcome
	in.Run(c, &o)
	if o.Err != nil || c.Compare(&o, &o) != nil {
		t.Fatalf("NOP: %v %v", o.Err, c.Compare(&o, &o))
	}
	for name, change := range map[string]func(o *Outcome){
		"RAX":     func(o *Outcome) { o.GPR[0]++ },
		"R15":     func(o *Outcome) { o.GPR[15]++ },
		"RIP":     func(o *Outcome) { o.RIP++ },
		"flags":   func(o *Outcome) { o.Flags ^= flagAF },
		"vector":  func(o *Outcome) { o.Vector = vectorDB },
		"code":    func(o *Outcome) { o.Code++ },
		"XMM15":   func(o *Outcome) { o.XMM[15][1]++ },
		"MXCSR":   func(o *Outcome) { o.MXCSR ^= 1 },
		"FCW":     func(o *Outcome) { o.X87.FCW ^= 1 },
		"FSW":     func(o *Outcome) { o.X87.FSW ^= 1 << 8 },
		"FTW":     func(o *Outcome) { o.X87.FTW ^= 1 },
		"ST7":     func(o *Outcome) { o.X87.ST[7].SignExp++ },
		"memory":  func(o *Outcome) { o.Arena[arenaSize-1]++ },
		"failure": func(o *Outcome) { o.Err = errors.New("any") },
	} {
		changed := o
		changed.Arena = append([]byte(nil), o.Arena...)
		change(&changed)
		if c.Compare(&o, &changed) == nil {
			t.Errorf("a difference in %s goes unnoticed", name)
		}
		if c.Answer(&o) == c.Answer(&changed) {
			t.Errorf("a difference in %s is not in the checksum", name)
		}
	}
}

// Shrinking keeps what makes the case fail and drops the rest; the result prints as Go.
func TestShrink(t *testing.T) {
	g := NewGenerator(1, func(*form) bool { return true })
	var c *Case
	for n := uint64(0); ; n++ {
		if c = g.Case(n); len(c.ends) == 4 && len(c.Mem) > 0 {
			break
		}
	}
	wanted, value := c.names[2], c.In.GPR[11]|1
	c.In.GPR[11] = value
	small := Shrink(c, func(c *Case) bool { return strings.Contains(c.Name, wanted) && c.In.GPR[11] == value })
	if small.Name != wanted || len(small.Mem) != 0 || len(small.ends) != 1 || small.ends[0] != len(small.Code) {
		t.Errorf("%s shrunk to %s, %d pieces of memory, ends %v of %d bytes", c.Name, small.Name, len(small.Mem), small.ends, len(small.Code))
	}
	for i, v := range small.In.GPR {
		if i != 11 && v != 0 {
			t.Errorf("register %d is %#x", i, v)
		}
	}
	for _, c := range []*Case{c, small} {
		if _, err := format.Source([]byte("package p\nvar x = []*Case{\n" + c.Literal() + "}")); err != nil {
			t.Errorf("%v in\n%s", err, c.Literal())
		}
	}
}
