package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	together "github.com/tacit-vm/tacit/internal/each"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var simulated = flag.Int("boots", 200, "have a hundred workers that boot nothing answer for so many boots in TestTraffic")

// aRecord is as large as one of Linux, and packs as well: some 200 KiB, and a tenth of that.
func aRecord(random *rand.Rand, digest string) *record.Record {
	r := &record.Record{Schema: record.Schema, Outcome: record.PowerOff, Image: record.Image{SHA256: digest}}
	for i := range 2500 {
		word := fmt.Sprintf("a function of the kernel's that asks for memory, called by another like it, of which there is nothing to say %d", i%50)
		if i%3 == 0 {
			word = fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())
		}
		r.Guest.Flags = append(r.Guest.Flags, word)
	}
	return r
}

// A hundred workers answer for boots that one asks for: every boot has one result. What that takes of the server is told, in
// messages and bytes a boot; docs/catalogue.md says what follows for a million.
func TestTraffic(t *testing.T) {
	const workers, tool = 100, "v1"
	s := open(t, t.TempDir())
	ctx, end := context.WithCancel(t.Context())
	defer end()
	img := &image.Image{Name: "a", Data: []byte("an image")}
	sum := sha256.Sum256(img.Data)
	text := aRecord(rand.New(rand.NewPCG(1, 1)), hex.EncodeToString(sum[:]))
	unpacked, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a record of %d KiB, packed %d KiB", len(unpacked)>>10, len(packer.EncodeAll(unpacked, nil))>>10)
	var wait sync.WaitGroup
	for i := range workers {
		q, err := s.Queue(ctx, tool, 0)
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(i)))
			for {
				d, err := q.Take(ctx)
				if err != nil {
					return
				}
				// As catalogue.Worker does, but for the boot.
				j := d.Job()
				key := j.Key(tool)
				if _, err := s.Result(ctx, key); err == nil {
					t.Errorf("boot %.16s was handed out again", key)
				}
				err = s.Keep(ctx, &catalogue.Result{Schema: catalogue.ResultSchema, Key: key, Tool: tool, Job: j, Final: true, Record: aRecord(random, j.SHA256)})
				if err == nil {
					err = d.Done(ctx)
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	spread, err := catalogue.NewSpread(ctx, s, tool)
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.server.Varz(nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	boots := make([]int, *simulated)
	for i := range boots {
		boots[i] = i
	}
	together.Do(512, boots, func(i int) {
		r, err := spread.Run(ctx, &certify.Subject{Image: img}, vm.Config{Platform: vm.TDX, Memory: 1 << 30, MaxInstructions: 1 + uint64(i)})
		if err != nil || r.Outcome != record.PowerOff {
			t.Errorf("boot %d: %v", i, err)
		}
	})
	took := time.Since(began)
	after, err := s.server.Varz(nil)
	if err != nil {
		t.Fatal(err)
	}
	end()
	wait.Wait()
	keys, err := s.ResultKeys(t.Context())
	if err != nil || len(keys) != len(boots) {
		t.Errorf("%d results of %d boots, %v", len(keys), len(boots), err)
	}
	n := float64(len(boots))
	messages := float64(after.InMsgs-before.InMsgs+after.OutMsgs-before.OutMsgs) / n
	t.Logf("ended with: %d boots of %d workers; for each, messages to the server %.1f and from it %.1f, KiB %.1f and %.1f; %.0f boots a second with one server on this disk",
		len(boots), workers, float64(after.InMsgs-before.InMsgs)/n, float64(after.OutMsgs-before.OutMsgs)/n,
		float64(after.InBytes-before.InBytes)/n/1024, float64(after.OutBytes-before.OutBytes)/n/1024, n/took.Seconds())
	if messages > 40 {
		t.Errorf("%.1f messages a boot", messages)
	}
}
