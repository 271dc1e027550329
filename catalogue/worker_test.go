package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A shelf is results and images in memory.
type shelf struct {
	mu     sync.Mutex
	has    map[string]*Result
	images map[string][]byte

	fetched int // disks
}

func (s *shelf) Result(_ context.Context, key string) (*Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.has[key]; r != nil {
		return r, nil
	}
	return nil, ErrUnknown
}

func (s *shelf) Keep(ctx context.Context, r *Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has[r.Key] == nil {
		s.has[r.Key] = r
	}
	return ctx.Err()
}

func (s *shelf) Forget(_ context.Context, key string) error { delete(s.has, key); return nil }

func (s *shelf) Image(_ context.Context, digest string) ([]byte, error) { return s.images[digest], nil }

func (s *shelf) Disk(_ context.Context, digest string, to *os.File, _ int64) error {
	s.mu.Lock()
	s.fetched++
	s.mu.Unlock()
	_, err := to.WriteAt(s.images[digest], 0)
	return err
}

// A parcel is a delivery that notes what becomes of it.
type parcel struct {
	job                      Job
	times                    int
	mu                       sync.Mutex
	extended, returned, done int
	onExtend                 func()
}

func (p *parcel) Job() Job   { return p.job }
func (p *parcel) Times() int { return p.times }

func (p *parcel) Extend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.extended++; p.onExtend != nil {
		p.onExtend()
	}
	return nil
}
func (p *parcel) Return() error                  { p.returned++; return nil }
func (p *parcel) Done(ctx context.Context) error { p.done++; return ctx.Err() }

type lease time.Duration

func (lease) Take(context.Context) (Delivery, error) { panic("not called") }
func (l lease) Lease() time.Duration                 { return time.Duration(l) }

func workshop(t *testing.T, lasts time.Duration) (*shelf, *Worker, Job) {
	sum := sha256.Sum256(guest.Demo())
	digest := hex.EncodeToString(sum[:])
	s := &shelf{has: map[string]*Result{}, images: map[string][]byte{digest: guest.Demo()}}
	j := Job{Image: "demo.efi", SHA256: digest, Platform: vm.TDX, Policy: "lazy", Memory: 512 << 20, MaxInstructions: 1e10}
	return s, &Worker{Queue: lease(lasts), Results: s, Images: s, Tool: "v1", Jobs: 1}, j
}

// A boot has its result before it is done; the second time there is nothing to boot. The same bytes under another name are
// another boot, and not fetched again.
func TestWorkerServes(t *testing.T) {
	s, w, j := workshop(t, time.Minute)
	for _, name := range []string{"demo.efi", "demo.efi", "other.efi"} {
		j.Image = name
		p := &parcel{job: j, times: 1}
		w.serve(t.Context(), p)()
		r := s.has[j.Key("v1")]
		if p.done != 1 || p.returned != 0 || r == nil || !r.Final || r.Record.Outcome != record.PowerOff || r.check(j.Key("v1")) != nil {
			t.Fatalf("%+v: %+v", p, r)
		}
		s.images = nil
	}
}

// As long as a boot runs, its lease is extended. Told to end, the worker gives it back, and keeps nothing.
func TestWorkerEnds(t *testing.T) {
	s, w, j := workshop(t, 30*time.Millisecond)
	j.Append = "hold=400M"
	j.Memory = 4 << 30
	ctx, cancel := context.WithCancel(t.Context())
	p := &parcel{job: j, times: 1, onExtend: cancel}
	w.serve(ctx, p)()
	if p.extended == 0 || p.returned != 1 || p.done != 0 || len(s.has) != 0 {
		t.Errorf("%+v, %d results", p, len(s.has))
	}
}

