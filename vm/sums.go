package vm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"github.com/tacit-vm/tacit/image"
)

// Sums are the checksums of what was booted. They are made beside the run, since those of gigabytes take seconds.
type sums struct {
	image, initrd, firmware string   // in hexadecimal; empty without one
	disks                   []string // of the files that they are kept in
	made                    chan struct{}
	giveUp                  func() // ends the making
}

// sumGrace is how long a run that has been told to end waits for its checksums.
const sumGrace = 500 * time.Millisecond

// sumUp begins to make them.
func (m *Machine) sumUp() {
	if m.sums != nil {
		return
	}
	ctx, giveUp := context.WithCancel(context.Background())
	kernel, initrd, firmware, disks := m.cfg.Image.Data, m.cfg.Initrd, m.cfg.Firmware.Data, m.cfg.Disks
	s := &sums{made: make(chan struct{}), giveUp: giveUp, disks: make([]string, len(disks))}
	m.sums = s
	go func() {
		defer close(s.made)
		if len(kernel) > 0 {
			s.image = digest(ctx, bytes.NewReader(kernel))
		}
		if len(initrd) > 0 {
			s.initrd = digest(ctx, bytes.NewReader(initrd))
		}
		if len(firmware) > 0 {
			s.firmware = digest(ctx, bytes.NewReader(firmware))
		}
		for i, d := range disks {
			if s.disks[i] = d.sum; d.sum == "" && d.File != nil {
				s.disks[i] = d.checksum(ctx)
			}
		}
	}()
}

// wait waits until they are there. Where they have been given up they are waited for a little, and then left empty.
func (s *sums) wait() { <-s.made }

// checksum is the disk's, or "" as digest has it. The disk has a file.
func (d *Disk) checksum(ctx context.Context) string {
	var files []string
	for _, f := range append([]*io.SectionReader{d.File}, d.Below...) {
		sum := digest(ctx, io.NewSectionReader(f, 0, f.Size()))
		if sum == "" {
			return ""
		}
		files = append(files, sum)
	}
	return image.Checksum(files)
}

// digest sums up what r has, and returns "" where ctx is done some time before that is, or r cannot be read.
func digest(ctx context.Context, r io.Reader) string {
	piece := make([]byte, 1<<20)
	h := sha256.New()
	var late time.Time
	for {
		if ctx.Err() != nil {
			if now := time.Now(); late.IsZero() {
				late = now.Add(sumGrace)
			} else if now.After(late) {
				return ""
			}
		}
		n, err := r.Read(piece)
		h.Write(piece[:n])
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil))
		case err != nil:
			return ""
		}
	}
}

// shareSums takes over the checksums of another machine with the same image, where they have been made.
func (m *Machine) shareSums(of *Machine) {
	if of.sums == nil {
		return
	}
	select {
	case <-of.sums.made:
		m.sums = &sums{image: of.sums.image, initrd: of.sums.initrd, firmware: of.sums.firmware, disks: of.sums.disks, made: of.sums.made, giveUp: func() {}}
	default:
	}
}
