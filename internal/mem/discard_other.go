//go:build unix && !linux

package mem

func keepSmallPages([]byte) error { return nil }

// discard clears pages. Only Linux promises zeros from madvise, so elsewhere the host keeps the memory.
func discard(b []byte) error {
	clear(b)
	return nil
}
