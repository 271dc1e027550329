package vm_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/pprof"
	"github.com/tacit-vm/tacit/vm"
)

// wholly asserts that all that the guest accepted has a caller, and that every stack leads to where the kernel's
// threads begin.
func wholly(t *testing.T, b booted, roots ...string) {
	t.Helper()
	var sum uint64
	for _, c := range b.Acceptance.Callers {
		sum += c.Bytes
		if root := record.Function(c.Stack[len(c.Stack)-1]); !slices.Contains(roots, root) {
			t.Errorf("%d bytes are asked for by a stack that ends in %s: %s", c.Bytes, root, strings.Join(c.Stack, " ← "))
		}
	}
	if by := b.Acceptance.By; sum != by.Kernel.Bytes+by.Stub.Bytes || sum == 0 {
		t.Errorf("callers asked for %d bytes, the guest accepted %d", sum, by.Kernel.Bytes+by.Stub.Bytes)
	}
}

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
		wholly(t, b, "common_startup_64", "ret_from_fork_asm", "entry_SYSCALL_64_after_hwframe", "asm_exc_page_fault")
		asksFor(t, b, 240*mib, instruction, "accept_memory", "swiotlb_init_remap", "mem_init", "start_kernel")
		asksFor(t, b, 48*mib, instruction, "accept_memory", "sparse_init", "setup_arch", "start_kernel")
		asksFor(t, b, 64*mib, instruction, "get_page_from_freelist", "kernel_init")
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
	quiet := goGuest(t, vm.Config{}, "hold=32M")
	if err := pprof.Write(&bytes.Buffer{}, quiet.Record); err != pprof.ErrNoCallers || quiet.Acceptance.Callers != nil {
		t.Errorf("a record without callers: %v", err)
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
