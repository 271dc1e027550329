package gdb

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// script runs Debian's gdb with these commands against the address and returns what it prints.
func script(t *testing.T, address string, commands ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := []string{"-nx", "-batch", "-ex", "set confirm off", "-ex", "set architecture i386:x86-64", "-ex", "target remote " + address}
	for _, c := range commands {
		args = append(args, "-ex", c)
	}
	gdb := exec.CommandContext(ctx, "gdb", args...)
	out, err := gdb.CombinedOutput()
	if err != nil {
		t.Fatalf("gdb (scripts/install-tools gets it): %v\n%s", err, out)
	}
	return string(out)
}

// want asserts that the texts are there, in this order.
func want(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%q is missing, or comes too early, in\n%s", text, out)
			return
		}
		rest = after
	}
}

func TestStockRegisters(t *testing.T) {
	f := newFake(1)
	address, wait := debug(t, f)
	out := script(t, address,
		"info registers", "p $eflags", "p $st0", "p $xmm3.v4_float", "p $mxcsr", "p $fctrl", "p $cr0", "p/x $cr3", "p $efer", "p $fs_base", "p $cr8",
		"set $rbx = 77", "set $xmm5.v2_int64[1] = 99", "set $fs_base = 4096", "set $eflags = 0x202", "set $st1 = 2.5", "p $st1", "set $cr0 = (long)0", "p $rbx")
	want(t, out,
		"rax            0x1122334455667788", "rip            0x400000", "gs_base        0xffff888000000000",
		"[ PF ZF IF ]", "$2 = 1", "$3 = {1, 0, 0, 0}", "[ IM DM ZM OM UM PM ]", "= 895", "[ PE MP ET NE WP AM PG ]", "= 0x1234000", "[ SCE LME LMA NXE ]",
		"= 0\n", "= 5\n", "= 2.5", "Could not write register \"cr0\"", "= 77")
	wait()
	if r := f.regs[0]; r.RBX != 77 || r.XMM[5][8] != 99 || r.FSBase != 4096 || r.RFLAGS != 0x202 || r.CR0 != 0x80050033 || r.RAX != 0x1122334455667788 {
		t.Errorf("registers are %+v", r)
	}
}

func TestStockExecution(t *testing.T) {
	f := newFake(2)
	address, wait := debug(t, f)
	out := script(t, address,
		"x/2i $pc", "break *0x400010", "hbreak *0x400018", "continue", "stepi", "p $pc", "continue",
		"watch *(char*)0x600000", "continue", "p $pc", "delete", "info threads", "thread 2", "p $rsp", "thread 1",
		"set var *(int*)0x600004 = 0x12345678", "x/2xw 0x600000", "x/xb 0x123", "monitor hello world", "continue")
	want(t, out,
		"0x400000:\tnop", "Breakpoint 1, 0x0000000000400010", "0x400011", "Breakpoint 2, 0x0000000000400018",
		"it was written", "Hardware watchpoint 3", "Old value = 0", "New value = 1", "0x400021",
		"Thread 1", "CPU 0", "Thread 2", "CPU 1", "0x7001", "0x03020101", "0x12345678", "Cannot access memory at address 0x123",
		`you said "hello world"`, "it is over", "exited normally")
	wait()
	if len(f.points) != 0 {
		t.Errorf("points that are left: %v", f.points)
	}
}

func TestStockDetachAndKill(t *testing.T) {
	for end, how := range map[string]How{"detach": Detached, "kill": Killed, "quit": Detached} {
		f := newFake(1)
		address, wait := debug(t, f)
		script(t, address, "break *0x400010", "continue", end)
		wait()
		if last := f.resumes[len(f.resumes)-1]; last.How != how || len(f.points) != 0 {
			t.Errorf("%s: %+v, points %v", end, last, f.points)
		}
	}
}
