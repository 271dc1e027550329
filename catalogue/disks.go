package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
)

// disks are those that a worker has got for its boots. Boots of one come one after the other, so one that has no boot now is
// kept until another has none; more of them would take room for nothing.
type disks struct {
	mu   sync.Mutex
	has  map[string]*heldDisk // by digest
	idle *heldDisk
}

// A heldDisk is one of them.
type heldDisk struct {
	digest string
	users  int
	get    sync.Once
	disk   *image.Disk
	err    error
}

// take returns a disk, which fetch gets if it is not there, until it is released.
func (d *disks) take(digest string, fetch func() (*image.Disk, error)) (_ *image.Disk, release func(), err error) {
	d.mu.Lock()
	h := d.has[digest]
	if h == nil {
		h = &heldDisk{digest: digest}
		if d.has == nil {
			d.has = map[string]*heldDisk{}
		}
		d.has[digest] = h
	}
	if h.users++; d.idle == h {
		d.idle = nil
	}
	d.mu.Unlock()
	h.get.Do(func() { h.disk, h.err = fetch() })
	if h.err != nil {
		d.release(h)
		return nil, nil, h.err
	}
	return h.disk, func() { d.release(h) }, nil
}

func (d *disks) release(h *heldDisk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.users--; h.users > 0 {
		return
	}
	if h.disk == nil { // the next tries it again
		delete(d.has, h.digest)
		return
	}
	d.drop()
	d.idle = h
}

// drop lets the disk go that has no boot.
func (d *disks) drop() {
	if d.idle != nil {
		delete(d.has, d.idle.digest)
		_ = d.idle.disk.Close() // nothing was written
		d.idle = nil
	}
}

// close lets go what is left when all boots have ended.
func (d *disks) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
}

// disk gets the disk of a job. It is believed to be that only if it has its digest.
func (w *Worker) disk(ctx context.Context, j Job) (*image.Disk, error) {
	d, err := w.openDisk(ctx, j)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, untilDone{ctx, io.NewSectionReader(d.File, 0, d.File.Size())})
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != j.SHA256 {
		err = fmt.Errorf("disk %.16s: what is there under this name has another digest", j.SHA256)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openDisk opens it where it is, or in a temporary file where it has been put by its digest.
func (w *Worker) openDisk(ctx context.Context, j Job) (*image.Disk, error) {
	if j.Reference != "" {
		path, release, err := w.fetch(ctx, j)
		if err != nil {
			return nil, err
		}
		defer release() // what is open stays when its name goes
		return certify.OpenDisk(ctx, path)
	}
	file, room, err := image.TempFile()
	if err != nil {
		return nil, err
	}
	var d *image.Disk
	if err = w.Images.Disk(ctx, j.SHA256, file, room); err == nil {
		d, err = image.OpenDiskFile(ctx, file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return d, nil
}

// untilDone reads until its context is done.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(b)
}
