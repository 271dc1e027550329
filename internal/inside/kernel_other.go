//go:build !linux

package inside

import (
	"errors"
	"time"
)

// errNotLinux is for hosts that tacit runs on and that are no such guest.
var errNotLinux = errors.New("only a Linux guest has unaccepted memory to look after")

// ThisKernel is none.
type ThisKernel struct{}

// NewKernel fails.
func NewKernel() (*ThisKernel, error) { return nil, errNotLinux }

func (*ThisKernel) Books() (Books, error) { return Books{}, errNotLinux }
func (*ThisKernel) Room() (uint64, error) { return 0, errNotLinux }
func (*ThisKernel) Hold(uint64) error     { return errNotLinux }
func (*ThisKernel) Release() error        { return nil }

// Log fails.
func Log() (string, error) { return "", errNotLinux }

// SystemTime fails.
func SystemTime() (time.Duration, error) { return 0, errNotLinux }
