package vm

import (
	"fmt"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest/report"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/device/pci"
	"github.com/tacit-vm/tacit/internal/disk"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A Machine is a guest's world: one that can be run until something happens, looked at, saved, and run on. [Run] is for
// those who want none of that. A Machine is for one goroutine at a time.
type Machine struct {
	cfg      Config
	log      *record.Log
	ram      []accept.Range
	memory   *mem.Memory
	board    *device.Board
	platform *platform
	cpus     []*x86.CPU
	schedule schedule
	boot     boot

	console console
	names   names

	lastStack lastStack
	report    report.Parser
	books     books
	toInit    *cost.Tally // what virtual time had gone to at init; nil before

	started  bool           // firmware has started the image
	arranged bool           // and what the configuration asks for is arranged
	over     error          // how the run has ended; nil while it can go on
	record   *record.Record // of the run that has ended
	event    Event          // at which the run is to stop
	before   uint64         // instructions that had completed when the machine was loaded
	ran      time.Duration  // how long it has run on the host
	frozen   *frozen        // what forks are made of; nil where none has been made here
	since    time.Time      // from when on Config.MaxWall counts; zero before the first Run

	ended  error // how the guest ended the run from within an instruction, such as a device's power-off; nil before
	exited bool  // the mark of ExitBootServices has been made

	kernelPath kernelPath
	up         *record.Up // it has come up; nil before
	disks      []*disk.Overlay

	pci     *pci.Bus    // nil where there is none
	plugged []pciDevice // what is on it

	soughtMoment bool // a breakpoint is where Config.HostAttack begins
	sums         *sums
	budget       hostBudget
	grown        grown
	full         bool // that is more than budget has for it

	appointments []appointment // in the order of time
	trace        *tracer       // nil while nothing is traced
	unfinished   *tracer       // of a trace that was under way when the machine was saved; nil where none was
	debug        *debugger     // nil where there is no gdb
	lockstep     *lockstep     // nil where one engine is enough
	sampler      *sampler      // nil where what happens over time is not wanted
	keyboard     keyboard
}

// New makes a machine that nothing has happened to: [Machine.Run] is next. [Machine.Close] gives back what it takes of
// the host's memory.
func New(cfg Config) (*Machine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.knowKept(); err != nil {
		return nil, err
	}
	return newMachine(cfg, mem.New)
}

// newMachine makes a machine of a complete configuration, with memory that newMemory makes.
func newMachine(cfg Config, newMemory func(size uint64) (*mem.Memory, error)) (m *Machine, err error) {
	m = &Machine{cfg: cfg, log: record.NewLog(cfg.Events), ram: physical.RAM(cfg.Memory), console: console{out: cfg.Console, giveUp: neverGiveUp}}
	m.console.now, m.console.onLast, m.console.heard = m.Now, m.panicked, m.heedUp
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if err = m.insertDisks(); err != nil {
		return m, err
	}
	if m.budget, err = cfg.budget(); err != nil {
		return m, err
	}
	size := max(m.ram[len(m.ram)-1].End, cfg.videoMemory().AlignOut(accept.UnitSize).End)
	if cfg.isStock() {
		size = max(size, physical.HighStart)
	}
	if m.memory, err = newMemory(size); err != nil {
		return m, err
	}
	m.count(m.memory, 1, &m.grown.pages)
	board := device.Config{
		Clock: m, RTCStart: rtcStart, LocalAPICs: m,
		COM1: m.console.put, COM2: m.putReport,
		PowerOff: func() { m.end(errSleep) },
		Reset:    func() { m.end(errReset) },

		Program:       m.program(),
		Memory:        dma{m},
		HPET:          cfg.HPET,
		DebugExitPort: cfg.DebugExit, DebugExit: func(code uint32) { m.end(&exitError{code}) },
	}
	if cfg.isStock() {
		board.Power, board.DebugConsole = true, m.console.put
	}
	if m.hasPIC() {
		board.INTR = func(asserted bool) {
			m.cpus[0].APIC.INTR(asserted)
			m.alert(0)
		}
	}
	if m.board, err = device.NewBoard(board); err != nil {
		return m, err
	}
	m.report.OnMark = m.mark
	if cfg.Callers {
		m.log.FindStacks(record.Stacks{Addresses: m.stack, Name: m.placeOf})
	}
	if cfg.CPUs > 1 {
		m.log.CountProcessors(cfg.CPUs)
	}
	if m.platform, err = platforms[cfg.Platform].make(m); err != nil {
		return m, err
	}
	if m.boot, err = m.newBoot(); err != nil {
		return m, err
	}
	if err = m.plug(); err != nil {
		return m, err
	}
	m.count(m.boot, 1, &m.grown.firmware)
	if m.platform.states != nil {
		m.count(m.platform.states, 2, &m.grown.states)
	}
	m.debug, m.sampler = m.newDebugger(), m.newSampler()
	m.keyboard = keyboard{m: m, live: cfg.Keyboard, replay: cfg.Replay}
	m.schedule = newSchedule(&cfg)
	processor := x86.Config{
		Topology: m.cfg.Topology, Memory: m.memory, Platform: m.sampler.observe(m.platform), Bus: bus{m}, Traps: m.boot,
		Cost: cfg.Cost, TSCHz: tscHz, LA57: cfg.LA57, BlockLimit: cfg.BlockLimit, Seed: cfg.Seed, EFER: m.platform.efer, BusLocks: m.platform.busLocks,
		CodeBytes: int(m.budget.code / 2), Engine: cfg.engine(), TranslateAfter: cfg.TranslateAfter,
	}
	if h := m.platform.cheat; h != nil {
		processor.NoRandom = h.NoRandom()
	}
	if cfg.isStock() && cfg.Platform != TDX { // whose module says what it is
		processor.TimerHz = stockTimerHz
	}
	if cfg.CPUs > 1 {
		processor.LockHint = m.lockHint()
		processor.LastTSC, processor.Queue, processor.Hint = &m.schedule.lastTSC, m.schedule.queue, m.hint
		processor.Spins = m.platform.cheat == nil && !cfg.noSpins // a host that changes memory between two reads counts reads
	}
	for id := range cfg.CPUs {
		processor.ID = id
		m.cpus = append(m.cpus, x86.New(processor))
	}
	m.cfg.Kept = nil // which would hold the changes a second time
	m.console.pause = func() { m.cpu().Pause() }
	for _, c := range m.cpus {
		c.APIC.OnIPI(func(ipi x86.IPI) { m.send(c, ipi) })
		c.APIC.OnEOI(m.board.EOI)
		if m.board.PIC != nil {
			c.APIC.OnINTA(m.board.PIC.Acknowledge)
		}
	}
	return m, nil
}

// hasPIC says whether there is a pair of 8259: a TD has none, since only the TDX module could inject their
// interrupts, and QEMU leaves them out (target/i386/kvm/tdx.c).
func (m *Machine) hasPIC() bool { return m.cfg.Platform != TDX }

// tscHz makes the TSC count virtual nanoseconds.
const tscHz = 1_000_000_000

// Close gives back the memory that the machine takes. Nothing can be done with it afterwards. Closing it twice does
// nothing.
func (m *Machine) Close() {
	m.thaw()
	if m.lockstep != nil {
		m.lockstep.follower.Close()
	}
	if m.sums != nil {
		m.sums.giveUp()
	}
	if m.memory != nil {
		_ = m.memory.Close() // unmapping what was mapped cannot fail
	}
}

// acpi describes the board to the operating system.
func (m *Machine) acpi() acpi.Machine {
	var poke *acpi.Poke
	if h := m.platform.cheat; h != nil {
		if address, value, wants := h.Poke(); wants {
			poke = &acpi.Poke{Address: address, Value: value}
		}
	}
	return acpi.Machine{
		Poke:          poke,
		PCI:           m.pciACPI(),
		FWCfgPort:     device.FWCfgPort,
		HPET:          m.hpetACPI(),
		CPUs:          m.cfg.CPUs,
		APICID:        m.cfg.Topology.APICID,
		Nodes:         m.nodes(),
		IOAPICAddress: device.IOAPICBase, IOAPICID: device.IOAPICID,
		UARTs:            []acpi.UART{{Port: device.COM1Port, GSI: device.COM1IRQ}, {Port: device.COM2Port, GSI: device.COM2IRQ}},
		RTC:              &acpi.RTC{Port: device.RTCPort, GSI: device.RTCIRQ, Century: device.RTCCentury},
		SleepControlPort: device.SleepControlPort, SleepStatusPort: device.SleepStatusPort, SleepTypeS5: device.SleepTypeS5,
		ResetPort: device.ResetPort, ResetValue: device.ResetValue,
	}
}

// Deliver takes an interrupt from the I/O APIC to the processors that it is for (delivery modes: SDM vol. 3, 11.6.1).
func (m *Machine) Deliver(dest uint32, logical bool, vector uint8, mode uint8, level bool) {
	const fixed, lowestPriority, nmi = 0, 1, 4
	if mode != fixed && mode != lowestPriority && mode != nmi {
		return // SMI, INIT and ExtINT have no source on this board
	}
	isFor := func(c *x86.CPU) bool { return c.APIC.Accepts(dest, logical) }
	if mode == lowestPriority {
		m.deliverToOne(isFor, vector, level)
		return
	}
	for id, c := range m.cpus {
		if isFor(c) {
			if mode == nmi {
				c.NMI()
			} else {
				c.APIC.Deliver(vector, level)
			}
			m.alert(id)
		}
	}
}

// forget makes every processor forget frames whose state has changed.
func (m *Machine) forget(p physical.Plane, start, end uint64) {
	for _, c := range m.cpus {
		c.Forget(p, start, end)
	}
}

// end notes how the guest ends the run, from within an instruction.
func (m *Machine) end(why error) {
	if m.ended == nil {
		m.ended = why
		m.cpu().Stop(why)
	}
}

func (m *Machine) reached(p record.Phase) {
	if p == record.Init && m.toInit == nil {
		m.toInit = new(m.tally())
	}
	m.log.Mark(record.Marked{Stamp: m.stamp(), Phase: p, Unaccepted: m.platform.unaccepted()})
}

// newRecord starts the record with what was configured.
func (m *Machine) newRecord() *record.Record {
	r := m.log.Record()
	m.sums.wait()
	r.Image = record.Image{Kernel: m.cfg.Image.Name, SHA256: m.sums.image}
	r.Platform, r.MemoryBytes, r.CostModel = m.cfg.Platform, m.cfg.Memory, m.cfg.Cost.Name()
	r.Costs = m.costs()
	r.Config = record.Config{
		CPUs: m.cfg.CPUs, Topology: m.cfg.Topology.String(), Schedule: m.cfg.Schedule, ScheduleSeed: m.cfg.ScheduleSeed, CommandLine: m.cfg.kernelArguments(), Firmware: m.cfg.Firmware.Name, FirmwareSHA256: m.sums.firmware, FirmwareAcceptsBytes: m.cfg.FirmwareAccepts,
		FirmwarePolicy: m.cfg.FirmwarePolicy, Misalign: m.cfg.Misalign,
		HostPageBytes: m.cfg.HostPage, TouchBytes: m.cfg.Touch, Seed: m.cfg.Seed, MaxInstructions: m.cfg.MaxInstructions,
		MaxVirtualNS: max(m.cfg.MaxVirtual.Nanoseconds(), 0),
		HostAttack:   m.cfg.HostAttack, FirmwareLie: m.cfg.FirmwareLie, UnacceptedTable: m.cfg.UnacceptedTable,
		DebugExitPort: m.cfg.DebugExit, LA57: m.cfg.LA57, HPET: m.cfg.HPET, Screen: m.cfg.Screen.String(),
		OverlaySHA256: m.cfg.keptSum, Restarts: m.cfg.restarts,
	}
	by := &r.Acceptance.By
	by.Firmware.Name, by.Stub.Name, by.Kernel.Name = "firmware", m.stubName(), "kernel"
	r.Lie = m.lie()
	if h := m.platform.cheat; h != nil {
		r.Attack = h.Report()
	}
	n := m.boot.Negotiation()
	r.Negotiation = record.Negotiation{
		Offered: n.Offered, LookedUpBy: n.LookedUpBy, AllowedBy: n.AllowedBy,
		AcceptedAtExit: n.AcceptedLate, ExitBootServices: n.ExitAttempts,
	}
	r.Devices = m.devices()
	r.Path = m.boot.Path()
	r.Path.Kernel = m.kernelPath.told
	r.Config.InputSHA256 = m.keyboard.digest()
	r.Config.InitrdSHA256 = m.sums.initrd
	r.Disks = m.disksOf()
	return r
}

// stubName says who it is that firmware starts: an EFI stub, where that belongs to a kernel, or else an application.
func (m *Machine) stubName() string {
	if _, unified := unifiedKernel(m.cfg.Image); unified || m.cfg.Image.Kind == image.BzImage {
		return "EFI stub"
	}
	return m.cfg.Image.Name
}

// An exitError is the end of a run by a program that has written a code to the port of [Config.DebugExit].
type exitError struct{ code uint32 }

func (e *exitError) Error() string {
	return fmt.Sprintf("the guest ended the run with code %#x", e.code)
}

var (
	errSleep = fmt.Errorf("the guest powered off through the sleep control register")
	errReset = fmt.Errorf("the guest reset the machine through port %#x, or as a keyboard controller does", device.ResetPort)
)
