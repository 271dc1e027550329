package device

import "errors"

// Where the devices are, for the ACPI tables and for the programs that look for them without. The ports are the PC's
// own; the sleep registers' are this machine's choice, free on a PC.
//
// An IRQ is the pin of the I/O APIC and the global system interrupt: GSIs start at 0 and no source is overridden. All
// are to be described as level-triggered and active high. Edge-triggered works too, as long as the driver is there
// before the interrupt: an edge on a masked pin is lost.
const (
	COM1Port = 0x3F8
	COM2Port = 0x2F8
	COM1IRQ  = 4
	COM2IRQ  = 3

	RTCPort = 0x70
	RTCIRQ  = 8

	pitPort = 0x40

	SleepControlPort = 0x600 // FADT SLEEP_CONTROL_REG, one byte of system I/O
	SleepStatusPort  = 0x601 // FADT SLEEP_STATUS_REG
	ResetPort        = 0xCF9 // FADT RESET_REG, with ResetValue
	keyboardPort     = 0x64  // of commands

	IOAPICBase = 0xFEC00000
	ioapicSize = 0x1000
	IOAPICID   = 0 // in the MADT; the register says so too

	HPETBase = 0xFED00000
	HPETSize = 0x400
)

// Config says what a Board needs from the machine.
type Config struct {
	Clock    Clock
	RTCStart int64 // Unix time in seconds that the CMOS clock shows at first, 0 to rtcStartMax

	// COM1 and COM2 take each byte that the guest transmits. With nil it is lost.
	COM1, COM2 func(byte)

	// PowerOff and Reset are called in the middle of the guest's write. They note what is asked for; the machine stops
	// after the instruction.
	PowerOff, Reset func()

	LocalAPICs LocalAPICs

	// DebugExit is called with what a program writes to DebugExitPort, in the middle of that; port 0 has no such device.
	DebugExit     func(code uint32)
	DebugExitPort uint16

	// Program is what fw_cfg tells; nil means that there is none. It tells by way of Memory, too, unless that is nil.
	Program *Program
	Memory  Memory

	HPET bool // there are high precision event timers

	// Power is there for firmware in the guest: the registers of a PC's power management.
	Power bool

	// DebugConsole takes what firmware in the guest logs; nil means that there is no such device.
	DebugConsole func(byte)

	// INTR is the processor's interrupt input, for a pair of 8259A; nil means that there are none.
	INTR Line
}

// Board is the standard set of devices on one bus.
type Board struct {
	Bus
	COM1, COM2 *UART
	RTC        *RTC
	IOAPIC     *IOAPIC
	PIC        *PIC   // nil where Config.INTR is
	fwCfg      *FWCfg // nil where Config.Program is
	hpet       *HPET  // nil without Config.HPET
	power      *Power // nil without Config.Power

	pit   *PIT
	sleep *SleepRegister
	reset *ResetRegister

	timers Timers
}

