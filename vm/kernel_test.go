package vm_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/vm"
)

// The tests here boot stock kernels of Debian, which scripts/fetch-kernels fetches. They assert what a guest and the
// machine agree on, not what either alone says.

var kernels = flag.String("kernels", "../kernels", "directory that scripts/fetch-kernels has filled")

const (
	mib = 1 << 20
	gib = 1 << 30
)

// kernel opens the one package that the pattern names.
func kernel(t testing.TB, pattern string) *image.Image {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*kernels, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no kernel %s in %s: run scripts/fetch-kernels", pattern, *kernels)
	}
	slices.Sort(found)
	img, err := image.Open(context.Background(), found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func debian13(t testing.TB) *image.Image { return kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb") }
func debian12(t testing.TB) *image.Image { return kernel(t, "linux-image-6.1.0-*-cloud-amd64_*.deb") }

// debianBackports is the newest, which the long tier alone has.
func debianBackports(t testing.TB) *image.Image {
	return kernel(t, "linux-*-7.3.*-cloud-amd64_*.deb")
}

// A booted machine is what is left of it.
type booted struct {
	*record.Record
	console string
}

func boot(t testing.TB, cfg vm.Config) booted {
	t.Helper()
	var console bytes.Buffer
	cfg.Console = &console
	r, err := vm.Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return booted{r, console.String()}
}

// powersOff asserts the good end and shows the console otherwise.
func (b booted) powersOff(t testing.TB) {
	t.Helper()
	if b.Outcome != record.PowerOff {
		t.Fatalf("outcome %s, diagnosis %+v; the console ends with\n%s", b.Outcome, b.Diagnosis, b.console[max(0, len(b.console)-2000):])
	}
}

// booksAgree asserts the oracle: the guest's bitmap and the machine's count are equal, and what meminfo says is near. Linux
// has the unit after a range accepted, too (drivers/firmware/efi/unaccepted_memory.c: load_unaligned_zeropad), and meminfo
// goes on counting it: 2 MiB for each place where accepted memory ends, of which guests with many processors have three.
func (b booted) booksAgree(t testing.TB) {
	t.Helper()
	a := b.Acceptance
	if a.UnacceptedAtReport == nil || a.BitmapSetAtReport == nil || b.Guest.MemInfo == nil || b.Guest.MemInfo.Unaccepted == nil {
		t.Fatalf("the guest did not report: %+v, %+v", a, b.Guest)
	}
	machine, bitmap, meminfo := *a.UnacceptedAtReport, *a.BitmapSetAtReport, *b.Guest.MemInfo.Unaccepted
	if machine != bitmap {
		t.Errorf("the machine holds %d bytes as unaccepted, the guest's bitmap %d", machine, bitmap)
	}
	if d := int64(meminfo) - int64(machine); d < -4*mib || d > 8*mib {
		t.Errorf("meminfo says %d bytes, the machine %d: %d MiB apart", meminfo, machine, d/mib)
	}
}

// the default boot is what several tests look at.
var defaultBoot = sync.OnceValue(func() func(t testing.TB) booted {
	var once sync.Once
	var b booted
	return func(t testing.TB) booted {
		t.Helper()
		once.Do(func() { b = boot(t, vm.Config{Image: debian13(t)}) })
		if b.Record == nil {
			t.Fatal("the default boot failed in another test")
		}
		return b
	}
})

func TestTDXGuestAcceptsLazily(t *testing.T) {
	t.Parallel()
	b := defaultBoot()(t)
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n <= 5*gib/2 {
		t.Errorf("%d bytes unaccepted at init, want more than 2.5 GiB of 4", n)
	}
	if !slices.Contains(b.Guest.Flags, "tdx_guest") {
		t.Errorf("/proc/cpuinfo has no tdx_guest: %v", b.Guest.Flags)
	}
	for _, line := range []string{"tdx: Guest detected", "Memory Encryption Features active: Intel TDX", "Unaccepted=0x"} {
		if !strings.Contains(b.console, line) {
			t.Errorf("dmesg lacks %q", line)
		}
	}
	by := b.Acceptance.By
	if by.Firmware.Bytes != 256*mib || by.Stub.Bytes != 0 || by.Kernel.Bytes == 0 {
		t.Errorf("accepted by firmware %d, stub %d, kernel %d bytes", by.Firmware.Bytes, by.Stub.Bytes, by.Kernel.Bytes)
	}
	if all := by.Firmware.Bytes + by.Kernel.Bytes + *b.Acceptance.UnacceptedAtEnd; all < 4*gib {
		t.Errorf("accepted and unaccepted memory are %d bytes, less than there is", all)
	}
	if b.Calls["uefi"]["MemoryAcceptance.AllowUnacceptedMemory"]["EFI_SUCCESS"] != 1 {
		t.Error("the stub did not call AllowUnacceptedMemory")
	}
}

func TestSameBytesAgain(t *testing.T) {
	t.Parallel()
	first := defaultBoot()(t)
	var recorder timeline.Recorder
	again := boot(t, vm.Config{Image: debian13(t), BlockLimit: 7, Timeline: &recorder}) // where blocks end must not matter either
	agrees(t, again.Record, recorder.Timeline())
	if first.console != again.console {
		t.Error("two runs print differently:\n" + firstDifference(first.console, again.console))
	}
	if a, b := jsonOf(t, first), jsonOf(t, again); a != b {
		t.Error("two runs have different records:\n" + firstDifference(a, b))
	}
}

// jsonOf is the record without its host part.
func jsonOf(t testing.TB, b booted) string {
	t.Helper()
	r := *b.Record
	r.Host = record.Host{}
	var w strings.Builder
	if err := r.WriteJSON(&w); err != nil {
		t.Fatal(err)
	}
	return w.String()
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

func TestEagerAcceptsAll(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Image: debian13(t), Append: "accept_memory=eager"})
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n != 0 {
		t.Errorf("%d bytes unaccepted at init in spite of accept_memory=eager", n)
	}
}

// A kernel that has no interrupts for its serial ports reports all the same.
func TestReportWithoutInterrupts(t *testing.T) {
	t.Parallel()
	for words, platform := range map[string]string{"nosmp": vm.TDX, "maxcpus=0": vm.SNP} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, Image: debian13(t), Append: words})
			b.powersOff(t)
			b.booksAgree(t)
		})
	}
}

