package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

const (
	imagesBucket = "tacit-images"
	imagesKept   = 7 * 24 * time.Hour // then they are put there again
	maxImage     = 1 << 30            // bytes, as package image takes them
	sending      = 10 * time.Minute   // how long one may take to travel
)

// KeepImage puts what firmware loads where workers find it, by its digest.
func (s *Store) KeepImage(ctx context.Context, digest string, data []byte) error {
	info, err := s.images.GetInfo(ctx, digest)
	if err == nil && info.Size == uint64(len(data)) && time.Since(info.ModTime) < imagesKept/2 {
		return nil
	}
	err = patiently(ctx, sending, sending/2, func(ctx context.Context) error {
		_, err := s.images.PutBytes(ctx, digest, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("image %.16s: %w", digest, err)
	}
	return nil
}

// Image returns what firmware loads. Whether it has the digest is the caller's to look.
func (s *Store) Image(ctx context.Context, digest string) ([]byte, error) {
	var data []byte
	err := patiently(ctx, sending, sending/2, func(ctx context.Context) error {
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
