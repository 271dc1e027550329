package compare_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// aRecord is of a boot that got to init after so many nanoseconds.
func aRecord(init int64) *record.Record {
	r := (*record.Log)(nil).Record()
	r.Outcome, r.CostModel = record.PowerOff, cost.TDX().Name()
	r.VirtualNS = record.VirtualNS{Init: &init, Total: 2 * init}
	return r
}

func TestMetrics(t *testing.T) {
	r := aRecord(100)
	by := &r.Acceptance.By
	by.Firmware.Count, by.Stub.Count, by.Kernel.Count = record.Count{Bytes: 1 << 20, Operations: 1}, record.Count{Bytes: 2 << 20, Operations: 2}, record.Count{Bytes: 4 << 20, Operations: 4}
	r.Calls[record.HostExit.String()] = record.Callees{"mapgpa": {"": 5, "retry": 6}, "hlt": {"": 7}}
	r.Added = map[string]record.Count{"4K": {Bytes: 8 << 20}, "2M": {Bytes: 16 << 20}}
	want := map[string]uint64{
		"init": 100, "end": 200, "accepted": 7 << 20, "firmware": 1 << 20, "kernel": 6 << 20, "operations": 7, "exits": 18, "host": 24 << 20,
	}
	for _, m := range compare.Metrics() {
		if got := m.Of(r); got == nil || *got != want[m.Name] {
			t.Errorf("%s is %v, want %d", m.Name, got, want[m.Name])
		}
		delete(want, m.Name)
	}
	if len(want) != 0 {
		t.Errorf("no %v", want)
	}
	// What was not reached is not known, and is no 0.
	r.VirtualNS.Init, r.Outcome = nil, record.Limit
	for _, m := range compare.Metrics() {
		if got := m.Of(r); got != nil {
			t.Errorf("%s of a run that ran into a limit is %d", m.Name, *got)
		}
		if m.Of(nil) != nil || m.Ratio(aRecord(1), r) != nil {
			t.Errorf("%s has a ratio to nothing", m.Name)
		}
	}
}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]string{
		"init > 1.05x": "init > 1.05x", "init>1x": "init > 1x", " exits < 0.5 x ": "exits < 0.5x", "host > 1000000x": "host > 1000000x",
	} {
		if c, err := compare.ParseCondition(text); err != nil || c.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, c, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                 "is not a condition",
		"init":             "is not a condition",
		"init 1.05x":       "is not a condition",
		"init > fast":      "is not a condition",
		"init > -1x":       "is not a condition",
		"init > NaNx":      "is not a condition",
		"init >= 1.05x":    "neither > nor <",
		"init = 1x":        "neither > nor <",
		"init > 1.05":      "init > 1.05x",
		"init > 2s":        "give a number with x",
		"init > 5%":        "give a number with x",
		"ini > 1x":         "there are init, end, accepted",
		"init > 1000001x":  "more than 1000000 times",
		"init > 1x, end>1": "is not a condition",
	} {
		if c, err := compare.ParseCondition(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is %v, %v; want %q", text, c, err, want)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	f.Add("init > 1.05x")
	f.Add("accepted<0x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := compare.ParseCondition(text)
		if err != nil {
			return
		}
		again, err := compare.ParseCondition(c.String())
		if err != nil || again != c {
			t.Errorf("%q is %v, and that is %v, %v", text, c, again, err)
		}
	})
}

