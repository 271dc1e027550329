package vm_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

const (
	everydaySource = "../guest/monitor/testdata/everyday"
	everydayInput  = "a line, and\n42 ff\nwords  to\tread\nto the end\n"
)

var everydayWords = strings.Fields("channels preempted recovered heap pooled ticking metrics packed encoded bignum pictures pages logged archives generic tls zones files links locks remapped own input")

// What Go programs do every day has the same result in a guest as on the host, on one processor and on four.
func TestEveryday(t *testing.T) {
	t.Parallel()
	path := guesttest.Executable(t, everydaySource)
	executable, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(path, everydayWords...)
	host.Stdin = strings.NewReader(everydayInput)
	want, err := host.Output()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	img := packed(t, efi.Program{Executable: executable, Arguments: append([]string{"everyday"}, everydayWords...), Input: true})
	for _, platform := range vm.PlatformNames() {
		for _, processors := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d processors", platform, processors), func(t *testing.T) {
				t.Parallel()
				keys := make(chan []byte, 1)
				keys <- []byte(everydayInput + "\x04")
				close(keys)
				b := boot(t, vm.Config{Platform: platform, Memory: 2 * gib, CPUs: processors, MaxInstructions: 20_000_000_000, Image: img, Keyboard: keys})
				b.powersOff(t)
				if b.console != string(want) {
					t.Errorf("the guest says otherwise than the host: %s", firstDifference(b.console, string(want)))
				}
			})
		}
	}
}

// However a program ends, it says in a guest what it says on the host, with its traceback, and has the same status.
func TestEverydayEndings(t *testing.T) {
	t.Parallel()
	path := guesttest.Executable(t, everydaySource)
	executable, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`0x[0-9a-f]+`)
	for _, word := range []string{"exit7", "fatal", "panic", "nil", "deadlock", "map"} {
		var said bytes.Buffer
		host := exec.Command(path, word)
		host.Stdout, host.Stderr = &said, &said
		var status *exec.ExitError
		if err := host.Run(); !errors.As(err, &status) {
			t.Fatalf("%s: on the host: %v", word, err)
		}
		want := address.ReplaceAllString(said.String(), "0x")
		img := packed(t, efi.Program{Executable: executable, Arguments: []string{"everyday", word}})
		for _, platform := range vm.PlatformNames() {
			t.Run(platform+", "+word, func(t *testing.T) {
				t.Parallel()
				b := boot(t, vm.Config{Platform: platform, Memory: gib, MaxInstructions: 1_000_000_000, Image: img})
				if got := address.ReplaceAllString(b.console, "0x"); got != want {
					t.Errorf("the guest says\n%s\nand the host\n%s", got, want)
				}
				if summary := fmt.Sprintf(`"exit status %d"`, status.ExitCode()); b.Outcome != record.GuestPanic || !strings.Contains(b.Diagnosis.Summary, summary) {
					t.Errorf("outcome %s, %+v; want %s", b.Outcome, b.Diagnosis, summary)
				}
			})
		}
	}
}
