package vm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// endless are programs that have no end of their own and keep the host busy in ways of their own. A guest of the plain
// platform is without what some of them ask for.
var endless = []struct {
	source    string
	names     []string
	platforms []string
}{
	{"programs.c", []string{
		"spins", "sums", "fills", "copies", "loads", "waits", "timers", "paths", "fresh", "changes", "touches", "forgets", "computes", "faults", "moves", "rewrites", "compares", "prints",
	}, []string{vm.TDX}},
	{"faults.c", []string{"changes_aliases"}, []string{vm.TDX}},
	{"faults.c", []string{"interrupts"}, vm.PlatformNames()},
	{"faults.c", []string{"tries_again"}, []string{vm.SNP}},
	{"pages.c", []string{"converts", "converts_much"}, vm.ConfidentialPlatforms()},
	{"requests.c", []string{"requests"}, []string{vm.SNP}},
}

// whole asserts that a record has all that a record has.
func whole(t *testing.T, r *record.Record) {
	t.Helper()
	if len(r.Phases) == 0 || r.Phases[len(r.Phases)-1].Phase != record.End || r.Image.SHA256 == "" || r.Host.WallNS == 0 || r.VirtualNS.Total == 0 {
		t.Errorf("there is something missing in %+v", r)
	}
	if err := r.WriteJSON(io.Discard); err != nil {
		t.Error(err)
	}
}

// soon asserts that what is told to end after a while does so within a second. Where a busy host has lost a second, it is
// tried once more.
func soon(t *testing.T, after time.Duration, run func() *record.Record) *record.Record {
	t.Helper()
	var r *record.Record
	var late time.Duration
	for range 2 {
		began := time.Now()
		r = run()
		if late = time.Since(began) - after; late < time.Second {
			return r
		}
	}
	t.Errorf("it ended %v after it was told to", late)
	return r
}

// Whatever a guest does, a run ends when it is told to, in each of the ways in which it can be told, under each engine, with
// a whole record.
func TestToldToEnd(t *testing.T) {
	const after = 150 * time.Millisecond
	const outcome = record.Limit
	ways := map[string]func(*testing.T, vm.Config) *record.Record{
		"timeout": func(t *testing.T, cfg vm.Config) *record.Record {
			cfg.MaxWall = after
			return soon(t, after, func() *record.Record { return ends(t, t.Context(), cfg, outcome) })
		},
		"context": func(t *testing.T, cfg vm.Config) *record.Record {
			return soon(t, after, func() *record.Record {
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				return ends(t, ctx, cfg, record.Cancelled)
			})
		},
		// How long it takes to come there is the guest's affair, so it is not far.
		"instructions": func(t *testing.T, cfg vm.Config) *record.Record {
			cfg.MaxInstructions = 20_000
			return soon(t, 2*time.Second, func() *record.Record { return ends(t, t.Context(), cfg, outcome) })
		},
		"virtual time": func(t *testing.T, cfg vm.Config) *record.Record {
			cfg.MaxVirtual = firmwareTakes[cfg.Platform] + 50*time.Microsecond
			return soon(t, 5*time.Second, func() *record.Record { return ends(t, t.Context(), cfg, outcome) })
		},
	}
	for _, e := range endless {
		for _, name := range e.names {
			img := programIn(t, e.source, name)
			for _, platform := range e.platforms {
				for way, told := range ways {
					for _, engine := range engines() {
						t.Run(name+"/"+platform+"/"+way+"/"+engine, func(t *testing.T) {
							whole(t, told(t, vm.Config{Platform: platform, Memory: 1 * gib, Image: img, Initrd: []byte{}, MaxVirtual: -1, Engine: engine}))
						})
					}
				}
			}
		}
	}
}

// firmwareTakes is how much virtual time firmware takes to accept its memory, by platform; what is below a microsecond is
// cut off.
var firmwareTakes = map[string]time.Duration{vm.TDX: 53_350 * time.Microsecond, vm.SNP: 27_546 * time.Microsecond}

