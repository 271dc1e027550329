//go:build !linux || !amd64

package bench

import (
	"context"
	"errors"
)

const canRunNatively = false

// native runs n turns of the loop on the host's processor.
func (l *Loop) native(context.Context, uint64) (Usage, error) {
	return Usage{}, errors.New("loops run natively on Linux on amd64")
}
