package vm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// placeSymbols makes gdb load the symbols where KASLR has put the kernel, as docs/debugging.md shows it.
const placeSymbols = `python import re; offset = re.search("-o (0x[0-9a-f]+)", gdb.execute("monitor kernel", to_string=True)).group(1); ` +
	`gdb.execute("symbol-file %s -o " + offset)`

// Stock gdb and a stock kernel, as a person would use them: stop at an acceptance, load the symbols, look who accepts
// and why, break at functions by name, read a variable, step, watch memory, go on to the end. None of it shows in the
// record.
func TestGDBInAKernel(t *testing.T) {
	t.Parallel()
	want := defaultBoot()(t)
	img := debian13(t)
	vmlinux := filepath.Join(t.TempDir(), "vmlinux")
	file, err := os.Create(vmlinux)
	if err != nil {
		t.Fatal(err)
	}
	if err := img.WriteVmlinux(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	out, b := stock(t, vm.Config{Image: img},
		"monitor accept 200", "continue", "monitor state", "x/i $pc-4", fmt.Sprintf(placeSymbols, vmlinux),
		"backtrace 2", "x/24a $sp", "x/s &linux_banner",
		"break kernel_init", "continue", "stepi", "nexti", "info symbol $pc", "delete",
		"set $now = *(long*)&jiffies", "watch *(long*)&jiffies", "continue", "p *(long*)&jiffies - $now", "delete",
		"hbreak __x64_sys_reboot", "continue", "p (int)$rdi == 0", "p (long)jiffies - $now > 100", "delete", "continue")
	says(t, out,
		"acceptance 200: 2M by kernel", "phase         kernel-entry", "tdcall", "#0 ", "__tdcall ()", "try_accept_one ()", "<tdx_accept_memory+", "<accept_memory+",
		"Linux version 6.12", "Breakpoint 1, ", "kernel_init ()", "kernel_init + ", "Hardware watchpoint 2", "Old value", "do_timer ()", "= 1",
		"Breakpoint 3, ", "__x64_sys_reboot ()", "= 0", "= 1", "the run has ended: poweroff", "exited normally")
	b.powersOff(t)
	if got, want := jsonOf(t, b), jsonOf(t, want); got != want || b.console != defaultBoot()(t).console {
		t.Errorf("the records differ: %s", firstDifference(want, got))
	}
}

// With KASLR functions are named from the kernel's first page tables on. That the kernel has been moved as far as its
// tables say is what it says itself later, by where SYSCALL enters it.
func TestFunctionsAreNamedEarly(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	symbols, err := img.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	moved := func(instructions uint64) uint64 {
		t.Helper()
		b := boot(t, vm.Config{Image: img, MaxInstructions: instructions})
		name, offset, found := strings.Cut(b.Diagnosis.Symbol, "+")
		at, known := symbols.Address(name)
		n, err := strconv.ParseUint(offset, 0, 64)
		if !found || !known || err != nil {
			t.Fatalf("after %d instructions the guest is at %v in %q", instructions, b.Diagnosis.RIP, b.Diagnosis.Symbol)
		}
		return uint64(*b.Diagnosis.RIP) - at - n
	}
	var entry uint64
	for _, p := range defaultBoot()(t).Phases {
		if p.Phase == record.KernelEntry {
			entry = p.Instructions
		}
	}
	early, late := moved(entry+100_000), moved(entry+300_000_000)
	if early != late || early == 0 || early%(2<<20) != 0 {
		t.Errorf("moved by %#x when seen early, by %#x when seen late", early, late)
	}
}