// What was to happen and did not is no success.
func TestMissingReports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg  vm.Config
		says string
	}{
		"no second serial port":     {vm.Config{Append: "pnpacpi=off 8250.nr_uarts=1"}, "did not report"},
		"more memory than is there": {vm.Config{Memory: gib, Touch: gib}, "was to touch 1 GiB and did not; it says: touch: KiB available"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.cfg.Image = debian13(t)
			b := boot(t, c.cfg)
			if b.Outcome != record.NoReport || b.Diagnosis == nil || !strings.Contains(b.Diagnosis.Summary, c.says) {
				t.Errorf("outcome %s, %+v; want %q", b.Outcome, b.Diagnosis, c.says)
			}
		})
	}
}

// Memory that a program touches comes first from what is accepted and free, then from what has to be accepted; what was
// accepted and is still free afterwards is what the kernel's watermarks ask for.
func TestTouchedMemoryIsAccepted(t *testing.T) {
	t.Parallel()
	const touch = 2 * gib
	b := boot(t, vm.Config{Image: debian13(t), Touch: touch})
	b.powersOff(t)
	b.booksAgree(t)
	if len(b.Guest.Steps) != 2 || b.Guest.Steps[0].Name != "untouched" || b.Guest.Touched == nil || *b.Guest.Touched != *b.Guest.MemInfo {
		t.Fatalf("the init did not report what it saw before it touched memory, and then: %+v", b.Guest)
	}
	before, after := b.Guest.Steps[0].MemInfo, b.Guest.MemInfo
	acceptedFree := func(m *record.MemInfo) int64 { return int64(m.MemFree) - int64(*m.Unaccepted) }
	const pageTables = touch / 512
	want := touch + pageTables - acceptedFree(before) + acceptedFree(after)
	got := int64(b.Guest.Steps[0].Unaccepted) - int64(*b.Acceptance.UnacceptedAtReport)
	if d := got - want; d < -8*mib || d > 8*mib {
		t.Errorf("touching 2 GiB took %d MiB of unaccepted memory, want %d: %d MiB were accepted and free before, %d after",
			got>>20, want>>20, acceptedFree(before)>>20, acceptedFree(after)>>20)
	}
	if left := acceptedFree(after); left < 0 || left > 192*mib {
		t.Errorf("%d MiB are accepted and free afterwards: more than watermarks ask for", left>>20)
	}
}

