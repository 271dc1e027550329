package firmware

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// others are processors that are started and stopped, and execute nothing.
type others struct{ runs map[int]bool }

func (o others) Start(id int, _ func(*x86.CPU) error) error { o.runs[id] = true; return nil }
func (o others) Stop(id int)                                { delete(o.runs, id) }

// A processor other than the first may ask who it is, and little else; what it has been given to do ends when it returns, when
// it is late, and when boot services are left.
func TestJobs(t *testing.T) {
	o := others{map[int]bool{}}
	m := newMachine(t, func(c *Config) { c.ACPI.CPUs, c.Processors = 3, o })
	mp := m.located(uefi.MPServicesProtocolGUID)
	call := func(offset uint64, a ...uint64) uefi.Status {
		t.Helper()
		return m.must(m.word(mp+offset), append([]uint64{mp}, a...)...)
	}
	event, who := m.room(1), m.room(1)
	m.wants(uefi.Success, uefi.BSCreateEvent, 0, 0, 0, 0, event)
	begin := func(timeout uint64) {
		t.Helper()
		if s := call(uefi.MPServicesStartupAllAPs, 0x5000, 0, m.word(event), timeout, 7, 0); s != uefi.Success || len(o.runs) != 2 {
			t.Fatalf("%v, and %v run", s, o.runs)
		}
	}
	returns := func(id int) error {
		m.id = id
		defer func() { m.id = 0 }()
		return m.call(m, m.trap+slotProcedureReturned*entrySize)
	}

	begin(0)
	m.id = 2
	if s := call(uefi.MPServicesWhoAmI, who); s != uefi.Success || m.word(who) != 2 {
		t.Errorf("%v, %d", s, m.word(who))
	}
	for _, offset := range []uint64{uefi.MPServicesGetNumberOfProcessors, uefi.MPServicesStartupAllAPs, uefi.MPServicesSwitchBSP, uefi.MPServicesEnableDisableAP} {
		if s := call(offset, who, who, who); s != uefi.DeviceError {
			t.Errorf("at %d: %v", offset, s)
		}
	}
	m.wants(uefi.Unsupported, uefi.BSAllocatePool, uint64(uefi.LoaderData), 8, who)
	m.id = 0
	if err := returns(1); err != nil {
		t.Fatal(err)
	}
	m.wants(uefi.NotReady, uefi.BSCheckEvent, m.word(event))
	if err := returns(2); err != nil || len(o.runs) != 0 {
		t.Fatal(err, o.runs)
	}
	m.wants(uefi.Success, uefi.BSCheckEvent, m.word(event))
	for _, id := range []int{0, 1} {
		if returns(id) == nil {
			t.Errorf("processor %d returned from what it was not given to do", id)
		}
	}

	begin(10)
	m.wants(uefi.NotReady, uefi.BSCheckEvent, m.word(event))
	m.now += 10_000
	m.wants(uefi.Success, uefi.BSCheckEvent, m.word(event))
	if len(o.runs) != 0 {
		t.Errorf("%v are late and run", o.runs)
	}

	begin(0)
	m.stopJobs()
	if len(o.runs) != 0 || m.doesAll() {
		t.Errorf("%v run after boot services", o.runs)
	}
}

func TestJobsAreCarried(t *testing.T) {
	statetest.Complete(t, func() *otherProcessor { return &otherProcessor{} }, func(p *otherProcessor, s *state.Stream) {
		j := jobs{others: []otherProcessor{*p}}
		j.carry(s)
	})
}
