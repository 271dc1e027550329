package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

const (
	imagesBucket = "tacit-images"
	imagesKept   = 7 * 24 * time.Hour // then they are put there again
	maxImage     = 1 << 30            // bytes, as package image takes them
	sending      = 10 * time.Minute   // how long one may take to travel,
	slowest      = 1 << 20            // … and how many bytes a second of it
)

// mayTake is how long so many bytes may take to travel.
func mayTake(size int64) time.Duration {
	return max(sending, time.Duration(size/slowest)*time.Second)
}

// KeepImage puts what firmware loads, or a disk, where workers find it, by its digest.
func (s *Store) KeepImage(ctx context.Context, digest string, content *io.SectionReader) error {
	info, err := s.images.GetInfo(ctx, digest)
	if err == nil && info.Size == uint64(content.Size()) && time.Since(info.ModTime) < imagesKept/2 && s.whole(ctx, info) {
		return nil
	}
	may := mayTake(content.Size())
	err = patiently(ctx, may, may/2, func(ctx context.Context) error {
		_, err := s.images.Put(ctx, jetstream.ObjectMeta{Name: digest}, io.NewSectionReader(content, 0, content.Size()))
		return err
	})
	if err != nil {
		return fmt.Errorf("image %.16s: %w", digest, err)
	}
	return nil
}

// whole says whether all parts of an object are there: servers that lost their power may have lost some.
func (s *Store) whole(ctx context.Context, info *jetstream.ObjectInfo) bool {
	stream, err := s.js.Stream(ctx, "OBJ_"+imagesBucket)
	if err != nil {
		return false
	}
	parts := "$O." + imagesBucket + ".C." + info.NUID
	state, err := stream.Info(ctx, jetstream.WithSubjectFilter(parts))
	return err == nil && state.State.Subjects[parts] == uint64(info.Chunks)
}

// settling is how long a server that has come back may lack what the others have. A reader may be sent to it, and finds an
// object that ends too early, or none: until then that is no answer.
const settling = 20 * time.Second

// settled does it again while what is read may be that of a server which is still catching up.
func (s *Store) settled(ctx context.Context, all, one time.Duration, do func(context.Context) error) error {
	end := time.Now().Add(s.settles)
	for {
		err := patiently(ctx, all, one, do)
		if !errors.Is(err, jetstream.ErrDigestMismatch) && !errors.Is(err, jetstream.ErrObjectNotFound) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Image returns what firmware loads. Whether it has the digest is the caller's to look.
func (s *Store) Image(ctx context.Context, digest string) ([]byte, error) {
	var data []byte
	err := s.settled(ctx, sending, sending/2, func(ctx context.Context) error {
		object, err := s.images.Get(ctx, digest)
		if err != nil {
			return err
		}
		defer object.Close()
		if data, err = io.ReadAll(io.LimitReader(object, maxImage+1)); err != nil {
			return err
		}
		return object.Error()
	})
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, fmt.Errorf("image %.16s: %w", digest, catalogue.ErrUnknown)
	case err != nil:
		return nil, fmt.Errorf("image %.16s: %w", digest, err)
	case len(data) > maxImage:
		return nil, fmt.Errorf("image %.16s: larger than %d bytes", digest, maxImage)
	}
	return data, nil
}

// Disk writes a disk to a file, which may take so many bytes. Whether it has the digest is the caller's to look.
func (s *Store) Disk(ctx context.Context, digest string, to *os.File, room int64) error {
	var info *jetstream.ObjectInfo
	err := s.settled(ctx, answering, attempt, func(ctx context.Context) (err error) {
		info, err = s.images.GetInfo(ctx, digest)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return fmt.Errorf("disk %.16s: %w", digest, catalogue.ErrUnknown)
	case err != nil:
		return fmt.Errorf("disk %.16s: %w", digest, err)
	case info.Size > uint64(room):
		return fmt.Errorf("disk %.16s: of %d bytes, and there is room for %d: set TMPDIR", digest, info.Size, room)
	}
	may := mayTake(int64(info.Size))
	err = s.settled(ctx, may, may/2, func(ctx context.Context) error {
		if err := to.Truncate(0); err != nil {
			return err
		}
		object, err := s.images.Get(ctx, digest)
		if err != nil {
			return err
		}
		defer object.Close()
		n, err := io.Copy(io.NewOffsetWriter(to, 0), io.LimitReader(object, room+1))
		if err == nil && n > room {
			err = fmt.Errorf("more than the %d bytes for which there is room", room)
		}
		return errors.Join(err, object.Error())
	})
	if err != nil {
		return fmt.Errorf("disk %.16s: %w", digest, err)
	}
	return nil
}