// What cannot be booted has a result that says why, and is not kept for ever.
func TestWorkerIsNotBelieving(t *testing.T) {
	for _, c := range []struct {
		says   string
		change func(*shelf, *Job, *parcel)
	}{
		{"another digest", func(s *shelf, j *Job, _ *parcel) { s.images[j.SHA256] = []byte("MZ") }},
		{"given up: 8 workers", func(_ *shelf, _ *Job, p *parcel) { p.times = 9 }},
		{"no limit of instructions", func(_ *shelf, j *Job, _ *parcel) { j.MaxInstructions = 0 }},
		{"memory: want", func(_ *shelf, j *Job, _ *parcel) { j.Memory = 1 << 50 }},
		{"cost model", func(_ *shelf, j *Job, _ *parcel) { j.Cost = "no such" }},
		{"calls itself", func(_ *shelf, j *Job, _ *parcel) { j.Image = "../x.efi" }},
	} {
		s, w, j := workshop(t, time.Minute)
		p := &parcel{times: 1}
		c.change(s, &j, p)
		p.job = j
		w.serve(t.Context(), p)()
		r := s.has[j.Key("v1")]
		if r == nil || r.Final || !strings.Contains(r.Error, c.says) || p.done != 1 {
			t.Errorf("%q: %+v", c.says, r)
		}
	}
}

// A disk is fetched once for the boots that come one after the other, and believed only if it has its digest. What it boots
// is judged by the record's disk.
func TestWorkerBootsDisks(t *testing.T) {
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	content, err := os.ReadFile(imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp}))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	s, w, j := workshop(t, time.Minute)
	j.Image, j.SHA256, j.Disk = "disk.img", digest, true
	s.images[digest] = content
	for _, platform := range []string{vm.TDX, vm.SNP} {
		j.Platform = platform
		w.serve(t.Context(), &parcel{job: j, times: 1})()
		r := s.has[j.Key("v1")]
		if r == nil || !r.Final || r.Record.Outcome != record.PowerOff || r.check(j.Key("v1")) != nil || r.Record.Disks[0].Name != "disk.img" {
			t.Fatalf("%s: %+v", platform, r)
		}
		r.Record.Disks[0].SHA256 = ""
		if r.check(j.Key("v1")) == nil {
			t.Error("a record of another disk is believed")
		}
	}
	if s.fetched != 1 || len(w.disks.has) != 1 || w.disks.idle == nil {
		t.Errorf("fetched %d times, %d held", s.fetched, len(w.disks.has))
	}
	w.disks.close()
	j.SHA256 = hex.EncodeToString(make([]byte, 32))
	s.images[j.SHA256] = content
	w.serve(t.Context(), &parcel{job: j, times: 1})()
	if r := s.has[j.Key("v1")]; r == nil || !strings.Contains(r.Error, "another digest") || len(w.disks.has) != 0 {
		t.Errorf("%+v, %d held", r, len(w.disks.has))
	}
}

// What a reference names is fetched by the worker, and believed only if it is what the job boots.
func TestWorkerFetches(t *testing.T) {
	dir := t.TempDir()
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp})
	program := filepath.Join(dir, "demo.efi")
	if err := os.WriteFile(program, guest.Demo(), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	for _, c := range []struct {
		disk   bool
		digest string
		path   string // where the reference leads
		want   string // an error, or empty
	}{
		{false, "", program, ""},
		{false, "", disk, "not a"},
		{true, hex.EncodeToString(sum[:]), disk, ""},
		{true, hex.EncodeToString(sum[:]), esp, "another digest"},
		{true, hex.EncodeToString(sum[:]), program, "not a disk image"},
	} {
		s, w, j := workshop(t, time.Minute)
		released := 0
		w.Fetch = func(_ context.Context, reference string) (string, func(), error) {
			if reference != "https://elsewhere/x" {
				t.Errorf("asked for %q", reference)
			}
			return c.path, func() { released++ }, nil
		}
		key := j.Key("v1")
		if j.Reference = "https://elsewhere/x"; j.Key("v1") != key {
			t.Error("where an image is changes what comes of it")
		}
		if c.disk {
			j.Disk, j.SHA256 = true, c.digest
		}
		w.serve(t.Context(), &parcel{job: j, times: 1})()
		w.disks.close()
		r := s.has[j.Key("v1")]
		if r == nil || r.Final != (c.want == "") || !strings.Contains(r.Error, c.want) || c.want == "" && r.Record.Outcome != record.PowerOff || released != 1 {
			t.Errorf("%+v: %+v, released %d times", c, r, released)
		}
		w.Fetch, s.has = nil, map[string]*Result{}
		w.serve(t.Context(), &parcel{job: j, times: 1})()
		if r := s.has[j.Key("v1")]; r == nil || !strings.Contains(r.Error, "fetches nothing") && c.want == "" && c.disk {
			t.Errorf("without a way to fetch: %+v", r)
		}
	}
}
