package tdx

// Processor executes the instructions on this processor. It has to be that of a TD, at CPL 0: anywhere else TDCALL
// raises #UD or #GP.
//
// While TDCALL is under way R14 does not hold the running goroutine, as Go code expects, but what the call passes: an
// interrupt handler that is Go must not take it from there.
type Processor struct{}

// TDCALL implements [Instructions].
func (Processor) TDCALL(r *Registers) { tdcall(r) }

//go:noescape
func tdcall(r *Registers)
