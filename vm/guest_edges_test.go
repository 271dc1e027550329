package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What the Go runtime never asks for has the answers of Linux, and harms nothing: data stays data, also when a part of
// its large page has been given back.
func TestGoGuestAtTheEdges(t *testing.T) {
	t.Parallel()
	img := goProgram(t, "../guest/kernel/testdata/edges")
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, last := range []string{"", "execute-small", "execute-large"} {
			b := goGuest(t, vm.Config{Platform: platform, Image: img}, strings.Repeat("x ", 40)+last) // after words that mean nothing
			want := []string{
				"munmap of no bytes: invalid argument", "munmap inside a page: invalid argument", "munmap of the kernel: invalid argument",
				"munmap of too much: invalid argument", "munmap of a page: <nil>", "2047 pages left",
				"hand over to nowhere: bad address", "hand over into unaccepted memory: bad address",
			}
			outcome := record.PowerOff
			if last != "" {
				outcome = record.GuestPanic
				want = append(want, "unexpected fault address 0x2", "main.execute(0x2")
			}
			if b.Outcome != outcome {
				t.Errorf("%s, %s: outcome %s, %+v", platform, last, b.Outcome, b.Diagnosis)
			}
			for _, w := range want {
				if !strings.Contains(b.console, w) {
					t.Errorf("%s, %s: the console lacks %q:\n%s", platform, last, w, b.console)
				}
			}
		}
	}
}
