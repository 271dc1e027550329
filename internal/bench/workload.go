package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Workload is something that can be run again and again, doing the same each time.
type Workload struct {
	Name  string
	About string
	Unit  string // of its rate: MIPS, million instructions a second; or MB/s, million bytes a second

	// Prepare gets what the runs need, outside the time that is measured; it may be nil.
	Prepare func(ctx context.Context) error

	// Run does it once and returns how much was done, in instructions or bytes.
	Run func(ctx context.Context) (work uint64, err error)
}

// Units of rates.
const (
	MIPS          = "MIPS"
	MegabytesRate = "MB/s"
)

// instructionsPerRun is about how many instructions a run of a loop executes, or bytesPerRun how many bytes it moves.
const (
	instructionsPerRun = 50_000_000
	bytesPerRun        = 1 << 30
)

// Workload returns the loop as a workload.
func (l *Loop) Workload() Workload {
	w := Workload{Name: l.Name, About: l.About, Unit: MIPS}
	n, work := instructionsPerRun/l.turn, l.turn
	if l.Bytes != 0 {
		w.Unit, work = MegabytesRate, l.Bytes
		n = min(n, bytesPerRun/l.Bytes)
	}
	w.Run = func(context.Context) (uint64, error) {
		m, err := newMachine(l, 0)
		if err != nil {
			return 0, err
		}
		return n * work, errors.Join(m.run(n), m.close())
	}
	return w
}

// Boot returns a whole boot as a workload: of the machine that configure describes, from its first instruction to
// power-off.
func Boot(name, about string, configure func(ctx context.Context) (vm.Config, error)) Workload {
	var cfg vm.Config
	w := Workload{Name: name, About: about, Unit: MIPS}
	w.Prepare = func(ctx context.Context) (err error) {
		cfg, err = configure(ctx)
		return err
	}
	w.Run = func(ctx context.Context) (uint64, error) {
		r, err := vm.Run(ctx, cfg)
		switch {
		case err != nil:
			return 0, err
		case r.Outcome == record.Cancelled:
			return 0, context.Canceled
		case r.Outcome != record.PowerOff:
			return 0, fmt.Errorf("the boot ended with %s, not with %s", r.Outcome, record.PowerOff)
		}
		return r.Instructions, nil
	}
	return w
}
