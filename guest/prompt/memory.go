//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tacit-vm/tacit/guest/kernel"
)

const (
	pageSize = 4096
	maxStorm = 64
)

// A prompt has what its commands have mapped.
type prompt struct {
	system  kernel.System
	mapped  [][]byte
	touched int // of them, from the first
}

// mapMemory maps memory that is neither Go's nor, yet, anybody's: pages come when they are touched.
func mapMemory(n uint64) ([]byte, error) {
	b, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mib(n), err)
	}
	return b, nil
}

func (p *prompt) alloc(n uint64) error {
	b, err := mapMemory(n)
	if err != nil {
		return err
	}
	p.mapped = append(p.mapped, b)
	fmt.Printf("mapped %s\n", mib(n))
	return nil
}

// touch writes to what has not been touched. A program that takes more than there is ends with its guest, which says so; so
// it looks first.
func (p *prompt) touch() error {
	var n uint64
	for _, b := range p.mapped[p.touched:] {
		n += uint64(len(b))
	}
	if n == 0 {
		return errors.New("nothing is mapped that has not been touched: alloc SIZE maps some")
	}
	if err := enough(n); err != nil {
		return err
	}
	before, began := books(), time.Now()
	for _, b := range p.mapped[p.touched:] {
		fill(b, 1)
	}
	p.touched = len(p.mapped)
	said(n, before, began)
	return nil
}

func (p *prompt) free() (err error) {
	var n uint64
	for _, b := range p.mapped {
		n += uint64(len(b))
		err = errors.Join(err, syscall.Munmap(b))
	}
	p.mapped, p.touched = nil, 0
	fmt.Printf("gave back %s\n", mib(n))
	return err
}

// storm has n threads touch memory of their own at the same time.
func (p *prompt) storm(n int, each uint64) error {
	if each > 1<<40/maxStorm {
		return fmt.Errorf("%s for each of %d is more than a guest has", mib(each), n)
	}
	if err := enough(uint64(n) * each); err != nil {
		return err
	}
	errs := make([]error, n)
	before, began := books(), time.Now()
	var all, filled sync.WaitGroup // nothing is given back before all have their memory
	filled.Add(n)
	for i := range n {
		all.Go(func() {
			b, err := mapMemory(each)
			if err == nil {
				fill(b, byte(i+1))
			}
			filled.Done()
			filled.Wait()
			if errs[i] = err; err == nil {
				errs[i] = errors.Join(check(b, byte(i+1)), syscall.Munmap(b))
			}
		})
	}
	all.Wait()
	said(uint64(n)*each, before, began)
	return errors.Join(errs...)
}

// enough says whether so much can be touched. The allocator's blocks are not all of the size that is wanted, and page
// tables take some.
func enough(n uint64) error {
	m := books()
	free := m.FreeAccepted + m.FreeUnaccepted
	if keep := free / 64; n > free-keep {
		return fmt.Errorf("%s are more than the %s that are free and not kept for page tables", mib(n), mib(free-keep))
	}
	return nil
}

func fill(b []byte, mark byte) {
	for i := 0; i < len(b); i += pageSize {
		b[i] = mark
	}
}

// check says what is not there any more of what fill has written, or what is where nothing was written.
func check(b []byte, mark byte) error {
	for i := 0; i < len(b); i += pageSize {
		if b[i] != mark || b[i+1] != 0 {
			return fmt.Errorf("DECEIVED: memory holds %#x %#x, and should hold %#x 0x0", b[i], b[i+1], mark)
		}
	}
	return nil
}

func books() (m kernel.Memory) {
	m.Read()
	return m
}

// said says what touching n bytes did to the books.
func said(n uint64, before kernel.Memory, began time.Time) {
	took, m := time.Since(began), books()
	fmt.Printf("touched %s in %v: %d page faults; accepted %s, of %d units %d while somebody waited; unaccepted are %s\n",
		mib(n), took.Round(time.Microsecond), m.Faults-before.Faults, mib(before.Unaccepted-m.Unaccepted),
		m.ByWaiting-before.ByWaiting+m.ByBackground-before.ByBackground, m.ByWaiting-before.ByWaiting, mib(m.Unaccepted))
}

func (p *prompt) meminfo() {
	m := books()
	for _, row := range []struct {
		name  string
		bytes uint64
	}{{"memory", p.system.Memory}, {"used", m.Used}, {"free, accepted", m.FreeAccepted}, {"free, unaccepted", m.FreeUnaccepted}, {"unaccepted", m.Unaccepted}} {
		fmt.Printf("%-18s%12s\n", row.name, mib(row.bytes))
	}
}

// bar shows how much is used, accepted and unaccepted; where each lies the kernel does not tell its program.
func (p *prompt) bar() {
	const width = 64
	m := books()
	accepted := p.system.Memory - m.Unaccepted
	cells := func(n uint64) int { return int((n*width + p.system.Memory/2) / p.system.Memory) }
	a := cells(accepted)
	u := min(a, cells(accepted-min(accepted, m.FreeAccepted)))
	fmt.Printf("|%s%s%s|\n# used  + accepted and free  . unaccepted; by amount, not by address\n",
		strings.Repeat("#", u), strings.Repeat("+", a-u), strings.Repeat(".", width-a))
}

// mib is an amount of memory in MiB, rounded.
func mib(n uint64) string { return fmt.Sprintf("%d MiB", (n+1<<19)>>20) }