// 64 GiB of guest cost little more than the kernel's own map of it, which is 1 GiB. The boot runs in a process of its
// own, whose memory is counted.
func TestTDXGuestOf64G(t *testing.T) {
	const child = "TACIT_TEST_CHILD"
	if os.Getenv(child) == "" {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestTDXGuestOf64G$", "-kernels="+*kernels)
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	b := boot(t, vm.Config{Memory: 64 * gib, Image: debian13(t)})
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n < 60*gib {
		t.Errorf("%d bytes unaccepted at init of 64 GiB", n)
	}
	if n := b.Host.PeakRSSBytes; n == 0 || n >= 3*gib/2 {
		t.Errorf("%d MiB resident, want less than 1.5 GiB", n>>20)
	}
}

func TestHostPagesOf4K(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Image: debian13(t), HostPage: 4 << 10})
	b.powersOff(t)
	b.booksAgree(t)
	sizes := b.Acceptance.By.Kernel.Sizes
	if sizes["4K"].Bytes != b.Acceptance.By.Kernel.Bytes {
		t.Errorf("over 4 KiB host pages the kernel accepted %+v", sizes)
	}
	if b.Calls["tdcall"]["MEM.PAGE.ACCEPT"]["TDX_PAGE_SIZE_MISMATCH"] == 0 {
		t.Errorf("no accept of 2 MiB met a size mismatch: %v", b.Calls["tdcall"]["MEM.PAGE.ACCEPT"])
	}
}

func TestMisalignedMemoryIsAcceptedByTheStub(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Image: debian13(t), Misalign: true})
	b.powersOff(t)
	b.booksAgree(t)
	if b.Acceptance.By.Stub.Bytes == 0 {
		t.Error("the stub accepted nothing of memory with odd boundaries")
	}
}

func TestPlainGuests(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *image.Image{"6.1": debian12, "6.12": debian13} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: vm.None, Image: open(t)})
			b.powersOff(t)
			if strings.Contains(b.console, "Unaccepted=0x") {
				t.Error("firmware published unaccepted memory")
			}
			if b.Guest.MemInfo == nil || b.Guest.MemInfo.MemTotal < 3900*mib {
				t.Errorf("the guest sees %+v of 4 GiB", b.Guest.MemInfo)
			}
		})
	}
}

func TestKernelWithoutTDXSaysSo(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Image: debian12(t)})
	if b.Outcome == record.PowerOff || b.Diagnosis == nil || !strings.Contains(b.Diagnosis.Advice, "is not a TDX guest") {
		t.Errorf("6.1 as TDX guest: outcome %s, diagnosis %+v", b.Outcome, b.Diagnosis)
	}
}

// A kernel that gives up is named with the function in which it did: not with firmware, which restarts the machine, nor
// with the loop in which it waits for ever.
func TestPanicNamesTheFunction(t *testing.T) {
	t.Parallel()
	for platform, words := range map[string]string{vm.None: "panic=0", vm.TDX: "", vm.SNP: ""} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, Image: debian13(t), Initrd: []byte{}, Append: words, MaxInstructions: 2_500_000_000})
			if b.Outcome != record.GuestPanic && b.Outcome != record.Limit {
				t.Fatalf("a kernel without a root file system: outcome %s", b.Outcome)
			}
			d := b.Diagnosis
			if !strings.Contains(d.Summary, "Kernel panic - not syncing") {
				t.Errorf("the summary is %q", d.Summary)
			}
			if !strings.HasPrefix(d.Symbol, "mount_root_generic+") || d.RIP == nil || d.Instruction == nil || !strings.HasSuffix(d.Instruction.Text, " panic") {
				t.Errorf("it ended in %q at %v, instruction %+v", d.Symbol, d.RIP, d.Instruction)
			}
		})
	}
}
