package vm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// client runs Debian's gdb with these commands on the machine that s serves and returns what it prints.
func client(t *testing.T, s *gdb.Server, commands ...string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	args := []string{"-nx", "-batch", "-ex", "set confirm off", "-ex", "set pagination off", "-ex", "set architecture i386:x86-64",
		"-ex", "target remote " + s.Addr().String()}
	for _, c := range commands {
		args = append(args, "-ex", c)
	}
	out, err := exec.CommandContext(ctx, "gdb", args...).CombinedOutput()
	if err != nil {
		t.Errorf("gdb (scripts/install-tools gets it): %v\n%s", err, out)
		_ = s.Close() // so that the machine goes on
	}
	return string(out)
}

// stock runs a machine under gdb, and returns what that prints and what is left of the machine.
func stock(t *testing.T, cfg vm.Config, commands ...string) (out string, b booted) {
	t.Helper()
	s, err := gdb.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	printed := make(chan string)
	go func() { printed <- client(t, s, commands...) }()
	cfg.Debugger = s
	b = boot(t, cfg)
	return <-printed, b
}

// says asserts that gdb has printed these texts, in this order.
func says(t *testing.T, out string, texts ...string) {
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

// counting is a program that counts down in memory, and returns to firmware.
var counting = []byte{
	0xB9, 0x10, 0, 0, 0, // 00 mov ecx, 16
	0x51, 0xFF, 0xC9, 0x58, // 05 push rcx; dec ecx; pop rax
	0x75, 0xFA, // 09 jnz 05
	0x31, 0xC0, // 0b xor eax, eax
	0xC3, // 0d ret
}

// A run is the same under gdb, whatever gdb looks at and however often it stops.
func TestGuestDoesNotNoticeGDB(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.PlatformNames() {
		cfg := vm.Config{Platform: platform, Memory: 256 * mib, Image: application(t, counting), Initrd: []byte{}}
		want := boot(t, cfg)
		for name, c := range map[string]struct{ commands, says []string }{
			"only continues": {[]string{"continue"}, []string{"halted: program of the test returned to firmware"}},
			"looks around": {
				[]string{"info registers", "x/3i $pc", "x/40xg $sp", "x 0xffffffff81000000", "monitor state", "monitor record", "monitor page $pc", "continue"},
				[]string{"[ PE MP ET NE WP PG ]", "mov    $0x10,%ecx", "Cannot access memory at address 0xffffffff81000000",
					"stub-entry", "still running", "the page is ", "halted: "},
			},
			"steps": {[]string{"stepi 20", "x/i $pc", "continue"}, []string{"jne", "halted: "}},
			"stops": {
				[]string{"break *($pc+9)", "set $at = (long*)($sp-8)", "eval \"watch *(long*)%p\", $at", "continue", "continue", "continue", "p $ecx", "delete", "continue"},
				[]string{"Hardware watchpoint 2", "New value = 16", "Breakpoint 1,", "New value = 15", "= 15", "halted: "},
			},
			"leaves": {[]string{"break *($pc+9)", "detach"}, []string{"detached"}},
		} {
			for _, w := range ways(0) {
				out, b := stock(t, w.of(cfg), c.commands...)
				says(t, out, c.says...)
				if got, want := jsonOf(t, b), jsonOf(t, want); got != want {
					t.Errorf("%s, %s, %v: the records differ:\n%s\n%s", platform, name, w, firstDifference(want, got), out)
				}
			}
		}
	}
}

// What one would want to see when a guest touches what it has not accepted: the moment before, the moment itself, and
// what it is about.
func TestGDBAtAViolation(t *testing.T) {
	t.Parallel()
	const page = 0x4000_0000 // handed over unaccepted
	code := append(loadRAX(page+0x123), 0x90, 0x88, 0x00, 0xC3)
	cfg := vm.Config{Image: application(t, code), Initrd: []byte{}}
	out, b := stock(t, cfg, "monitor phys 0x40000000", "monitor page 0x40000000", "x/xb 0x40000000", "stepi", "continue", "x/i $pc", "p/x $rax", "monitor state", "continue")
	says(t, out, "monitor phys ADDR [BYTES]: ", "absent", "guest-physical 0x40000000, private; the page is absent", "Cannot access memory",
		"violation: TDX violation: write of page 0x40000000", "Firmware handed this page over as EfiUnacceptedMemory", "SIGSEGV", "mov    %al,(%rax)", "= 0x40000123",
		"unaccepted", "exited with code 01")
	if b.Outcome != record.Violation {
		t.Errorf("outcome %s", b.Outcome)
	}
	out, b = stock(t, cfg, "monitor nonesuch", "monitor help", "kill")
	says(t, out, "there is no such command", "monitor touch [ADDR [BYTES]|off]", "killed")
	if b.Outcome != record.Cancelled {
		t.Errorf("outcome %s of a machine that gdb killed", b.Outcome)
	}
}

// accepting is a program that accepts pages of 2 MiB from 1 GiB on, writes to the third, and returns.
func accepting() []byte {
	code := []byte{0xBB, 4, 0, 0, 0} // mov ebx, 4
	code = append(code, loadRCX(0x4000_0001)...)
	loop := len(code)
	code = append(code, 0xB8, 6, 0, 0, 0) // mov eax, TDG.MEM.PAGE.ACCEPT
	code = append(code, 0x66, 0x0F, 0x01, 0xCC)
	code = append(code, 0x48, 0x81, 0xC1, 0, 0, 0x20, 0) // add rcx, 2 MiB
	code = append(code, 0xFF, 0xCB)                      // dec ebx
	code = append(code, 0x75, byte(loop-len(code)-2))    // jnz
	code = append(code, loadRAX(0x4040_0800)...)
	code = append(code, 0x48, 0x89, 0x18) // mov [rax], rbx
	return append(code, 0x31, 0xC0, 0xC3)
}

// loadRCX is MOV RCX, imm64.
func loadRCX(v uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0x48, 0xB9}, v) }

