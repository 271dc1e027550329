package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/x86"
)

// Each loop is a program of the host's own that comes to its end, or needs privileges; and its engines do the same work.
func TestLoopsRunNatively(t *testing.T) {
	for _, l := range Loops() {
		privileged := l.user || l.fault != nil
		if _, err := l.program(1, nil); errors.Is(err, errNotNative) != privileged {
			t.Errorf("%s: %v", l.Name, err)
		}
		if privileged || !canRunNatively {
			continue
		}
		if u, err := l.native(t.Context(), 1000); err != nil || u.Peak == 0 || u.Wall == 0 {
			t.Errorf("%s: %+v, %v", l.Name, u, err)
		}
	}
}

// What goes wrong in a native loop is an error, and no wrong rate.
func TestNativeLoopThatFails(t *testing.T) {
	if !canRunNatively {
		t.Skip("no loop runs natively here")
	}
	l := &Loop{Name: "privileged", code: asm("0F 01 3F", "CC"), turn: 1} // invlpg [rdi]
	if _, err := l.native(t.Context(), 1); err == nil {
		t.Error("INVLPG ran in a program")
	}
	endless := &Loop{Name: "endless", code: asm("EB FE", "CC"), turn: 1}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := endless.native(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a loop without an end: %v", err)
	}
}

func TestMeasureLoops(t *testing.T) {
	var short *Loop
	for _, l := range Loops() {
		if l.Name == "string-short" {
			short = l
		}
	}
	all, err := MeasureLoops(t.Context(), []*Loop{short}, 1, func(string, int) {})
	if err != nil {
		t.Fatal(err)
	}
	c := all[0]
	if len(c.Interpreter.Runs) != 1 || canRunNatively != (len(c.Native.Runs) == 1) || (x86.TranslatorAvailable() == nil) != (len(c.Translator.Runs) == 1) {
		t.Errorf("%+v", c)
	}
	var b strings.Builder
	if err := WriteLoops(&b, all); err != nil || !strings.Contains(b.String(), "string-short") || !strings.Contains(b.String(), MegabytesRate) {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestSideBySide(t *testing.T) {
	var order []string
	contender := func(name string, cpu time.Duration, missing error) Contender {
		return Contender{Name: name, Missing: missing, Run: func(context.Context) (Usage, error) {
			order = append(order, name)
			return Usage{CPU: cpu * time.Duration(1+len(order)/3), Wall: 2 * cpu, Peak: 5 << 20}, nil // all take longer the second time
		}}
	}
	s, err := MeasureSideBySide(t.Context(), "slow", []Contender{
		contender("slow", 4*time.Second, nil), contender("fast", time.Second, nil), contender("none", 0, errors.New("it is not here")),
	}, 2, func(string, int) {})
	if err != nil || strings.Join(order, " ") != "slow fast slow fast" {
		t.Fatalf("%v, order %v", err, order)
	}
	if r := s.Find("fast").Ratio(s.Find("slow")); r != (Spread{0.25, 0.25, 0.25}) {
		t.Errorf("the ratio is %+v", r)
	}
	var b strings.Builder
	if err := s.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"to slow", "5 MiB", "none was not measured: it is not here"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	if spread := spreadOf([]float64{3, 1, 10, 2}); spread != (Spread{2.5, 1, 10}) {
		t.Errorf("%+v", spread)
	}
	if s.Find("none") != nil {
		t.Error("what was not measured is found")
	}
}

// A guest that QEMU does not have, and firmware that is not there, are said to be missing; the rest is measured.
func TestQEMUThatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range QEMU(Guest{}, t.TempDir(), "/nonesuch") {
		if c.Missing == nil || !strings.Contains(c.Missing.Error(), "qemu-system-x86") {
			t.Errorf("%s: %v", c.Name, c.Missing)
		}
	}
}

func TestParallelTable(t *testing.T) {
	p := &Parallel{Processors: 2, Boots: []Speedup{{16, 9}, {16, 10}, {16, 8}}, Loop: []Speedup{{4, 2}, {4, 2}, {4, 2}}}
	var b strings.Builder
	if err := p.WriteTable(&b); err != nil || !strings.Contains(b.String(), "certify : loops") || !strings.Contains(b.String(), "0.80 – 1.00") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
