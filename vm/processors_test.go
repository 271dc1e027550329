package vm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A stock kernel starts all processors, accepts memory on them, and the books are equal. What it does does not depend on how
// the processors' work is cut: by blocks, or by saving and resuming;
// nor on whether rounds of a loop that changes nothing are executed or counted.
func TestManyProcessors(t *testing.T) {
	const processors = 4
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			cfg := vm.Config{Platform: platform, Memory: gib, CPUs: processors, Image: debian13(t), Callers: true}
			b := boot(t, cfg)
			b.powersOff(t)
			if platform != vm.None {
				b.booksAgree(t)
			}
			if waits := b.Costs.Contention; platform == vm.TDX && len(waits) == 0 || len(b.Costs.Total.Contended) > len(waits) {
				t.Errorf("processors waited for each other %+v, and by processor %+v", b.Costs.Total.Contended, waits)
			}
			if b.Config.CPUs != processors || !strings.Contains(b.console, fmt.Sprintf("smp: Brought up 1 node, %d CPUs", processors)) {
				t.Errorf("%d processors in the record; the console:\n%s", b.Config.CPUs, b.console)
			}
			cfg.Schedule, cfg.ScheduleSeed = "adversarial", 1
			want := uninterrupted(t, cfg)
			if bytes.Equal(want.record, recordOf(t, b)) {
				t.Error("another order of turns, and the same record")
			}
			round := &shown{record: recordOf(t, b)}
			round.console.WriteString(b.console)
			if first, other := round.sees(t), want.sees(t); first != other {
				t.Errorf("in one order of turns the guest sees %+v, and in another %+v", first, other)
			}
			want.same(t, resumed(t, cfg, somePlaces(t, *resumes/4, want.instructions)))
			cfg.BlockLimit = 3
			cfg.WithoutSpins()
			want.same(t, uninterrupted(t, cfg))
		})
	}
}

func recordOf(t *testing.T, b booted) []byte {
	t.Helper()
	b.Host = record.Host{}
	j, err := json.MarshalIndent(b.Record, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A stock kernel finds packages, cores, threads and nodes as they were asked for, gaps between APIC IDs included, and no line of
// it says that tables and processors contradict each other.
func TestTopology(t *testing.T) {
	for _, c := range []struct {
		platform string
		vm.Topology
	}{
		{vm.None, vm.Topology{Sockets: 2, Cores: 3, Threads: 2, Nodes: 2}},
		{vm.SNP, vm.Topology{Sockets: 2, Cores: 3, Threads: 2, Nodes: 2}},
		{vm.TDX, vm.Topology{Sockets: 4, Cores: 2, Threads: 2, Nodes: 2}},
	} {
		t.Run(c.platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: c.platform, Memory: gib, Topology: c.Topology, Image: debian13(t)})
			b.powersOff(t)
			if c.platform != vm.None {
				b.booksAgree(t)
			}
			if b.Config.CPUs != c.CPUs() || b.Config.Topology != c.String() {
				t.Errorf("the record has %d processors, %s", b.Config.CPUs, b.Config.Topology)
			}
			said := strings.Join(strings.Fields(b.console), " ")
			for _, want := range []string{
				fmt.Sprintf("Max. logical packages: %d ", c.Sockets),
				fmt.Sprintf("Max. threads per core: %d ", c.Threads),
				fmt.Sprintf("Num. cores per package: %d ", c.Cores),
				fmt.Sprintf("Allowing %d present CPUs plus 0 hotplug CPUs", c.CPUs()),
				"SRAT: Node 1 PXM 1 [mem 0x20000000-0x3fffffff]",
				fmt.Sprintf("Brought up %d nodes, %d CPUs", c.Nodes, c.CPUs()),
			} {
				if !strings.Contains(said, want) {
					t.Errorf("the console lacks %q", want)
				}
			}
			for _, never := range []string{"Firmware Bug", "WARNING", "mismatch"} {
				if strings.Contains(said, never) {
					t.Errorf("the console has %q", never)
				}
			}
			if t.Failed() {
				t.Log(b.console)
			}
		})
	}
}

// Where a processor cannot be started, that is said before anything is done.
func TestProcessorsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		cfg  vm.Config
		want string
	}{
		{vm.Config{CPUs: -1}, "want 1 to 255"},
		{vm.Config{CPUs: 256}, "extended destination IDs, which are not announced"},
		{vm.Config{CPUs: 4, Topology: vm.Topology{Sockets: 1, Cores: 3, Threads: 1, Nodes: 1}}, "4 processors, and the topology"},
		{vm.Config{Topology: vm.Topology{Sockets: 2, Cores: 3, Threads: 1, Nodes: 1}}, "gaps between APIC IDs"},
		{vm.Config{Memory: gib, Topology: vm.Topology{Sockets: 16, Cores: 1, Threads: 1, Nodes: 16}}, "want 128 MiB in each"},
		{vm.Config{Topology: vm.Topology{Sockets: 1, Cores: 2, Threads: 1, Nodes: 2}}, "cannot be divided among 2 nodes"},
	} {
		if err := c.cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d on %q: %v", c.cfg.CPUs, c.cfg.Platform, err)
		}
	}
}

// Processors that nobody starts wait, and a guest that does not know of them is as ever.
func TestProcessorsThatNobodyStarts(t *testing.T) {
	line := "hold=32M"
	b := boot(t, vm.Config{Memory: gib, CPUs: 8, CommandLine: &line})
	if b.Outcome != record.PowerOff {
		t.Errorf("%s: %+v", b.Outcome, b.Diagnosis)
	}
}