// ends runs a machine and asserts its outcome.
func ends(t *testing.T, ctx context.Context, cfg vm.Config, want record.Outcome) *record.Record {
	t.Helper()
	r, err := vm.Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != want {
		t.Errorf("outcome %s, want %s; %+v", r.Outcome, want, r.Diagnosis)
	}
	return r
}

// Firmware's own work is told to end as well: accepting terabytes before the image is started, and when it leaves.
func TestToldToEndInFirmware(t *testing.T) {
	for _, platform := range vm.ConfidentialPlatforms() {
		for name, cfg := range map[string]vm.Config{
			"at the start": {FirmwarePolicy: "eager", Image: guestProgram(t, "spins")},
			"at the end":   {FirmwarePolicy: "negotiate", Image: application(t, countUnaccepted)},
		} {
			t.Run(platform+"/"+name, func(t *testing.T) {
				cfg.Platform, cfg.Memory, cfg.HostPage, cfg.Initrd, cfg.MaxWall = platform, 4<<40, 4<<10, []byte{}, 300*time.Millisecond
				whole(t, soon(t, cfg.MaxWall, func() *record.Record { return ends(t, t.Context(), cfg, record.Limit) }))
			})
		}
	}
}

// The limits that are part of a run are reached at the same place whatever the blocks.
func TestLimitsAreExact(t *testing.T) {
	for name, cfg := range map[string]vm.Config{
		"virtual time": {Image: guestProgram(t, "copies"), MaxVirtual: 70 * time.Millisecond},
		"services":     {Image: guestProgram(t, "sums"), MaxInstructions: 50_000_000},
		"waiting":      {Image: guestProgram(t, "waits"), MaxInstructions: 1_000_000},
		"a panic":      {Image: guestProgram(t, "panics")},
		"host memory":  {Image: guestProgram(t, "touches"), MaxHostMemory: 256 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Memory, cfg.Initrd = 1*gib, []byte{}
			var want []byte
			for _, limit := range []int{0, 1, 7} {
				cfg.BlockLimit = limit
				r, err := vm.Run(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				r.Host = record.Host{}
				got, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if !bytes.Equal(got, want) {
					t.Errorf("blocks of %d:\n%s\nwithout a limit:\n%s", limit, got, want)
				}
			}
		})
	}
}

// A kernel that has said its last word is given up soon after, and one that goes on is not.
func TestPanicThatNeverEnds(t *testing.T) {
	for name, c := range map[string]struct {
		want record.Outcome
		from time.Duration // virtual time of the end, beyond what firmware takes
		to   time.Duration
	}{
		"panics":  {record.GuestPanic, 250 * time.Millisecond, 260 * time.Millisecond},
		"sleeps":  {record.GuestPanic, 0, 260 * time.Millisecond},                        // nothing can wake it
		"revives": {record.GuestPanic, 2250 * time.Millisecond, 2260 * time.Millisecond}, // 20 × 100 ms
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: vm.None, Memory: 256 * mib, Image: guestProgram(t, name), Initrd: []byte{}, MaxInstructions: 2_000_000_000})
			if ns := time.Duration(b.VirtualNS.Total); b.Outcome != c.want || ns < c.from || ns > c.to {
				t.Errorf("outcome %s after %v; the console says %q", b.Outcome, ns, b.console)
			}
			if b.Diagnosis == nil || !strings.Contains(b.Diagnosis.Summary, "for a test") {
				t.Errorf("diagnosis %+v", b.Diagnosis)
			}
		})
	}
}

