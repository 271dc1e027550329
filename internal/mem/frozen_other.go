//go:build unix && !linux

package mem

import (
	"errors"
	"os"
)

// namelessFile makes a file that is gone with the last who has it open.
func namelessFile() (*os.File, error) {
	f, err := os.CreateTemp("", "guest-memory-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
