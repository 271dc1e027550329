//go:build !linux && !darwin

package codemem

func reserve(_, _ int) (*mappings, error) { return nil, errUnsupported }

func (m *mappings) write(int, []byte) error { return errUnsupported }
func (m *mappings) release() error          { return nil }