// Who awaits gdb, or stands still for it, ends when told to as well.
func TestToldToEndUnderGDB(t *testing.T) {
	const after = 300 * time.Millisecond
	for name, say := range map[string]string{
		"no client yet":     "",
		"a connection":      "+",
		"half a packet":     "$?#3f$m60",
		"standing still":    "$?#3f",
		"going on":          "$vCont;c#a8",
		"somebody deaf":     strings.Repeat("$m1000000,1f00#4f", 2000),
		"another language":  "GET / HTTP/1.1\r\n\r\n",
		"a flood of Ctrl-C": "$vCont;c#a8" + strings.Repeat("\x03", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := vm.Config{Platform: vm.None, Memory: 256 * mib, Image: guestProgram(t, "spins"), Initrd: []byte{}, MaxWall: after}
			soon(t, after, func() *record.Record {
				s, err := gdb.Listen("127.0.0.1:0", false)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				go func() { _, _ = io.WriteString(c, say) }() // may well fail
				cfg.Debugger = s
				return ends(t, t.Context(), cfg, record.Limit)
			})
		})
	}
}

// A guest that writes to more memory than the run may take of the host's ends it, with a record that says what took it.
func TestHostMemoryIsBounded(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		img := guestProgram(t, "touches")
		b := boot(t, vm.Config{Platform: platform, Memory: 256 * mib, Image: img, Initrd: []byte{}, MaxHostMemory: 256 * mib, MaxInstructions: 100_000_000})
		if b.Outcome != record.Limit || !strings.Contains(b.Diagnosis.Summary, "256 MiB of the host's memory") || !strings.Contains(b.Diagnosis.Summary, "has been written to") {
			t.Errorf("%s: outcome %s, %+v", platform, b.Outcome, b.Diagnosis)
		}
		b = boot(t, vm.Config{Platform: platform, Memory: 256 * mib, Image: img, Initrd: []byte{}, MaxHostMemory: math.MaxUint64, MaxInstructions: 10_000_000})
		if !strings.Contains(b.Diagnosis.Summary, "instructions") {
			t.Errorf("%s without a limit: %+v", platform, b.Diagnosis)
		}
	}
	_, err := vm.Run(t.Context(), vm.Config{Image: guestProgram(t, "spins"), Initrd: make([]byte, 100*mib), MaxHostMemory: 300 * mib})
	if err == nil || !strings.Contains(err.Error(), "not enough") {
		t.Errorf("with an initrd of most of it: %v", err)
	}
}

// Of a guest with more memory than any host has, all counts that grows with what it does: pages that it writes to, what
// is known of the state of pages, and the host's page tables where it has only looked.
func TestAllThatGrowsIsCounted(t *testing.T) {
	for _, c := range []struct {
		program   string
		platforms []string
		says      string // takes most of what there is for the guest
	}{
		{"takes", vm.PlatformNames(), "of guest memory that has been written to"},
		{"divides", vm.ConfidentialPlatforms(), "of page states"},
		{"looks", []string{vm.None}, "of guest memory that has been written to, with its page tables"},
	} {
		img := programIn(t, "pages.c", c.program)
		for _, platform := range c.platforms {
			t.Run(c.program+"/"+platform, func(t *testing.T) {
				b := boot(t, vm.Config{Platform: platform, Memory: 4 << 40, Image: img, Initrd: []byte{}, MaxHostMemory: 384 * mib})
				if b.Outcome != record.Limit {
					t.Fatalf("outcome %s, %+v", b.Outcome, b.Diagnosis)
				}
				said := b.Diagnosis.Summary
				t.Log(said)
				before, _, found := strings.Cut(said, c.says)
				var took int
				if _, err := fmt.Sscanf(before[strings.LastIndexAny(before, "(,")+1:], "%d MiB", &took); err != nil || !found || took < 128 {
					t.Errorf("it says %q; want at least 128 MiB %s (%v)", said, c.says, err)
				}
			})
		}
	}
}

// Checksums are made beside the run, of what is large, too.
func TestChecksumsOfLargeInputs(t *testing.T) {
	r := ends(t, t.Context(), vm.Config{Memory: 1 * gib, Image: guestProgram(t, "spins"), Initrd: make([]byte, 128*mib), MaxInstructions: 1000}, record.Limit)
	if len(r.Config.InitrdSHA256) != 64 {
		t.Errorf("the initrd's is %q", r.Config.InitrdSHA256)
	}
}
