package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
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

	// Close gives back what Prepare got; it may be nil.
	Close func()

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

// size returns how many turns of the loop a run has, and how much work each is.
func (l *Loop) size() (turns, work uint64) {
	if l.Bytes != 0 {
		return min(instructionsPerRun/l.turn, bytesPerRun/l.Bytes), l.Bytes
	}
	return instructionsPerRun / l.turn, l.turn
}

// Workload returns the loop under an engine as a workload.
func (l *Loop) Workload(engine x86.EngineKind) Workload {
	w := Workload{Name: l.Name, About: l.About, Unit: MIPS}
	if l.Bytes != 0 {
		w.Unit = MegabytesRate
	}
	n, work := l.size()
	w.Run = func(context.Context) (uint64, error) {
		m, err := newMachine(l, engine, 0)
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
		if err == nil {
			err = endsWell(r)
		}
		if err != nil {
			return 0, err
		}
		return r.Instructions, nil
	}
	return w
}

// endsWell says what is wrong with a boot that did not end as it should.
func endsWell(r *record.Record) error {
	switch r.Outcome {
	case record.PowerOff:
		return nil
	case record.Cancelled:
		return context.Canceled
	}
	return fmt.Errorf("the boot ended with %s, not with %s", r.Outcome, record.PowerOff)
}
