package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/record"
)

// readInitrd reads a file that has to fit into the guest's memory, and into what the run may take of the host's; 0 is
// not known.
func readInitrd(ctx context.Context, path string, memory, host uint64) ([]byte, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	switch {
	case uint64(size) > memory:
		return nil, fmt.Errorf("%s: larger than the guest's memory of %s", path, record.FormatBytes(memory))
	case host != 0 && uint64(size) > host:
		return nil, fmt.Errorf("%s: larger than the %s that the run may take of the host's memory (--max-host-memory)", path, record.FormatBytes(host))
	}
	const piece = 16 << 20
	b := make([]byte, size)
	for at := int64(0); at < size; at += piece {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(file, b[at:min(at+piece, size)]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return b, nil
}
