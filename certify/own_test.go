package certify

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// own is tacit's own guest.
func own(t *testing.T) *image.Image {
	t.Helper()
	img, err := image.Parse(guest.DemoName, guest.Demo())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// stubless has the header of a kernel without an EFI stub, which firmware cannot start.
var stubless = func() []byte {
	b := make([]byte, 0x1000)
	b[0x1f1] = 1 // setup_sects
	copy(b[0x1fe:], "\x55\xaa\xeb\x66HdrS")
	binary.LittleEndian.PutUint16(b[0x206:], 0x020f) // version of the protocol
	return b
}()

// Tacit's own guest shows all that can be required. Where it is a system that has never heard of unaccepted memory, it
// shows nothing of it, and its cases fail.
func TestOwnGuest(t *testing.T) {
	run := func(words string) *Certificate {
		c, err := Run(t.Context(), Config{
			Subjects: []Subject{{Image: own(t)}}, Require: inspect.Requirements, Append: words, Memory: []uint64{1 << 30},
			Policies: []string{"negotiate", "lazy"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := run("hold=700M")
	v := c.Verdicts[0]
	if !c.OK() || v.Result != Passed || len(v.Required) != len(inspect.Requirements) || v.SHA256 == "" {
		t.Errorf("%s: %v", v.Line, v.unmet)
	}
	if tags := v.Tags[0]; tags.Cloud != "gce" || strings.Join(tags.Tags, ",") != "UEFI_COMPATIBLE,SEV_SNP_CAPABLE,TDX_CAPABLE" {
		t.Errorf("tags: %+v", v.Tags)
	}
	c = run("unaccepted=unknown")
	v = c.Verdicts[0]
	if c.OK() || v.Result != Failed || v.Required["tdx"] != No || v.Required["tdx-guest"] != Yes || v.Required["negotiate"] != No {
		t.Errorf("%s: %v", v.Line, v.Required)
	}
	for _, b := range c.Boots {
		if f := b.junit().Failure; f == nil || b.Policy == "lazy" && !strings.Contains(f.Text, "it sees 249 MiB of 1 GiB") {
			t.Errorf("%s: %+v", b.title(), f)
		}
	}
}

// Who watches hears of a boot before the first has ended, and of its phases.
func TestWatch(t *testing.T) {
	var (
		lock   sync.Mutex
		seen   = map[record.Phase]bool{}
		before bool
		ended  int
	)
	_, err := Run(t.Context(), Config{
		Subjects: []Subject{{Image: own(t)}}, Platforms: []string{vm.TDX}, Policies: []string{"lazy"}, Memory: []uint64{512 << 20},
		Progress: func(done, all int, b *Boot) { lock.Lock(); ended = done; lock.Unlock() },
		Watch: func(b *Boot, reached record.Phase, p record.Progress) {
			lock.Lock()
			defer lock.Unlock()
			seen[reached], before = true, before || ended == 0
		},
	})
	if err != nil || !before || !seen[record.StubEntry] || !seen[record.Report] {
		t.Errorf("%v: before the end %v, phases %v", err, before, seen)
	}
}
