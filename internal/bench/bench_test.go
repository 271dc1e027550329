package bench

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
)

// translated stands for blocks that are translated.
const translated = -1

// Every loop does what its table says: so many instructions a turn, and the same whatever the blocks.
func TestLoopsDoWhatTheySay(t *testing.T) {
	for _, l := range Loops() {
		t.Run(l.Name, func(t *testing.T) {
			var first x86.State
			for i, limit := range []int{0, 1, 7, translated} {
				engine, blocks := x86.EngineInterpreter, limit
				if limit == translated {
					if x86.TranslatorAvailable() != nil {
						break
					}
					engine, blocks = x86.EngineTranslator, 0
				}
				m, err := newMachine(l, engine, blocks)
				if err != nil {
					t.Fatal(err)
				}
				const n = 1000
				if err := m.run(n); err != nil {
					t.Fatal(err)
				}
				const end = 2 // INT3, and HLT in its handler
				if got := m.Instructions(); got != n*l.turn+end {
					t.Errorf("blocks of %d: %d instructions for %d turns, want %d a turn", limit, got, n, l.turn)
				}
				if s := m.State(); i == 0 {
					first = s
				} else if s != first {
					t.Errorf("blocks of %d: %+v, want %+v", limit, s, first)
				}
				if err := m.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What the loops compute, where that is easily said.
func TestLoopResults(t *testing.T) {
	const n = 1 << 12
	after := func(name string) *machine {
		for _, l := range Loops() {
			if l.Name == name {
				m, err := newMachine(l, x86.EngineInterpreter, 0)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = m.close() })
				if err := m.run(n); err != nil {
					t.Fatal(err)
				}
				return m
			}
		}
		t.Fatalf("no loop %q", name)
		return nil
	}
	if m := after("indirect-jump"); m.R[x86.RBX] != n/8*(0+1+2+3+4+5+6+7) {
		t.Errorf("indirect-jump: RBX %d", m.R[x86.RBX])
	}
	var v [4]byte
	if m := after("memory"); m.ReadPhysical(targetAt+0x10000+4*17, v[:]) != nil || v[0] != 1 {
		t.Errorf("memory: the word was increased %d times", v[0])
	}
	if m := after("page-fault"); m.ReadPhysical(ptAt, v[:]) != nil || v != [4]byte{} {
		t.Errorf("page-fault: the entry is % x at the end", v)
	}
}

func TestMeasure(t *testing.T) {
	prepared, work := 0, uint64(0)
	w := Workload{Name: "w", Unit: MIPS, Prepare: func(context.Context) error { prepared++; return nil }, Run: func(context.Context) (uint64, error) {
		if prepared != 1 {
			t.Errorf("prepared %d times before a run", prepared)
		}
		return 10, nil
	}}
	var begun []int
	r, err := Measure(t.Context(), w, 3, func(run int) { begun = append(begun, run) })
	if err != nil || len(r.Runs) != 3 || len(begun) != 3 || begun[2] != 2 {
		t.Fatalf("%+v, %v, progress %v", r, err, begun)
	}
	w.Run = func(context.Context) (uint64, error) { work++; return work, nil }
	if _, err := Measure(t.Context(), w, 2, nil); err == nil || !strings.Contains(err.Error(), "not the same work") {
		t.Errorf("runs of different work: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, w, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func result(name string, cpuNS ...int64) *Result {
	r := &Result{Name: name, Unit: MIPS}
	for _, ns := range cpuNS {
		r.Runs = append(r.Runs, Run{Work: 1000, CPUNS: ns, WallNS: 2 * ns})
	}
	return r
}

func TestQuantiles(t *testing.T) {
	r := result("r", 10_000, 5_000, 20_000, 4_000) // 100, 200, 50, 250 MIPS
	if r.Min() != 50 || r.Median() != 150 || r.Max() != 250 {
		t.Errorf("min %v, median %v, max %v", r.Min(), r.Median(), r.Max())
	}
	if empty := new(Result); empty.Median() != 0 || empty.Wall() != 0 {
		t.Error("a result without runs has a rate")
	}
}

func TestReportFile(t *testing.T) {
	old, now := NewReport(), NewReport()
	old.Results = []*Result{result("same", 10_000, 11_000), result("faster", 10_000, 11_000), result("gone", 1)}
	now.Results = []*Result{result("same", 10_500, 10_600), result("faster", 5_000, 5_500), result("new", 10_000)}
	saved := func() []byte {
		t.Helper()
		var b bytes.Buffer
		if err := old.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	loaded, err := Read(saved())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := now.WriteTable(&b, loaded); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"same": "0.99", "faster": "2.00 *", "new": "–"} {
		found := false
		for line := range strings.Lines(b.String()) {
			if f := strings.Fields(line); f[0] == name {
				found = strings.HasSuffix(strings.Join(f, " "), want)
			}
		}
		if !found {
			t.Errorf("no line %s … %s in\n%s", name, want, b.String())
		}
	}
	old.Schema = "something else"
	if _, err := Read(saved()); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("a file of another schema: %v", err)
	}
}

// go test -bench . ./bench runs the loops that tacit bench runs.
func BenchmarkLoop(b *testing.B) {
	for _, l := range Loops() {
		b.Run(l.Name, func(b *testing.B) {
			m, err := newMachine(l, x86.EngineInterpreter, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = m.close() }()
			if l.Bytes != 0 {
				b.SetBytes(int64(l.Bytes))
			}
			b.ResetTimer()
			if err := m.run(uint64(b.N)); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(l.turn)*float64(b.N)/b.Elapsed().Seconds()/1e6, "MIPS")
		})
	}
}
