package gdb

// A Target is a machine that stands still while its methods are called. Addresses are guest-virtual ones.
type Target interface {
	// CPUs returns the number of processors, at least 1; gdb sees each as a thread.
	CPUs() int

	// Registers and SetRegisters access a processor's registers. What the target does not let itself be given is an
	// error, and then nothing has changed.
	Registers(cpu int) Registers
	SetRegisters(cpu int, r *Registers) error

	// ReadMemory reads as the processor's page tables lead, and returns how many bytes could be read from the beginning
	// on. WriteMemory writes all or nothing.
	ReadMemory(cpu int, address uint64, p []byte) int
	WriteMemory(cpu int, address uint64, p []byte) error

	// SetPoints makes the machine stop at these points in place of those given before. Stopping there changes no memory
	// of the guest's.
	SetPoints(points []Point) error

	// Monitor does what gdb's command monitor asks for and returns what is to be printed.
	Monitor(command string) string
}

// A Point is a place at which to stop.
type Point struct {
	Kind    PointKind
	Address uint64
	Length  uint64 // bytes that are watched; of a breakpoint without meaning
}

// A PointKind is the number in the packets Z and z.
type PointKind uint8

// Kinds of points.
const (
	SoftwareBreak PointKind = iota
	HardwareBreak
	WriteWatch
	ReadWatch
	AccessWatch
	pointKinds
)

// A Reason is a signal, as gdb numbers them (include/gdb/signals.def): what a debugger shows as the cause of a stop.
type Reason uint8

// Reasons to stop.
const (
	Trap      Reason = 5  // SIGTRAP: a step, a point, or whatever else had been asked for
	Interrupt Reason = 2  // SIGINT: gdb asked the running machine to stop
	Fault     Reason = 11 // SIGSEGV: the guest did what ends it
	Abort     Reason = 6  // SIGABRT: the guest has given up
)

// A Stop is why a machine stands still.
type Stop struct {
	CPU    int
	Reason Reason // the zero value means Trap
	Watch  *Point // the watchpoint that was hit, with the address that was used
	Text   string // printed by gdb
}

// A How is the way in which gdb lets a machine go on.
type How uint8

// Ways to go on.
const (
	Continue How = iota
	Step         // one instruction of one processor
	Detached     // on its own: gdb is gone, and its points with it
	Killed       // not at all
)

// A Resume is how a machine is to go on.
type Resume struct {
	How        How
	CPU        int    // of a step
	Start, End uint64 // a step is to be repeated for as long as RIP is in [Start, End)
}
