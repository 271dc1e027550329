package vm_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// The tests here run ordinary executables, which know nothing of a guest, on the kernel in Go.

const programSource = "../guest/monitor/testdata/program"

// packed is the image of a program with its arguments.
func packed(t testing.TB, p efi.Program) *image.Image {
	t.Helper()
	p.Raw = true
	p.Environment = append([]string{"TMPDIR=/tmp"}, p.Environment...)
	b, err := efi.Pack(guest.Monitor(), p)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse("program.efi", b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A program says in a guest what it says on the host: with goroutines, files, a heap of 300 MiB, one that has to be
// preempted, exceptions that it recovers from.
func TestProgramsAsOnTheHost(t *testing.T) {
	t.Parallel()
	path := guesttest.Executable(t, programSource)
	executable, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"compute", "recover", "signal", "files", "mapped", "heap", "preempt"}
	host, err := exec.Command(path, words...).Output()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, host)
	}
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, MaxInstructions: 4_000_000_000, Image: packed(t, efi.Program{Executable: executable, Arguments: append([]string{"program"}, words...)})})
			b.powersOff(t)
			if b.console != string(host) {
				t.Errorf("the guest says\n%sand the host\n%s", b.console, host)
			}
		})
	}
}

// On several processors it is the same, in whatever order they take turns.
func TestProgramsOnManyProcessors(t *testing.T) {
	t.Parallel()
	path := guesttest.Executable(t, programSource)
	executable, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"parallel", "compute", "recover", "signal", "files", "mapped"}
	host, err := exec.Command(path, words...).Output()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, host)
	}
	img := packed(t, efi.Program{Executable: executable, Arguments: append([]string{"program"}, words...)})
	for _, platform := range vm.PlatformNames() {
		for _, c := range []struct {
			processors int
			schedule   string
			seed       uint64
		}{{2, "adversarial", 1}, {4, "adversarial", 2}, {4, "random", 3}, {8, "round-robin", 0}} {
			t.Run(fmt.Sprintf("%s, %d processors, %s %d", platform, c.processors, c.schedule, c.seed), func(t *testing.T) {
				t.Parallel()
				b := boot(t, vm.Config{Platform: platform, Memory: gib, MaxInstructions: 8_000_000_000, Image: img,
					CPUs: c.processors, Schedule: c.schedule, ScheduleSeed: c.seed})
				b.powersOff(t)
				if b.console != string(host) {
					t.Errorf("the guest says\n%sand the host\n%s", b.console, host)
				}
			})
		}
	}
}

// How a program ends is what the machine ends with.
func TestProgramsEnd(t *testing.T) {
	t.Parallel()
	executable, err := os.ReadFile(guesttest.Executable(t, programSource))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ word, says, summary string }{
		{"exit", "", `"exit status 42"`},
		{"panic", "panic: as asked", `"exit status 2"`},
		{"memory", "guest: out of memory at 0x", ""},
		{"own", "guest: no system call 1048578, called by", `"exit status 125"`},
		{"unserved", "guest: no system call 165, called by internal/runtime/syscall/linux.Syscall6 ← syscall.Syscall ← main.main", `"exit status 125"`},
	} {
		for _, platform := range vm.PlatformNames() {
			t.Run(platform+", "+c.word, func(t *testing.T) {
				t.Parallel()
				b := boot(t, vm.Config{Platform: platform, Memory: gib, MaxInstructions: 4_000_000_000,
					Image: packed(t, efi.Program{Executable: executable, Arguments: []string{"program", c.word}})})
				if b.Outcome != record.GuestPanic || !strings.Contains(b.console, c.says) || !strings.Contains(b.Diagnosis.Summary, c.summary) {
					t.Errorf("outcome %s, %+v; the console has no %q:\n%s", b.Outcome, b.Diagnosis, c.says, b.console)
				}
			})
		}
	}
}

// Words of the load options are arguments, after the variables of the environment where there is a "--"; and what is
// typed is standard input.
func TestProgramsAreTold(t *testing.T) {
	t.Parallel()
	executable, err := os.ReadFile(guesttest.Executable(t, programSource))
	if err != nil {
		t.Fatal(err)
	}
	img := packed(t, efi.Program{Executable: executable, Arguments: []string{"program", "compute"}, Input: true})
	keys := make(chan []byte, 1)
	keys <- []byte("one\rtwo\x04")
	close(keys)
	line := "TMPDIR=/elsewhere -- variable input"
	b := boot(t, vm.Config{Platform: vm.TDX, Memory: gib, Image: img, CommandLine: &line, Keyboard: keys, MaxInstructions: 1_000_000_000})
	b.powersOff(t)
	if want := "/elsewhere\nvariable done\nline \"one\"\nline \"two\"\ninput done\n"; b.console != want {
		t.Errorf("the console has\n%s\nwant\n%s", b.console, want)
	}
}
