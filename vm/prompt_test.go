package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// Commands at the console do to memory what they say, by the machine's count: to map accepts nothing, to touch does, what
// is given back stays accepted and is used again.
func TestPrompt(t *testing.T) {
	t.Parallel()
	b, err := efi.Pack(guest.Monitor(), efi.Program{Executable: guest.Prompt(), Arguments: []string{"prompt"}, Input: true})
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse("prompt.efi", b)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			typed := func(commands ...string) booted {
				keys := make(chan []byte, 1)
				keys <- []byte(strings.Join(append(commands, "quit\r"), "\r"))
				close(keys)
				b := boot(t, vm.Config{Platform: platform, Memory: 2 * gib, Image: img, Keyboard: keys, MaxInstructions: 1_000_000_000})
				b.powersOff(t)
				b.console = strings.ReplaceAll(b.console, "\r\n", "\n")
				return b
			}
			left := func(b booted) uint64 { return *b.Acceptance.UnacceptedAtEnd }

			mapped := typed("alloc 512M")
			touched := typed("alloc 512M", "touch", "meminfo", "map")
			again := typed("alloc 512M", "touch", "free", "alloc 512M", "touch")
			storm := typed("storm 8 64M")
			wrong := typed("alloc", "alloc 3K", "alloc 99999999T", "touch", "alloc 9G", "touch", "storm 0", "storm 64 1T", "nothing", "", "help")
			for _, b := range []booted{touched, storm} {
				if !strings.Contains(b.console, "touched 512 MiB in ") {
					t.Errorf("the console has\n%s", b.console)
				}
			}
			if n := strings.Count(again.console, "touched 512 MiB in "); n != 2 {
				t.Errorf("touched %d times, want 2:\n%s", n, again.console)
			}
			for _, want := range []string{"alloc: not a command", "3K: want a number", "99999999T: want", "nothing is mapped", "9216 MiB are more than", "storm 0: want",
				"1048576 MiB for each of 64", "nothing: not a command", "Control-D"} {
				if !strings.Contains(wrong.console, want) {
					t.Errorf("the console has no %q:\n%s", want, wrong.console)
				}
			}
			if strings.Contains(wrong.console, "page faults") || strings.Contains(storm.console, "DECEIVED") {
				t.Errorf("the console has\n%s%s", wrong.console, storm.console)
			}
			if platform == vm.None {
				return
			}
			if left(mapped) < 3*gib/2 || left(wrong) != left(mapped) {
				t.Errorf("unaccepted are %d after a map, %d after mistakes", left(mapped), left(wrong))
			}
			for _, b := range []booted{touched, again, storm} {
				if n := left(mapped) - left(b); n < 256*mib || n > 512*mib {
					t.Errorf("%d MiB were accepted for 512, of which firmware had accepted some:\n%s", n/mib, b.console)
				}
			}
			if left(again) != left(touched) {
				t.Errorf("unaccepted are %d where memory was used once, %d where twice", left(touched), left(again))
			}
		})
	}
}
