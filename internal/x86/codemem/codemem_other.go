//go:build !linux && !darwin

package codemem

func reserve(_, _ int) (*mappings, error) { return nil, ErrUnsupported }

func (m *mappings) write(int, []byte) error { return ErrUnsupported }
func (m *mappings) release() error          { return nil }
