package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Asker is what hands boots to workers elsewhere.
type Asker interface {
	Results
	KeepImage(ctx context.Context, digest string, content *io.SectionReader) error
	Ask(ctx context.Context, tool string, j Job) error      // to ask twice is to ask once
	Kept(ctx context.Context, heard func(key string)) error // hears of results; may miss some
}

// A Spread is a [certify.Runner] whose boots are run by workers elsewhere. It waits for each however long that takes.
type Spread struct {
	asker  Asker
	tool   string
	Kept   atomic.Int64 // how many were known already
	mu     sync.Mutex
	wanted map[string]chan struct{} // closed when the result is heard of
	sent   map[string]*sync.Once    // images, by digest
}

// again is how often is looked for a result, and asked for it, of which nothing was heard.
const again = 20 * time.Second

// A result that was heard of is looked for so often, and so soon again: a server that answers may not have it yet.
const (
	looks = 40
	soon  = 50 * time.Millisecond
)

// NewSpread begins to listen for results, until ctx is done.
func NewSpread(ctx context.Context, a Asker, tool string) (*Spread, error) {
	s := &Spread{asker: a, tool: tool, wanted: map[string]chan struct{}{}, sent: map[string]*sync.Once{}}
	return s, a.Kept(ctx, s.heard)
}

func (s *Spread) heard(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.wanted[key]; c != nil {
		close(c)
	}
	delete(s.wanted, key)
}

// want returns what is closed when a result is heard of.
func (s *Spread) want(key string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted[key] == nil {
		s.wanted[key] = make(chan struct{})
	}
	return s.wanted[key]
}

// Run returns what is known of the boot, or has a worker run it.
func (s *Spread) Run(ctx context.Context, subject *certify.Subject, cfg vm.Config) (*record.Record, error) {
	j, err := JobOf(subject, cfg)
	if err != nil {
		return nil, err
	}
	if j.SHA256 == "" {
		return nil, fmt.Errorf("%s: not a regular file, which is all that workers can have", j.Image)
	}
	key := j.Key(s.tool)
	switch r, err := get(ctx, s.asker, key); {
	case err == nil && r.Final:
		s.Kept.Add(1)
		return r.answer()
	case err == nil: // of an earlier run, and what ended that may not end this one
		if err := s.asker.Forget(ctx, key); err != nil {
			return nil, err
		}
	case !errors.Is(err, ErrUnknown):
		return nil, err
	}
	if j.Reference == "" { // else workers fetch it themselves
		if err := s.send(ctx, j.SHA256, subject); err != nil {
			return nil, err
		}
	}
	for told := 0; ; told-- { // how often is looked for what was heard of
		heard := s.want(key)
		r, err := get(ctx, s.asker, key) // it may have come before we listened
		if err == nil {
			return r.answer()
		}
		if !errors.Is(err, ErrUnknown) {
			return nil, err
		}
		wait := soon
		if told <= 0 {
			wait = again
			if err := s.asker.Ask(ctx, s.tool, j); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-heard:
			told = looks
		case <-time.After(wait):
		}
	}
}

// send puts the image where workers find it.
func (s *Spread) send(ctx context.Context, digest string, subject *certify.Subject) (err error) {
	s.mu.Lock()
	if s.sent[digest] == nil {
		s.sent[digest] = &sync.Once{}
	}
	once := s.sent[digest]
	s.mu.Unlock()
	once.Do(func() {
		var content *io.SectionReader
		if content, err = contentOf(ctx, subject); err == nil {
			err = s.asker.KeepImage(ctx, digest, content)
		}
		if err != nil { // the next tries it again
			s.mu.Lock()
			delete(s.sent, digest)
			s.mu.Unlock()
		}
	})
	return err
}

// contentOf is what travels of a subject: what firmware loads, or a disk's file as it is.
func contentOf(ctx context.Context, subject *certify.Subject) (*io.SectionReader, error) {
	if subject.Disk != nil {
		d, err := subject.Disk.Content(ctx)
		if err != nil {
			return nil, err
		}
		if len(d.Below) > 0 {
			return nil, fmt.Errorf("%s: the changes to another disk, and workers get one file: flatten it with qemu-img convert", subject.Disk.Name)
		}
		return d.File, nil
	}
	img, err := subject.Open(ctx)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(bytes.NewReader(img.Data), 0, int64(len(img.Data))), nil
}
