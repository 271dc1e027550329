package certify

import (
	"context"
	"fmt"
	"sync"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Disk is a disk to certify, which firmware boots by the loader that is on it. It is opened for its first boot and closed
// after its last, since one that is compressed takes room as long as it is open.
type Disk struct {
	Name   string                                         // of its file, without directories
	SHA256 string                                         // of its file, or its files as image.Checksum has it, in hexadecimal; empty for what is none
	Open   func(ctx context.Context) (*image.Disk, error) // opens it

	mu     sync.Mutex
	opened *image.Disk
	boots  int // that are still to come
}

// Content opens the disk, for boots of it and what they need. Whoever certifies closes it.
func (d *Disk) Content(ctx context.Context) (_ *image.Disk, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened == nil {
		d.opened, err = d.Open(ctx)
	}
	return d.opened, err
}

// Expect says how many boots there will be of it. Nil expects none.
func (d *Disk) Expect(boots int) {
	if d != nil {
		d.boots = boots
	}
}

// Booted hears that one of them is done with. The last closes the disk.
func (d *Disk) Booted() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.boots--; d.boots == 0 && d.opened != nil {
		_ = d.opened.Close() // nothing was written
		d.opened = nil
	}
}

func (d *Disk) run(ctx context.Context, cfg vm.Config) (*record.Record, error) {
	content, err := d.Content(ctx)
	if err != nil {
		return nil, err
	}
	r, err := BootDisk(ctx, d.Name, content, cfg)
	if err == nil && d.SHA256 != "" && r.Disks[0].SHA256 != d.SHA256 {
		err = fmt.Errorf("%s: it has changed while it was certified", d.Name)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// BootDisk boots a disk until its console shows that its software has come up, or to its end. The configuration has neither
// an image nor disks.
func BootDisk(ctx context.Context, name string, d *image.Disk, cfg vm.Config) (*record.Record, error) {
	cfg.Disks = []vm.Disk{{Name: name, Format: d.Format, Content: d, Size: d.Size(), File: d.File, Below: d.Below}}
	m, err := vm.New(cfg)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.Run(ctx, vm.AtUp()); err != nil {
		return nil, err
	}
	return m.Record()
}