func TestJudge(t *testing.T) {
	base := aRecord(1000)
	for _, c := range []struct {
		text string
		init int64
		met  bool
	}{
		{"init > 1.05x", 1050, false}, {"init > 1.05x", 1051, true}, {"init > 1.05x", 1, false},
		{"init < 1x", 1000, false}, {"init < 1x", 999, true}, {"end > 1x", 1001, true}, {"accepted > 1x", 1000, false},
	} {
		condition, err := compare.ParseCondition(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if met, err := condition.Judge(aRecord(c.init), base); met != c.met || err != nil {
			t.Errorf("%s: %d against 1000 is %v, %v", c.text, c.init, met, err)
		}
	}
	// More than none is more, whatever the factor.
	condition, _ := compare.ParseCondition("accepted > 2x")
	some := aRecord(1)
	some.Acceptance.By.Kernel.Bytes = 1
	if met, err := condition.Judge(some, base); !met || err != nil {
		t.Errorf("1 byte against none: %v, %v", met, err)
	}
	died, early := aRecord(1), aRecord(1)
	died.Outcome, early.VirtualNS.Init = record.Violation, nil
	init, _ := compare.ParseCondition("init < 1x")
	for want, pair := range map[string][2]*record.Record{
		"ended with violation, and its base with poweroff": {died, base},
		"init is not known": {early, base},
		"missing":           {nil, base},
	} {
		if met, err := init.Judge(pair[0], pair[1]); met || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v; want %q", met, err, want)
		}
	}
}

// What changed adds up to the difference of what was accepted, whatever the callers are.
func TestChangesAddUp(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, seed))
	random := func() *record.Record {
		one := aRecord(1)
		one.Acceptance.By.Firmware.Bytes = r.Uint64N(3) << 20
		for range r.IntN(6) {
			c := record.Caller{Stack: record.Stack{string(rune('a'+r.IntN(4))) + "+0x1"}, Count: record.Count{Bytes: r.Uint64N(5) << 21}, AfterInit: r.IntN(2) == 0}
			one.Acceptance.Callers = append(one.Acceptance.Callers, c)
			one.Acceptance.By.Kernel.Bytes += c.Bytes
		}
		one.Acceptance.By.Stub.Bytes += r.Uint64N(2) << 12 // of which it is not known who asked
		return one
	}
	accepted, _ := compare.MetricNamed("accepted")
	for range 300 {
		now, base := random(), random()
		var sum int64
		last := ^uint64(0)
		for _, c := range compare.Changes(now, base) {
			sum += int64(c.Now) - int64(c.Base)
			if c.By() == 0 || c.By() > last {
				t.Errorf("%+v after one of %d", c, last)
			}
			last = c.By()
		}
		if want := int64(*accepted.Of(now)) - int64(*accepted.Of(base)); sum != want {
			t.Fatalf("the changes add up to %d, want %d", sum, want)
		}
		if same := compare.Changes(now, now); len(same) != 0 {
			t.Fatalf("a run differs from itself in %v", same)
		}
	}
}

func TestSeries(t *testing.T) {
	for _, c := range []struct {
		platform string
		gib      uint64
		want     float64
	}{{"tdx", 4, 2.5}, {"tdx", 64, 4}, {"tdx", 16, 0}, {"snp", 4, 0}} {
		if got := compare.Series(c.platform, c.gib<<30); got != c.want {
			t.Errorf("%s with %d GiB: %v, want %v", c.platform, c.gib, got, c.want)
		}
	}
}

func TestSensitivityOfInit(t *testing.T) {
	spent := func(init int64, accepts uint64) *record.Record {
		r := aRecord(init)
		tally := cost.Tally{Waited: init}
		tally.Add(cost.TDXAccept2M, accepts)
		s := record.SpentOn(tally, cost.TDX())
		r.Costs.Init = &s
		return r
	}
	const accept = 206_400
	s, err := compare.SensitivityOfInit(cost.TDX(), spent(accept, 3), spent(accept, 1))
	if err != nil || s.Figure != 2 || s.Low != 2.5/1.5 || s.High != 7.0/3 {
		t.Errorf("%+v, %v: want 4:2, from 2.5:1.5 to 7:3", s, err)
	}
	other, none := spent(1, 1), aRecord(1)
	other.CostModel = "snp-estimate-1"
	for want, pair := range map[string][2]*record.Record{"different cost models": {other, spent(1, 1)}, "do not say": {none, spent(1, 1)}} {
		if _, err := compare.SensitivityOfInit(cost.TDX(), pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := compare.SensitivityOfInit(cost.SNP(), spent(1, 1), spent(1, 1)); err == nil || !strings.Contains(err.Error(), "and not by snp-estimate-1") {
		t.Errorf("by another model: %v", err)
	}
}