// NewBoard builds a board. It fails if the configuration lacks anything but the functions of COM1 and COM2, or if
// RTCStart is out of range.
func NewBoard(config Config) (*Board, error) {
	if config.Clock == nil || config.PowerOff == nil || config.Reset == nil || config.LocalAPICs == nil {
		return nil, errors.New("device: a board needs Clock, PowerOff, Reset and LocalAPICs")
	}
	ioapic := newIOAPIC(config.LocalAPICs)
	var pic *PIC
	line := ioapic.Line
	if config.INTR != nil { // an interrupt's line goes to both controllers
		pic = newPIC(config.INTR)
		line = func(irq int) Line {
			one, other := ioapic.Line(irq), pic.Line(irq)
			return func(asserted bool) { one(asserted); other(asserted) }
		}
	}
	clockLine := line(RTCIRQ)
	var hpet *HPET
	if config.HPET {
		hpet = newHPET(config.Clock)
		hpet.lines[hpetTimerLine] = ioapic.Line(hpetTimerPin)
		if pic != nil {
			one, other := ioapic.Line(hpetTimerPin), pic.Line(hpetTimerLine)
			hpet.lines[hpetTimerLine] = func(asserted bool) { one(asserted); other(asserted) }
		}
		hpet.lines[RTCIRQ], clockLine = clockLine, hpet.clockLine
		for pin := hpetFirstPin; pin < hpetFirstPin+hpetPins; pin++ {
			hpet.lines[pin] = ioapic.Line(pin)
		}
	}
	rtc, err := newRTC(config.Clock, clockLine, config.RTCStart)
	if err != nil {
		return nil, err
	}
	b := &Board{
		COM1:   newUART(line(COM1IRQ), config.COM1),
		COM2:   newUART(line(COM2IRQ), config.COM2),
		RTC:    rtc,
		IOAPIC: ioapic,
		PIC:    pic,
		pit:    &PIT{},
		sleep:  newSleepRegister(config.PowerOff),
		reset:  newResetRegister(config.Reset),
		hpet:   hpet,
		timers: Timers{rtc},
	}
	type ports struct {
		first, count uint16
		device       PortDevice
	}
	devices := []ports{
		// The console first: the bus looks for devices in this order.
		{COM1Port, uartPorts, b.COM1},
		{COM2Port, uartPorts, b.COM2},
		{RTCPort, rtcPorts, b.RTC},
		{pitPort, pitPorts, b.pit},
		{nmiStatusPort, 1, b.pit.NMIStatus()},
		{SleepControlPort, SleepStatusPort - SleepControlPort + 1, b.sleep},
		{ResetPort, 1, b.reset},
		{keyboardPort, 1, &pulseRegister{config.Reset}},
	}
	if pic != nil {
		devices = append(devices, ports{picPort, picPorts, pic.Chip(0)}, ports{picSlavePort, picPorts, pic.Chip(1)}, ports{elcrPort, elcrPorts, pic.ELCR()})
	}
	if config.Program != nil {
		if b.fwCfg, err = newFWCfg(config.Program, config.Memory); err != nil {
			return nil, err
		}
		devices = append(devices, ports{FWCfgPort, fwCfgPorts, b.fwCfg})
	}
	if config.DebugExitPort != 0 {
		devices = append(devices, ports{config.DebugExitPort, debugExitPorts, &DebugExit{exit: config.DebugExit}})
	}
	if config.Power {
		b.power = &Power{clock: config.Clock, powerOff: config.PowerOff}
		devices = append(devices, ports{powerControlPort, powerPorts, b.power})
	}
	if config.DebugConsole != nil {
		devices = append(devices, ports{debugConsolePort, 1, debugConsole{config.DebugConsole}})
	}
	for _, d := range devices {
		if err := b.MapPorts(d.first, d.count, d.device); err != nil {
			return nil, err
		}
	}
	if hpet != nil {
		b.AddTimer(hpet)
		if err := b.MapMemory(HPETBase, HPETSize, hpet); err != nil {
			return nil, err
		}
	}
	return b, b.MapMemory(IOAPICBase, ioapicSize, b.IOAPIC)
}

// Publish has fw_cfg tell of these files, in the order of their names, in place of those of Config.Program. It is for the machine
// that is put together, before it runs.
func (b *Board) Publish(files []File) error { return b.fwCfg.publish(files) }

// EOI tells the board that a local APIC broadcast the end of a level-triggered interrupt.
func (b *Board) EOI(vector uint8) { b.IOAPIC.EOI(vector) }

// AddTimer has a device that has been mapped on the bus besides the board's own act when its time comes, after those.
func (b *Board) AddTimer(t Timer) { b.timers = append(b.timers, t) }

// NextEvent implements Timer, over all devices of the board.
func (b *Board) NextEvent() (ns int64, ok bool) { return b.timers.NextEvent() }

// Advance implements Timer, over all devices of the board.
func (b *Board) Advance(now int64) { b.timers.Advance(now) }
