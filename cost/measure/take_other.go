//go:build !(linux && amd64)

package measure

import (
	"context"
	"errors"
)

// Take measures where the program runs, which has to be Linux on x86-64.
func Take(context.Context, Options) (Set, error) {
	return Set{}, errors.New("measuring is for Linux on x86-64, inside a guest")
}
