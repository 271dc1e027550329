package jetstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/record"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func result(tool, platform string) *catalogue.Result {
	j := catalogue.Job{Image: "a", SHA256: strings.Repeat("ab", 32), Platform: platform, MaxInstructions: 1}
	return &catalogue.Result{
		Schema: catalogue.ResultSchema, Key: j.Key(tool), Tool: tool, Job: j, Final: true,
		Record: &record.Record{Schema: record.Schema, Outcome: record.PowerOff, Image: record.Image{SHA256: j.SHA256}},
	}
}

// What has been kept is there when the store is opened again; the first result of a key is the one.
func TestResultsAreKept(t *testing.T) {
	dir := t.TempDir()
	s, first := open(t, dir), result("v1", "tdx")
	if err := s.Keep(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	second := result("v1", "tdx")
	second.Record.Outcome = record.Violation
	if err := s.Keep(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = open(t, dir)
	got, err := s.Result(t.Context(), first.Key)
	if err != nil || got.Record.Outcome != record.PowerOff {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.Result(t.Context(), result("v2", "tdx").Key); !errors.Is(err, catalogue.ErrUnknown) {
		t.Errorf("another version: %v", err)
	}
	if err := s.Keep(t.Context(), &catalogue.Result{Key: "a.*.>"}); err == nil {
		t.Error("a key that is a pattern was taken")
	}
	if keys, err := s.ResultKeys(t.Context()); err != nil || len(keys) != 1 || keys[0] != first.Key {
		t.Errorf("%q, %v", keys, err)
	}
	if n, err := s.Expire(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("forgot %d that are not old, %v", n, err)
	}
	if n, err := s.Expire(t.Context(), time.Now()); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if keys, err := s.ResultKeys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("%q, %v", keys, err)
	}
}

// A second process waits for the store; told to end, it does not.
func TestOneHasTheStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Open(ctx, dir, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	waits, opened := make(chan struct{}), make(chan error)
	go func() {
		second, err := Open(t.Context(), dir, func() { close(waits) })
		if err == nil {
			second.Close()
		}
		opened <- err
	}()
	<-waits
	s.Close()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// A job is queued once, however often it is asked for; one that is not acknowledged is delivered again; one that is, is gone.
func TestQueue(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	j := result("v1", "tdx").Job
	for range 3 {
		if err := s.Ask(ctx, "v1", j); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ask(ctx, "v2", j); err != nil { // another's
		t.Fatal(err)
	}
	q, err := s.Queue(ctx, "v1", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := s.Depth(ctx, "v1"); err != nil || d.Queued != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	first, err := q.Take(ctx)
	if err != nil || first.Job() != j || first.Times() != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := s.Ask(ctx, "v1", j); err != nil { // a worker has it
		t.Fatal(err)
	}
	second, err := q.Take(ctx) // whose lease runs out
	if err != nil || second.Job() != j || second.Times() != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	if err := second.Return(); err != nil {
		t.Fatal(err)
	}
	third, err := q.Take(ctx)
	if err != nil || third.Times() != 3 {
		t.Fatalf("%+v, %v", third, err)
	}
	if err := third.Done(ctx); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Depth(ctx, "v1"); err != nil || d.Queued != 0 || d.Running != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if d, err := q.Take(short); err == nil {
		t.Errorf("took %+v", d)
	}
}

// What is no job is not delivered.
func TestQueueIsNotBelieved(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	q, err := s.Queue(ctx, "v1", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	j := result("v1", "tdx").Job
	for subject, text := range map[string]string{"x": "{", "y": "{}"} {
		if _, err := s.js.Publish(ctx, "tacit.jobs."+version("v1")+"."+subject, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ask(ctx, "v1", j); err != nil {
		t.Fatal(err)
	}
	if d, err := q.Take(ctx); err != nil || d.Job() != j {
		t.Errorf("%+v, %v", d, err)
	}
}

// An image comes back as it was put; one that was not is said to be unknown.
func TestImages(t *testing.T) {
	s := open(t, t.TempDir())
	data := []byte(strings.Repeat("image", 100_000))
	for range 2 {
		if err := s.KeepImage(t.Context(), "x", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Image(t.Context(), "x"); err != nil || string(got) != string(data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := s.Image(t.Context(), "y"); !errors.Is(err, catalogue.ErrUnknown) {
		t.Error(err)
	}
}

// What is read of a server that has not caught up with the others is no answer yet; and an image of which a part has been lost is
// put there again.
func TestImagesOfServersThatCatchUp(t *testing.T) {
	s := open(t, t.TempDir())
	data := []byte(strings.Repeat("image", 100_000))
	content := func() *io.SectionReader { return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))) }
	lose := func() {
		t.Helper()
		parts, err := s.js.Stream(t.Context(), "OBJ_"+imagesBucket)
		if err != nil {
			t.Fatal(err)
		}
		info, err := parts.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := parts.DeleteMsg(t.Context(), info.State.LastSeq-1); err != nil { // the last is what is said of the parts
			t.Fatal(err)
		}
	}
	read := func(digest string) error {
		got, err := s.Image(t.Context(), digest)
		if err == nil && !bytes.Equal(got, data) {
			err = errors.New("another image")
		}
		return err
	}
	if err := s.KeepImage(t.Context(), "x", content()); err != nil {
		t.Fatal(err)
	}
	lose()
	if err := read("x"); err == nil {
		t.Error("an image without its end was read")
	}
	if err := s.KeepImage(t.Context(), "x", content()); err != nil {
		t.Fatal(err)
	}
	if err := read("x"); err != nil {
		t.Error(err)
	}
	lose()
	s.settles = time.Minute
	for _, digest := range []string{"x", "y"} { // the one in part, the other not at all
		put := make(chan error)
		go func() {
			time.Sleep(100 * time.Millisecond)
			put <- s.KeepImage(t.Context(), digest, content())
		}()
		if err := errors.Join(read(digest), <-put); err != nil {
			t.Errorf("%s: %v", digest, err)
		}
	}
}

// A disk comes back as it was put, into a file with room for it.
func TestDisks(t *testing.T) {
	s := open(t, t.TempDir())
	data := []byte(strings.Repeat("disk", 300_000))
	if err := s.KeepImage(t.Context(), "x", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))); err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := s.Disk(t.Context(), "x", to, int64(len(data))); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(to.Name()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := s.Disk(t.Context(), "x", to, int64(len(data))-1); err == nil || !strings.Contains(err.Error(), "there is room for") {
		t.Error(err)
	}
	if err := s.Disk(t.Context(), "y", to, 1<<30); !errors.Is(err, catalogue.ErrUnknown) {
		t.Error(err)
	}
}

// Where the disk is full, the server ends its work without a word: the first who writes is told after a bounded time, and the
// others at once, so that certifying ends. What was kept before is there when the store is opened again.
func TestServerEndsItsWork(t *testing.T) {
	dir := t.TempDir()
	s, first, second := open(t, dir), result("v1", "tdx"), result("v1", "snp")
	if err := s.Keep(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := s.server.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	for range 100 { // each of which would wait for itself
		if err := s.Keep(t.Context(), second); !errors.Is(err, errSilent) {
			t.Fatalf("%v", err)
		}
	}
	s.Close()
	s = open(t, dir)
	if _, err := s.Result(t.Context(), first.Key); err != nil {
		t.Error(err)
	}
	if err := s.Keep(t.Context(), second); err != nil {
		t.Error(err)
	}
}
