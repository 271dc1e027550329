package vm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Sums are the checksums of what was booted. They are made beside the run, since those of gigabytes take seconds.
type sums struct {
	image, initrd string // in hexadecimal; empty without one
	made          chan struct{}
	giveUp        func() // ends the making
}

// sumGrace is how long a run that has been told to end waits for its checksums.
const sumGrace = 500 * time.Millisecond

// sumUp begins to make them.
func (m *Machine) sumUp() {
	if m.sums != nil {
		return
	}
	ctx, giveUp := context.WithCancel(context.Background())
	image, initrd, s := m.cfg.Image.Data, m.cfg.Initrd, &sums{made: make(chan struct{}), giveUp: giveUp}
	m.sums = s
	go func() {
		defer close(s.made)
		s.image = digest(ctx, image)
		if len(initrd) > 0 {
			s.initrd = digest(ctx, initrd)
		}
	}()
}

// wait returns them. Where they have been given up they are waited for a little, and then left empty.
func (s *sums) wait() (image, initrd string) {
	<-s.made
	return s.image, s.initrd
}

// digest sums up b, and returns "" where ctx is done some time before that is.
func digest(ctx context.Context, b []byte) string {
	const piece = 4 << 20
	h := sha256.New()
	var late time.Time
	for len(b) > 0 {
		if ctx.Err() != nil {
			if now := time.Now(); late.IsZero() {
				late = now.Add(sumGrace)
			} else if now.After(late) {
				return ""
			}
		}
		n := min(len(b), piece)
		h.Write(b[:n])
		b = b[n:]
	}
	return hex.EncodeToString(h.Sum(nil))
}

// shareSums takes over the checksums of another machine with the same image, where they have been made.
func (m *Machine) shareSums(of *Machine) {
	if of.sums == nil {
		return
	}
	select {
	case <-of.sums.made:
		m.sums = &sums{image: of.sums.image, initrd: of.sums.initrd, made: of.sums.made, giveUp: func() {}}
	default:
	}
}
