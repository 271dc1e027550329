package source

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// limits bound what a server can do.
type limits struct {
	silence  time.Duration // until an answer begins
	window   time.Duration // in which there have to come so many bytes:
	least    int64
	attempts int           // in a row that bring less than enough
	enough   int64         // bytes
	pause    time.Duration // between two of them
	all      time.Duration // for a file, with all attempts
	manifest int64         // bytes of one
	layers   int           // of an image
}

var usual = limits{
	silence: 30 * time.Second, window: 30 * time.Second, least: 128 << 10, attempts: 5, enough: 1 << 20, pause: 2 * time.Second,
	all: 6 * time.Hour, manifest: 4 << 20, layers: 512,
}

// A wanted is a file to be downloaded.
type wanted struct {
	client *http.Client
	url    string
	digest digest
	size   int64 // in bytes, -1 where it is not known
	most   int64 // bytes, in any case
	tell   func(read, size int64)
}

// errLasting says that another attempt would come to the same.
type errLasting struct{ error }

func (e errLasting) Unwrap() error { return e.error }

// download puts a file into the cache, unless it is there. What an earlier attempt has begun is gone on with.
func (c *cache) download(ctx context.Context, w wanted, l limits) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.all, fmt.Errorf("it took more than %v", l.all))
	defer cancel()
	f, err := c.begin(ctx, w.digest)
	if err != nil || f == nil {
		return err
	}
	defer f.Close()
	d := &downloading{wanted: w, file: f, limits: l}
	if err := d.resume(ctx); err != nil {
		return err
	}
	resumed := d.at > 0
	for {
		if err := d.attempts(ctx); err != nil {
			return err
		}
		if w.digest.is(d.hash) {
			break
		}
		if err := d.restart(); err != nil {
			return err
		}
		if !resumed {
			_ = os.Remove(f.Name()) // it is of no use to the next attempt
			return fmt.Errorf("what came has another digest than %.23s…", w.digest)
		}
		resumed = false // what was begun may have been another file
	}
	if err := errors.Join(f.Sync(), f.Chmod(0o400)); err != nil {
		return err
	}
	return os.Rename(f.Name(), c.blob(w.digest))
}

// begin opens the file to download into, and waits for another process that does. It is nil where the whole file is there.
func (c *cache) begin(ctx context.Context, d digest) (*os.File, error) {
	for {
		f, err := os.OpenFile(c.part(d), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = lock(ctx, f)
		var there bool
		if err == nil {
			there, err = c.has(ctx, d)
		}
		if err != nil || there {
			if there {
				_ = os.Remove(f.Name()) // the lock is ours
			}
			return nil, errors.Join(err, f.Close())
		}
		mine, err := f.Stat()
		now, err2 := os.Stat(f.Name())
		if err == nil && err2 == nil && os.SameFile(mine, now) {
			return f, nil
		}
		f.Close() // who had it has removed it
	}
}

// downloading is how far a download is.
type downloading struct {
	wanted
	file   *os.File
	hash   hash.Hash
	at     int64 // bytes that are there
	limits limits
}

// resume reads what is there already.
func (d *downloading) resume(ctx context.Context) (err error) {
	d.hash = d.digest.newHash()
	d.at, err = io.Copy(d.hash, untilDone{ctx, d.file})
	if err == nil && (d.at > d.most || d.size >= 0 && d.at > d.size) {
		return d.restart()
	}
	return err
}

func (d *downloading) restart() error {
	d.hash, d.at = d.digest.newHash(), 0
	return d.file.Truncate(0)
}

// attempts downloads the rest.
func (d *downloading) attempts(ctx context.Context) error {
	for failed := 0; ; {
		if d.size >= 0 && d.at == d.size {
			return nil
		}
		before := d.at
		err := d.attempt(ctx)
		var lasting errLasting
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &lasting):
			return lasting.error
		}
		if d.at-before < d.limits.enough {
			if failed++; failed == d.limits.attempts {
				return fmt.Errorf("after %d attempts: %w", failed, err)
			}
		} else {
			failed = 0
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(d.limits.pause):
		}
	}
}

func (d *downloading) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return errLasting{err}
	}
	r.Header.Set("Accept-Encoding", "identity")
	if d.at > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.at))
	}
	answer, err := d.client.Do(r)
	if no := refusal(""); errors.As(err, &no) {
		return errLasting{no}
	}
	if err != nil {
		return because(ctx, err)
	}
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code == http.StatusPartialContent && startOf(answer.Header.Get("Content-Range")) == d.at:
	case code == http.StatusOK:
		if err := d.restart(); err != nil {
			return errLasting{err}
		}
	case code == http.StatusPartialContent, code == http.StatusRequestedRangeNotSatisfiable:
		if err := d.restart(); err != nil {
			return errLasting{err}
		}
		return fmt.Errorf("the server answers %s to a wish to go on at a byte of the file", answer.Status)
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("the server answers %s", answer.Status)
	default:
		return errLasting{fmt.Errorf("the server answers %s", answer.Status)}
	}
	size := d.size
	if answer.ContentLength >= 0 {
		size = d.at + answer.ContentLength
	}
	switch {
	case d.size >= 0 && size != d.size:
		return errLasting{fmt.Errorf("the server has %d bytes, and it should be %d", size, d.size)}
	case size > d.most:
		return errLasting{tooLarge(size, d.most)}
	}
	return d.receive(ctx, cancel, answer.Body, size)
}

// tooMuch is the error of a body that does not end where it should.
func (d *downloading) tooMuch() error {
	if d.size >= 0 {
		return fmt.Errorf("more comes than the %d bytes that there should be", d.size)
	}
	return fmt.Errorf("more comes than the %s that are fetched at most (--cache-size)", record.FormatBytes(uint64(d.most)))
}

func tooLarge(size, most int64) error {
	return fmt.Errorf("%s, and at most %s are fetched (--cache-size)", record.FormatBytes(uint64(size)), record.FormatBytes(uint64(most)))
}

// startOf is where the piece of a file begins that a server has sent; -1 if it does not say (RFC 9110, section 14.4).
func startOf(header string) int64 {
	rest, ok := strings.CutPrefix(header, "bytes ")
	first, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	if !ok || err != nil {
		return -1
	}
	return n
}

// receive takes the rest of the file, and ends it where too little comes.
func (d *downloading) receive(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader, size int64) error {
	var came atomic.Int64
	over := make(chan struct{})
	defer close(over)
	go func() {
		tick := time.NewTicker(d.limits.window)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if n := came.Swap(0); n < d.limits.least {
					cancel(fmt.Errorf("too slow: %d bytes came in %v", n, d.limits.window))
					return
				}
			}
		}
	}()
	b := make([]byte, 256<<10)
	for {
		n, err := body.Read(b)
		came.Add(int64(n))
		if d.at+int64(n) > d.most || size >= 0 && d.at+int64(n) > size {
			return errLasting{errors.Join(d.tooMuch(), d.restart())}
		}
		if _, err := d.file.WriteAt(b[:n], d.at); err != nil {
			return errLasting{err}
		}
		d.hash.Write(b[:n])
		d.at += int64(n)
		if d.tell != nil {
			d.tell(d.at, max(size, d.at))
		}
		switch {
		case err == io.EOF && (size < 0 || d.at == size):
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil && context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
	}
}
