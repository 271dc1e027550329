package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

// Bounds on a value: what a server takes at a time if nothing else is configured, and what it may become unpacked. A record
// of Linux is some 200 KiB of JSON, and a tenth of that packed.
const (
	maxPacked   = 1<<20 - 4<<10
	maxUnpacked = 64 << 20
)

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderConcurrency(0))
)

// aKey is a digest in hexadecimal, which is a key in a bucket as it is.
var aKey = regexp.MustCompile(`^[0-9a-f]{64}$`)

// keep writes a value where there is none. It has been kept when this returns; what was there stays.
func (s *Store) keep(ctx context.Context, in jetstream.KeyValue, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	packed := packer.EncodeAll(text, nil)
	if !aKey.MatchString(key) {
		return fmt.Errorf("%s: %.80q is no key", in.Bucket(), key)
	}
	if len(packed) > maxPacked || len(text) > maxUnpacked {
		return fmt.Errorf("%s %.16s: %d bytes, packed %d, are too many to keep", in.Bucket(), key, len(text), len(packed))
	}
	err = s.patiently(ctx, func(ctx context.Context) error {
		_, err := in.Create(ctx, key, packed)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyExists) { // also where the answer to a first attempt was lost
		return nil
	}
	return naming(in, key, err)
}

// load reads a value.
func (s *Store) load(ctx context.Context, from jetstream.KeyValue, key string, value any) error {
	if !aKey.MatchString(key) {
		return fmt.Errorf("%s: %.80q is no key", from.Bucket(), key)
	}
	var entry jetstream.KeyValueEntry
	err := s.patiently(ctx, func(ctx context.Context) (err error) {
		entry, err = from.Get(ctx, key)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return catalogue.ErrUnknown
	}
	if err != nil {
		return naming(from, key, err)
	}
	return naming(from, key, unpack(entry.Value(), value))
}

func unpack(packed []byte, value any) error {
	text, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, value)
}

func naming(kv jetstream.KeyValue, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %.16s: %w", kv.Bucket(), key, err)
}

// forget removes a value.
func (s *Store) forget(ctx context.Context, from jetstream.KeyValue, key string) error {
	return naming(from, key, s.patiently(ctx, func(ctx context.Context) error { return from.Purge(ctx, key) }))
}

// Result is a kept result.
func (s *Store) Result(ctx context.Context, key string) (*catalogue.Result, error) {
	var r catalogue.Result
	if err := s.load(ctx, s.results, key, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Keep keeps a result.
func (s *Store) Keep(ctx context.Context, r *catalogue.Result) error {
	return s.keep(ctx, s.results, r.Key, r)
}

// Forget removes a result.
func (s *Store) Forget(ctx context.Context, key string) error { return s.forget(ctx, s.results, key) }

// ResultKeys are the keys of all results, in order.
func (s *Store) ResultKeys(ctx context.Context) ([]string, error) {
	list, err := s.results.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.results.Bucket(), err)
	}
	defer list.Stop()
	var keys []string
	for key := range list.Keys() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, ctx.Err()
}

// Note keeps an entry.
func (s *Store) Note(ctx context.Context, e *catalogue.Entry) error {
	return s.keep(ctx, s.history, e.Key, e)
}

// Entries are all that are kept.
func (s *Store) Entries(ctx context.Context) (all []catalogue.Entry, err error) {
	err = each(ctx, s.history, func(e *catalogue.Entry) error {
		all = append(all, *e)
		return nil
	})
	catalogue.Sort(all)
	return all, err
}

// Drop removes an entry.
func (s *Store) Drop(ctx context.Context, key string) error { return s.forget(ctx, s.history, key) }

// Reading is what was read out of a file.
func (s *Store) Reading(ctx context.Context, key string) (*catalogue.Reading, error) {
	var r catalogue.Reading
	if err := s.load(ctx, s.readings, key, &r); err != nil {
		return nil, err
	}
	if r.Schema != catalogue.ReadingSchema || !aKey.MatchString(r.SHA256) {
		return nil, catalogue.ErrUnknown
	}
	return &r, nil
}

// KeepReading keeps what was read out of a file.
func (s *Store) KeepReading(ctx context.Context, key string, r *catalogue.Reading) error {
	return s.keep(ctx, s.readings, key, r)
}

// each calls f for every value of a bucket.
func each[T any](ctx context.Context, from jetstream.KeyValue, f func(*T) error) error {
	watch, err := from.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("%s: %w", from.Bucket(), err)
	}
	defer watch.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watch.Updates():
			if !open {
				return fmt.Errorf("%s: the connection ended", from.Bucket())
			}
			if entry == nil { // all that there was
				return nil
			}
			value := new(T)
			if err := unpack(entry.Value(), value); err != nil {
				return naming(from, entry.Key(), err)
			}
			if err := f(value); err != nil {
				return err
			}
		}
	}
}

// Expire removes results, entries and readings that were kept before, and returns how many.
func (s *Store) Expire(ctx context.Context, before time.Time) (n int, err error) {
	for _, bucket := range []jetstream.KeyValue{s.results, s.history, s.readings} {
		var old []string
		watch, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes(), jetstream.MetaOnly())
		if err != nil {
			return n, fmt.Errorf("%s: %w", bucket.Bucket(), err)
		}
		for entry := range watch.Updates() {
			if entry == nil { // all that there was
				break
			}
			if entry.Created().Before(before) {
				old = append(old, entry.Key())
			}
		}
		_ = watch.Stop() // it has told all
		for _, key := range old {
			if err := s.forget(ctx, bucket, key); err != nil {
				return n, err
			}
			n++
		}
		if err := bucket.PurgeDeletes(ctx, jetstream.DeleteMarkersOlderThan(-1)); err != nil {
			return n, fmt.Errorf("%s: %w", bucket.Bucket(), err)
		}
	}
	return n, nil
}
