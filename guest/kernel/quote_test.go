//go:build linux && amd64

package kernel

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// A host's answer counts only where the quote that it speaks of fits into the buffer (GHCI 1.5, section 3.3).
func TestQuoteAnswer(t *testing.T) {
	const failed, unavailable, room = 1 << 63, 1<<63 + 1, quoteBuffer - abi.QuoteBody
	for _, c := range []struct {
		name             string
		status, in, out  uint64
		wantN, wantErrno uint64
	}{
		{"a quote", 0, reportBytes, 5000, 5000, 0},
		{"all of the buffer", 0, reportBytes, room, room, 0},
		{"an empty one", 0, reportBytes, 0, 0, 0},
		{"failed", failed, reportBytes, 5000, 0, eio},
		{"no service", unavailable, reportBytes, 0, 0, eio},
		{"a status of nobody's", 1, reportBytes, 5000, 0, eio},
		{"a byte too much", 0, reportBytes, room + 1, 0, eio},
		{"far too much", 0, reportBytes, 1<<32 - 1, 0, eio},
	} {
		if n, errno := quoteAnswer(c.status, c.in|c.out<<32); n != c.wantN || errno != c.wantErrno {
			t.Errorf("%s: %d bytes, error %d; want %d, %d", c.name, n, -errno, c.wantN, -c.wantErrno)
		}
	}
}

// On Linux, where programs that import the package run, too, there is no quote, and no wait.
func TestNoQuoteOnLinux(t *testing.T) {
	if quote, err := Quote([64]byte{}); !errors.Is(err, ErrNoQuote) || quote != nil {
		t.Errorf("%d bytes, %v", len(quote), err)
	}
}