func TestGDBAtAnAcceptance(t *testing.T) {
	t.Parallel()
	cfg := vm.Config{Image: application(t, accepting()), Initrd: []byte{}}
	want := boot(t, cfg)
	out, b := stock(t, cfg, "monitor accept 3", "monitor accept 130", "monitor touch 0x40400000 0x1000", "monitor at 5", "continue", "p $pc", "continue", "x/2i $pc-4", "monitor accept",
		"monitor accept next", "continue", "continue", "p/x $rax", "monitor touch", "continue")
	says(t, out, "there were 128 already", "waiting for acceptance 130", "waiting for a use of [0x40400000, 0x40401000)",
		"5 instructions have completed", "acceptance 130: 2M by stub at guest-physical address 0x40200000", "tdcall",
		"the last: acceptance 130", "waiting for acceptance 131", "acceptance 131: ", "touched: write of guest-physical address 0x40400800 (accepted) through 0x40400800", "= 0x40400800", "halted: ")
	if got, want := jsonOf(t, b), jsonOf(t, want); got != want {
		t.Errorf("the records differ:\n%s\n%s", firstDifference(want, got), out)
	}
}

// Registers and memory that gdb writes are what the guest goes on with.
func TestGDBChangesTheGuest(t *testing.T) {
	t.Parallel()
	cfg := vm.Config{Memory: 256 * mib, Image: application(t, counting), Initrd: []byte{}}
	out, b := stock(t, cfg, "set $start = $pc", "tbreak *($start+0xd)", "continue", "set $rax = 0x8000000000000005", "set $xmm3.v2_int64[1] = 7", "set $st0 = 1.5",
		"p $xmm3.v2_int64[1]", "p $st0", "p/x $ftag", "set $cr3 = (long)0", "p/x $rax", "set var *(unsigned char*)($pc-2) = 0x90", "x/i $pc-2", "continue")
	says(t, out, "= 7", "= 1.5", "Could not write register \"cr3\"", "= 0x8000000000000005", "nop")
	if b.Diagnosis == nil || !strings.Contains(b.Diagnosis.Summary, "EFI_BUFFER_TOO_SMALL") {
		t.Errorf("the image returned another status: %+v", b.Diagnosis)
	}
}

