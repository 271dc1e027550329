package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
)

// parallel has sixteen goroutines compute, allocate, collect, map memory and give it back at the same time, on as many
// processors as there are.
func parallel() error {
	const workers, rounds = 16, 12
	sums := make([][32]byte, workers)
	errs := make([]error, workers)
	results := make(chan uint32, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for r := range rounds {
				var kept [][]byte
				for i := range 64 {
					b := make([]byte, 4<<10)
					binary.LittleEndian.PutUint64(b, uint64(w<<16|r<<8|i))
					kept = append(kept, b)
				}
				if r%6 == w%6 {
					runtime.GC()
				}
				sums[w] = sha256.Sum256(append(sums[w][:], slices.Concat(kept...)...))
				if err := mapped(byte(w + r)); err != nil {
					errs[w] = err
				}
				results <- binary.LittleEndian.Uint32(sums[w][:])
			}
		})
	}
	go func() { all.Wait(); close(results) }()
	total := uint32(0)
	for v := range results {
		total += v
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	fmt.Printf("%x %x\n", total, sha256.Sum256(fmt.Append(nil, sums)))
	return nil
}

// mapped maps memory, which has to be zeros, writes to it and gives it back: what another goroutine writes to its own, with a
// translation that is no longer good, would show.
func mapped(mark byte) error {
	const size, page = 256 << 10, 4 << 10
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	for round := range 2 {
		for i := 0; i < size; i += page {
			if b[i] != 0 || b[i+1] != 0 {
				return fmt.Errorf("new memory holds %d, round %d", b[i], round)
			}
			b[i] = mark
		}
		for i := 0; i < size; i += page {
			if b[i] != mark {
				return fmt.Errorf("memory holds %d and not %d", b[i], mark)
			}
		}
		if err := syscall.Madvise(b, syscall.MADV_DONTNEED); err != nil {
			return err
		}
	}
	return syscall.Munmap(b)
}
