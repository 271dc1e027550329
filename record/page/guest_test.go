package page

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

const (
	mebi = uint64(1) << 20
	gibi = uint64(1) << 30
)

// A guest is one that happens in a test: it tells a log and a recorder what a machine would.
type guest struct {
	memory   uint64
	log      *record.Log
	recorder timeline.Recorder
	now      int64
	stack    []uint64
	names    map[uint64]string

	accepted, shared, given, touched uint64
}

// newGuest is a machine with so much memory, from 0 to 2 GiB and on from 4 GiB.
func newGuest(memory uint64) *guest {
	g := &guest{memory: memory, log: record.NewLog(nil), names: map[uint64]string{}}
	ram := []timeline.Area{{Start: 0, End: min(memory, 2*gibi)}}
	if memory > 2*gibi {
		ram = append(ram, timeline.Area{Start: 4 * gibi, End: 2*gibi + memory})
	}
	g.recorder.Start(memory, ram)
	g.log.Watch(&g.recorder)
	g.log.FindStacks(record.Stacks{
		Addresses: func() []uint64 { return g.stack },
		Name:      func(a uint64) string { return g.names[a] + "+0x10" },
	})
	return g
}

func (g *guest) stamp() record.Stamp {
	return record.Stamp{VirtualNS: g.now, Instructions: uint64(g.now)}
}

func (g *guest) sample() {
	g.recorder.Take(timeline.Sample{
		NS: g.now, Given: g.given, Accepted: g.accepted, Shared: g.shared, Unaccepted: g.memory - g.accepted - g.shared, Touched: g.touched,
	}, g.log.Counted())
}

// asks sets who asks from now on: the innermost first.
func (g *guest) asks(functions ...string) {
	g.stack = nil
	for _, f := range functions {
		a := uint64(len(g.names) + 1)
		for known, name := range g.names {
			if name == f {
				a = known
			}
		}
		g.names[a] = f
		g.stack = append(g.stack, a)
	}
}

// accepts accepts a stretch of memory page by page.
func (g *guest) accepts(by record.Agent, gpa, bytes uint64, size physical.PageSize) {
	for end := gpa + bytes; gpa < end; gpa += size.Bytes() {
		g.now += 416_000
		g.log.Call(record.Called{Stamp: g.stamp(), Interface: record.HostExit, Name: "EPT_VIOLATION"})
		g.log.Add(record.Added{Stamp: g.stamp(), GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size})
		g.log.Accept(record.Accepted{Stamp: g.stamp(), By: by, GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size, NS: 416_000})
		g.given, g.accepted, g.touched = g.given+size.Bytes(), g.accepted+size.Bytes(), g.touched+size.Bytes()/4
		if g.now >= g.recorder.Next() {
			g.sample()
		}
	}
}

func (g *guest) shares(gpa, bytes uint64) {
	g.now += 1000
	g.log.Convert(record.Converted{Stamp: g.stamp(), GPA: record.Address(gpa), Bytes: bytes, To: physical.Shared})
	g.accepted, g.given, g.shared = g.accepted-bytes, g.given-bytes, g.shared+bytes
	g.sample()
}

func (g *guest) marks(p record.Phase) {
	g.now += 1000
	g.log.Mark(record.Marked{Stamp: g.stamp(), Phase: p, Unaccepted: g.memory - g.accepted - g.shared})
	g.sample()
}

func (g *guest) says(format string, args ...any) {
	g.now += 1000
	g.log.Say(record.Said{Stamp: g.stamp(), Text: fmt.Sprintf(format, args...)})
}

// ends returns what there is of the guest when it has switched itself off.
func (g *guest) ends() (*record.Record, *timeline.Timeline) {
	g.marks(record.End)
	r := g.log.Record()
	r.Image = record.Image{Kernel: "6.12.0-test", SHA256: strings.Repeat("ab", 32)}
	r.Platform, r.MemoryBytes, r.Outcome, r.CostModel = "tdx", g.memory, record.PowerOff, "tdx-estimate-1"
	r.Config = record.Config{CommandLine: "console=ttyS0", FirmwarePolicy: "negotiate", FirmwareAcceptsBytes: 256 * mebi, HostPageBytes: 2 * mebi}
	r.Acceptance.By.Firmware.Name, r.Acceptance.By.Stub.Name, r.Acceptance.By.Kernel.Name = "firmware", "EFI stub", "kernel"
	r.Negotiation = record.Negotiation{Offered: true, LookedUpBy: []string{"6.12.0-test"}, AllowedBy: []string{"6.12.0-test"}, ExitBootServices: 1}
	r.Host = record.Host{WallNS: 1, MIPS: 1, PeakRSSBytes: 1}
	return r, g.recorder.Timeline()
}

// booted is an ordinary boot with 4 GiB: firmware accepts 256 MiB, the EFI stub 4, the kernel 320 above 4 GiB and 64 MiB
// more after init; then it shares 64 of them.
func booted() (*record.Record, *timeline.Timeline) {
	g := newGuest(4 * gibi)
	g.marks(record.FirmwareStart)
	g.accepts(record.Firmware, 0, 256*mebi, physical.Size2M)
	g.marks(record.StubEntry)
	g.asks("handle_unaccepted", "efi_stub_entry")
	g.accepts(record.Running, 256*mebi, 4*mebi, physical.Size4K)
	g.log.Call(record.Called{Stamp: g.stamp(), Interface: record.UEFI, Name: "ExitBootServices", Status: "EFI_SUCCESS"})
	g.marks(record.ExitBootServices)
	g.marks(record.KernelEntry)
	g.says("Linux version 6.12.0-test")
	g.asks("__tdcall", "accept_memory", "memblock_alloc", "sparse_init", "paging_init", "start_kernel")
	g.accepts(record.Running, 4*gibi, 256*mebi, physical.Size2M)
	g.says("sparse: initialised")
	g.asks("__tdcall", "accept_memory", "alloc_pages", "kernfs_new_node", "sysfs_add_file", "kernel_init")
	g.accepts(record.Running, 4*gibi+256*mebi, 64*mebi, physical.Size2M)
	g.marks(record.Init)
	g.says("Run /init as init process")
	g.asks("__tdcall", "accept_memory", "alloc_pages", "do_anonymous_page", "exc_page_fault")
	g.accepts(record.Running, 4*gibi+320*mebi, 64*mebi, physical.Size2M)
	g.shares(4*gibi, 64*mebi)
	g.now -= 1000 // the same instant: what has just happened counts
	g.marks(record.Report)
	return g.ends()
}

// written is the page of a run.
func written(t testing.TB, r *record.Record, tl *timeline.Timeline) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, tl); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
