package vm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
)

// A frozen machine is what forks are made of, until the machine goes on.
type frozen struct {
	memory *mem.Frozen
	parts  []byte // their state, as a file of sections
}

// Fork makes another machine that stands where this one stands, and goes on by itself. Of cfg counts what counts for
// [Load]. The two share memory until one of them writes to it: a fork costs milliseconds, but for the first after a
// [Machine.Run], which copies what the guest has written to. Each is to be closed.
//
// What the machine's console, events and records have had before the fork, the fork's have not; its record is about the
// whole run.
func (m *Machine) Fork(cfg Config) (*Machine, error) {
	if err := m.savable(); err != nil {
		return nil, err
	}
	if m.frozen == nil {
		if err := m.freeze(); err != nil {
			return nil, err
		}
	}
	own := m.cfg
	if cfg.Disks != nil {
		return nil, errMachineGiven
	}
	attacked := own.HostAttack != ""
	if err := own.resume(cfg); err != nil {
		return nil, err
	}
	fork, err := newMachine(own, func(uint64) (*mem.Memory, error) { return m.frozen.memory.New() })
	if err != nil {
		return nil, err
	}
	fork.shareSums(m)
	f := state.NewReader(bytes.NewReader(m.frozen.parts))
	if err := errors.Join(fork.readParts(f, attacked), f.End()); err != nil {
		fork.Close()
		return nil, fmt.Errorf("BUG: a machine that cannot be forked: %w", err)
	}
	return fork, nil
}

// freeze makes what forks are made of.
func (m *Machine) freeze() error {
	memory, err := m.memory.Freeze()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	f := state.NewWriter(&b)
	for _, p := range m.parts() {
		f.Write(p.section, p.version, p.carry)
	}
	if err := f.End(); err != nil {
		return errors.Join(err, memory.Close())
	}
	m.frozen = &frozen{memory, b.Bytes()}
	return nil
}

// thaw forgets it.
func (m *Machine) thaw() {
	if m.frozen != nil {
		_ = m.frozen.memory.Close() // nothing was left to be written
		m.frozen = nil
	}
}
