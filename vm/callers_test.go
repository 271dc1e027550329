package vm_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/pprof"
	"github.com/tacit-vm/tacit/vm"
)

// sumsUp asserts that all that the guest accepted has a caller.
func sumsUp(t *testing.T, b booted) {
	t.Helper()
	var sum record.Count
	for _, c := range b.Acceptance.Callers {
		sum.Bytes, sum.Operations = sum.Bytes+c.Bytes, sum.Operations+c.Operations
	}
	kernel, stub := b.Acceptance.By.Kernel, b.Acceptance.By.Stub
	if want := (record.Count{Bytes: kernel.Bytes + stub.Bytes, Operations: kernel.Operations + stub.Operations}); sum != want || sum.Bytes == 0 {
		t.Errorf("callers asked for %+v, the guest accepted %+v", sum, want)
	}
}

// wholly asserts that all that the guest accepted has a caller, and that every stack leads to where the kernel's
// threads begin.
func wholly(t *testing.T, b booted, roots ...string) {
	t.Helper()
	sumsUp(t, b)
	for _, c := range b.Acceptance.Callers {
		if root := record.Function(c.Stack[len(c.Stack)-1]); !slices.Contains(roots, root) {
			t.Errorf("%d bytes are asked for by a stack that ends in %s: %s", c.Bytes, root, strings.Join(c.Stack, " ← "))
		}
	}
}

// roots are where the threads of Linux begin, and the processes that have entered it.
var roots = []string{"common_startup_64", "ret_from_fork_asm", "process init"}

// asksFor asserts that a function and those that called it are in one stack, in this order, for so much memory.
func asksFor(t *testing.T, b booted, least uint64, functions ...string) {
	t.Helper()
	var sum uint64
	for _, c := range b.Acceptance.Callers {
		at := 0
		for _, place := range c.Stack {
			if at < len(functions) && record.Function(place) == functions[at] {
				at++
			}
		}
		if at == len(functions) {
			sum += c.Bytes
		}
	}
	if sum < least {
		t.Errorf("%s asked for %d bytes, at least %d are expected", strings.Join(functions, " ← "), sum, least)
	}
}

// A stock kernel's stacks are unwound by its own tables, from the instruction that accepts to the thread's beginning. What
// is known of Linux is in them: SWIOTLB takes 6 % of memory, the memory map 64 bytes a page.
func TestCallersOfDebian13(t *testing.T) {
	t.Parallel()
	for platform, instruction := range map[string]string{vm.TDX: "__tdcall", vm.SNP: "pvalidate_pages"} {
		b := boot(t, vm.Config{Platform: platform, Image: debian13(t), Callers: true, Seed: 3})
		b.powersOff(t)
		wholly(t, b, roots...)
		asksFor(t, b, 240*mib, instruction, "accept_memory", "swiotlb_init_remap", "mem_init", "start_kernel")
		asksFor(t, b, 48*mib, instruction, "accept_memory", "sparse_init", "setup_arch", "start_kernel")
		asksFor(t, b, 64*mib, instruction, "get_page_from_freelist", "kernel_init")
	}
}

// named asserts that of what the kernel has accepted, more than 98 % of the bytes and of the operations have a stack of at
// least three functions that have names.
func named(t *testing.T, b booted) {
	t.Helper()
	var sum record.Count
	for _, c := range b.Acceptance.Callers {
		functions := 0
		for _, place := range c.Stack {
			if f := record.Function(place); f != place && !strings.HasPrefix(f, b.Image.Kernel) {
				functions++
			}
		}
		if functions >= 3 {
			sum.Bytes, sum.Operations = sum.Bytes+c.Bytes, sum.Operations+c.Operations
		}
	}
	k := b.Acceptance.By.Kernel
	t.Logf("%s, %s: named %d of %d bytes, %d of %d operations", b.Image.Kernel, b.Platform, sum.Bytes, k.Bytes, sum.Operations, k.Operations)
	if k.Bytes == 0 || float64(sum.Bytes) <= 0.98*float64(k.Bytes) || float64(sum.Operations) <= 0.98*float64(k.Operations) {
		t.Errorf("stacks of three functions are known of %d of %d bytes, of %d of %d operations", sum.Bytes, k.Bytes, sum.Operations, k.Operations)
	}
}

// Every kernel that scripts/fetch-kernels fetches and that can accept memory says who asked, to the byte; what the EFI stub
// accepts has callers, too. Newer kernels are asked where somebody has fetched them (backports-cloud).
func TestCallersOfAllKernels(t *testing.T) {
	t.Parallel()
	for pattern, c := range map[string]struct {
		platforms []string
		optional  bool
	}{
		"linux-image-6.12.*-cloud-amd64_*.deb":       {vm.ConfidentialPlatforms(), false},
		"linux-image-6.12.*+deb13-amd64_*.deb":       {[]string{vm.SNP}, false},
		"linux-image-6.12.*-rt-amd64_*.deb":          {[]string{vm.TDX}, false},
		"linux-binary-[0-9]*-cloud-amd64_*~bpo*.deb": {vm.ConfidentialPlatforms(), true},
	} {
		if found, err := filepath.Glob(filepath.Join(*kernels, pattern)); err != nil || c.optional && len(found) == 0 {
			continue
		}
		for _, platform := range c.platforms {
			b := boot(t, vm.Config{Platform: platform, Image: kernel(t, pattern), Misalign: true, Callers: true, Append: "quiet"})
			b.powersOff(t)
			named(t, b)
			if b.Acceptance.By.Stub.Bytes == 0 {
				t.Error("the EFI stub accepted nothing of memory with odd boundaries")
			}
			sumsUp(t, b)
		}
	}
}

// In the guest in Go the stack goes through the page fault into the program.
func TestCallersInGo(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		b := goGuest(t, vm.Config{Platform: platform, Callers: true}, "hold=512M")
		b.powersOff(t)
		wholly(t, b, "runtime.goexit", "github.com/tacit-vm/tacit/guest/kernel.serveSyscall")
		const tacit = "github.com/tacit-vm/tacit/"
		asksFor(t, b, 200*mib, tacit+"accept.(*Tracker).Accept", tacit+"guest/kernel.(*kernel).fault", "main.hold", "main.main", "runtime.main")
		asksFor(t, b, 2*mib, tacit+"accept/alloc.(*Allocator).Background", tacit+"guest/kernel.(*kernel).idle")

		var w bytes.Buffer
		if err := pprof.Write(&w, b.Record); err != nil {
			t.Fatal(err)
		}
		p, err := profile.ParseData(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, s := range p.Sample {
			sum += s.Value[0]
		}
		if uint64(sum) != b.Acceptance.By.Kernel.Bytes {
			t.Errorf("the profile has %d bytes, the guest accepted %d", sum, b.Acceptance.By.Kernel.Bytes)
		}
	}
	quiet := goGuest(t, vm.Config{}, "hold=512M")
	if err := pprof.Write(&bytes.Buffer{}, quiet.Record); err != pprof.ErrNoCallers || quiet.Acceptance.Callers != nil {
		t.Errorf("a record of %d bytes without callers: %v", quiet.Acceptance.By.Kernel.Bytes, err)
	}
}

// To ask for callers changes nothing else.
func TestCallersAreFoundFromOutside(t *testing.T) {
	t.Parallel()
	with := goGuest(t, vm.Config{Callers: true}, "hold=128M")
	with.Acceptance.Callers = nil
	without := goGuest(t, vm.Config{}, "hold=128M")
	if a, b := jsonOf(t, with), jsonOf(t, without); a != b || with.console != without.console {
		t.Errorf("records differ: %s", firstDifference(a, b))
	}
}
