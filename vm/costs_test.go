package vm_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// spentAdds asserts that what was charged is the time that passed, to the nanosecond, at init and at the end.
func spentAdds(t *testing.T, r *record.Record) {
	t.Helper()
	for what, c := range map[string]struct {
		spent *record.Spent
		ns    *int64
	}{"init": {r.Costs.Init, r.VirtualNS.Init}, "the end": {&r.Costs.Total, &r.VirtualNS.Total}} {
		if c.spent == nil || c.ns == nil {
			t.Errorf("at %s: %v, %v", what, c.spent, c.ns)
			continue
		}
		sum := c.spent.Waited
		for _, e := range c.spent.Events {
			sum += e.NS
		}
		for _, c := range c.spent.Contended {
			sum += c.NS
		}
		if sum != *c.ns {
			t.Errorf("at %s: %d ns of virtual time went to what is %d ns in all: %+v", what, *c.ns, sum, c.spent)
		}
	}
	if n := r.Costs.Total.Events["instruction"].Count; n != r.Instructions {
		t.Errorf("%d instructions were charged, and %d executed", n, r.Instructions)
	}
}

// Time is the sum of what it went to, on every platform, however blocks are cut; and the counts are those that the log
// of events has.
func TestTimeIsWhatItWentTo(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			var first *record.Costs
			for _, limit := range []int{0, 1, 7} {
				for _, page := range []uint64{2 << 20, 4 << 10} {
					r := goGuest(t, vm.Config{Platform: platform, Memory: 512 << 20, HostPage: page, BlockLimit: limit}, "hold=64M", "touch")
					spentAdds(t, r.Record)
					if page == 4<<10 {
						continue
					}
					if first == nil {
						first = &r.Costs
					} else if !reflect.DeepEqual(first, &r.Costs) {
						t.Errorf("blocks of %d instructions: %+v, and %+v without a limit", limit, r.Costs, first)
					}
					countsAgree(t, r.Record)
				}
			}
		})
	}
}

// countsAgree holds the counts against those that the record has from elsewhere.
func countsAgree(t *testing.T, r *record.Record) {
	t.Helper()
	events := r.Costs.Total.Events
	calls := func(on record.Interface, name string) (n uint64) {
		for called, statuses := range r.Calls[on.String()] {
			for _, times := range statuses {
				if strings.HasPrefix(called, name) {
					n += times
				}
			}
		}
		return n
	}
	same := func(what string, got, want uint64) {
		if got != want {
			t.Errorf("%s: %d were charged, and %d happened", what, got, want)
		}
	}
	by := &r.Acceptance.By
	switch r.Platform {
	case vm.TDX:
		same("accept-2m", events["accept-2m"].Count, by.Firmware.Sizes["2M"].Operations+by.Stub.Sizes["2M"].Operations+by.Kernel.Sizes["2M"].Operations)
		same("accept-4k", events["accept-4k"].Count, by.Firmware.Sizes["4K"].Operations+by.Stub.Sizes["4K"].Operations+by.Kernel.Sizes["4K"].Operations)
		same("host-add-2m", events["host-add-2m"].Count, r.Added["2M"].Operations)
		// Services of firmware cost an exit as well; some are called anew, which is counted once.
		least := calls(record.HostExit, "") + calls(record.UEFI, "")
		if n := events["exit"].Count; n < least || n > least+10 {
			t.Errorf("exit: %d were charged, and %d happened, with calls of firmware", n, least)
		}
	case vm.SNP:
		same("pvalidate-2m", events["pvalidate-2m"].Count, by.Firmware.Sizes["2M"].Operations+by.Stub.Sizes["2M"].Operations+by.Kernel.Sizes["2M"].Operations)
		same("host-add-2m", events["host-add-2m"].Count, r.Added["2M"].Operations)
		same("vc", events["vc"].Count, calls(record.VC, ""))
	}
}

// So it is in the boot of a kernel; and priced again by the same model it is the same.
func TestTimeOfAKernelIsWhatItWentTo(t *testing.T) {
	t.Parallel()
	r := defaultBoot()(t)
	spentAdds(t, r.Record)
	tally, err := r.Costs.Init.Tally()
	if err != nil {
		t.Fatal(err)
	}
	if got := tally.Time(cost.TDX()); got != *r.VirtualNS.Init {
		t.Errorf("priced again init is at %d ns, and was at %d", got, *r.VirtualNS.Init)
	}
}

// What package cost says of a model with another number is what a run with that number gives: until init to the
// nanosecond, since the guest in Go takes no timer interrupts; its program's runtime looks at the clock.
func TestSensitivityIsWhatARunGives(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			run := func(m cost.Model) *record.Record {
				return goGuest(t, vm.Config{Platform: platform, Memory: 512 << 20, Cost: m}, "hold=300M", "touch").Record
			}
			m, err := cost.Of(platform)
			if err != nil {
				t.Fatal(err)
			}
			first := run(m)
			toInit, err := first.Costs.Init.Tally()
			if err != nil {
				t.Fatal(err)
			}
			all, err := first.Costs.Total.Tally()
			if err != nil {
				t.Fatal(err)
			}
			atInit := map[cost.Event]float64{}
			for _, s := range cost.SensitivityOfTime(m, toInit).Swings {
				atInit[s.Event] = s.Doubled
			}
			for _, s := range cost.SensitivityOfTime(m, all).Swings {
				if s.Event == cost.Instruction {
					continue // no model can have another
				}
				rows := m.Table()
				for i := range rows {
					if rows[i].Event == s.Event {
						rows[i].NS *= 2
					}
				}
				other, err := cost.New("doubled", platform, rows, nil)
				if err != nil {
					t.Fatal(err)
				}
				r := run(other)
				spentAdds(t, r)
				want, ok := atInit[s.Event]
				if !ok {
					want = float64(*first.VirtualNS.Init)
				}
				if got := float64(*r.VirtualNS.Init); got != want || r.CostModel != other.Name() {
					t.Errorf("%v doubled: init at %.0f ns by %s, and %.0f were said", s.Event, got, r.CostModel, want)
				}
				if got := float64(r.VirtualNS.Total); got < s.Doubled*0.98 || got > s.Doubled*1.02 {
					t.Errorf("%v doubled: %.0f ns, and %.0f were said", s.Event, got, s.Doubled)
				}
			}
		})
	}
}

// A machine whose model has holds of its own is saved with them.
func TestHoldsAreSaved(t *testing.T) {
	m, err := cost.New("halved", vm.TDX, cost.TDX().Table(), []cost.Hold{{Event: cost.Exit, Lock: cost.TD, NS: 1919, Source: "estimate: half", Halt: true}})
	if err != nil {
		t.Fatal(err)
	}
	line := "hold=32M"
	cfg := vm.Config{Memory: gib, CPUs: 2, CommandLine: &line, Cost: m}
	want := uninterrupted(t, cfg)
	if !strings.Contains(string(want.record), m.Name()) {
		t.Errorf("the record does not name %s", m.Name())
	}
	want.same(t, resumed(t, cfg, []place{{instruction: want.instructions / 2}}))
}

// A model is for one platform.
func TestCostModelOfAnotherPlatform(t *testing.T) {
	if err := (vm.Config{Platform: vm.SNP, Cost: cost.TDX()}).Check(); err == nil || !strings.Contains(err.Error(), "for platform tdx") {
		t.Error(err)
	}
	if err := (vm.Config{Platform: vm.SNP, Cost: cost.SNP()}).Check(); err != nil {
		t.Error(err)
	}
}