// A trace has a line for each instruction, with numbers, and changes nothing.
func TestTrace(t *testing.T) {
	t.Parallel()
	var trace bytes.Buffer
	cfg := vm.Config{Memory: 256 * mib, Image: application(t, counting), Initrd: []byte{}}
	want := boot(t, cfg)
	cfg.Trace = &vm.Trace{From: 3, Count: 61, Writer: &trace}
	b := boot(t, cfg)
	if got, want := jsonOf(t, b), jsonOf(t, want); got != want {
		t.Errorf("the records differ: %s", firstDifference(want, got))
	}
	lines := strings.Split(strings.TrimSuffix(trace.String(), "\n"), "\n")
	if len(lines) != 61 {
		t.Fatalf("%d lines:\n%s", len(lines), trace.String())
	}
	for i, line := range lines {
		text := []string{"pop %rax", "jne ", "push %rcx", "dec %ecx"}[i%4]
		fields := strings.Fields(line)
		if fields[0] != fmt.Sprint(i+3) || !strings.Contains(line, text) {
			t.Errorf("line %d is %q, want %q", i, line, text)
		}
		if i%4 == 3 && !strings.Contains(line, fmt.Sprintf(" rcx=%x", 16-2-i/4)) {
			t.Errorf("line %d does not say that ECX became %d: %q", i, 16-2-i/4, line)
		}
	}
	trace.Reset()
	cfg.Trace = &vm.Trace{From: 0, Count: 1 << 63, Writer: &trace}
	all := boot(t, cfg)
	if n := strings.Count(trace.String(), "\n"); uint64(n) != all.Instructions {
		t.Errorf("%d lines of %d instructions", n, all.Instructions)
	}
}

// gdb may leave a machine that runs, and another may come and find it where it is.
func TestGDBComesBack(t *testing.T) {
	t.Parallel()
	s, err := gdb.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var first, second string
	done := make(chan bool)
	go func() {
		defer close(done)
		first = client(t, s, "p $rcx", "break *($pc+7)", "detach")
		second = client(t, s, "p $rcx > 100", "x/i $pc", "info breakpoints", "kill")
	}()
	code := []byte{0x31, 0xC9, 0x48, 0xFF, 0xC1, 0xEB, 0xFB} // xor ecx, ecx; inc rcx; jmp back
	b := boot(t, vm.Config{Platform: vm.None, Memory: 256 * mib, Image: application(t, code), Initrd: []byte{}, Debugger: s})
	<-done
	says(t, first, "detached")
	says(t, second, "= 1", "No breakpoints", "killed")
	if b.Outcome != record.Cancelled || b.Instructions < 100 {
		t.Errorf("outcome %s after %d instructions", b.Outcome, b.Instructions)
	}
}

// gdb comes to a machine that was saved, in front of its next instruction, and to one that has ended, after its end.
func TestGDBAtASavedMachine(t *testing.T) {
	resume := func(cfg vm.Config, until vm.Event, commands ...string) (string, *record.Record) {
		t.Helper()
		m := newMachine(t, cfg)
		defer m.Close()
		if !run(t, m, until) {
			t.Fatalf("there was no %v", until)
		}
		s, err := gdb.Listen("127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		printed := make(chan string)
		go func() { printed <- client(t, s, commands...) }()
		again := load(t, save(t, m), vm.Config{Debugger: s})
		defer again.Close()
		run(t, again, vm.Event{})
		r, err := again.Record()
		if err != nil {
			t.Fatal(err)
		}
		return <-printed, r
	}
	cfg := vm.Config{Memory: 256 * mib, Image: application(t, counting), Initrd: []byte{}}
	out, r := resume(cfg, vm.AtInstruction(7), "p $rcx", "monitor at 9", "continue", "monitor state", "continue")
	says(t, out, "$1 = 14", "9 instructions have completed", "9 instructions", "halted: program of the test returned")
	if want := boot(t, cfg); r.Outcome != want.Outcome || r.Instructions != want.Instructions {
		t.Errorf("it ends with %s after %d instructions, and without gdb with %s after %d", r.Outcome, r.Instructions, want.Outcome, want.Instructions)
	}

	line := "hold=32M touch"
	out, r = resume(vm.Config{Memory: gib, CommandLine: &line}, vm.AtViolation(), "continue", "x/i $pc", "continue")
	says(t, out, "it was touched before it was accepted", "SIGSEGV", "mov    (%rax),%al", "exited with code 01")
	if r.Outcome != record.Violation {
		t.Errorf("outcome %s", r.Outcome)
	}
}
