package vm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// placeSymbols makes gdb load the symbols where KASLR has put the kernel, as docs/debugging.md shows it.
const placeSymbols = `python import re; offset = re.search("-o (0x[0-9a-f]+)", gdb.execute("monitor kernel", to_string=True)).group(1); ` +
	`gdb.execute("symbol-file %s -o " + offset)`

// Stock gdb and a stock kernel, as a person would use them: stop at an acceptance, load the symbols, look who accepts and why, break at functions by name,
// read a variable, step, watch memory, go on to the end. None of it shows in the record.
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
