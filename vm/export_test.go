package vm

import "context"

// Steps goes on by as many steps of the run's loop as short as there are: an instruction, or a piece of a service of
// firmware's. It returns how the run has ended, or nil.
func (m *Machine) Steps(ctx context.Context, n int) error {
	for range n {
		if err := m.overdue(); err != nil {
			return err
		}
		if err := m.guarded(func() error { return m.step(ctx, m.Now()+1) }); err != nil {
			return err
		}
	}
	return nil
}

// Instructions returns how many have completed.
func (m *Machine) Instructions() uint64 { return m.stamp().Instructions }
