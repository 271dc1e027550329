package vm_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// The tests here run tacit's own guest, a Go program with a kernel of its own (guest/demo, guest/kernel).

// goGuest boots it with some words for load options.
func goGuest(t testing.TB, cfg vm.Config, words ...string) booted {
	t.Helper()
	line := strings.Join(words, " ")
	cfg.CommandLine = &line
	cfg.MaxInstructions = 2_000_000_000 // it takes some 20 million
	return boot(t, cfg)
}

// stepsAgree asserts, at each step of the program, that the guest's bitmap and the machine's count are equal, and that
// no more was accepted than is allowed: a tenth above the units that the program has touched, and the reserve.
func (b booted) stepsAgree(t testing.TB) {
	t.Helper()
	const steps = 6
	if len(b.Guest.Steps) < steps {
		t.Fatalf("the program reported %d steps, at least %d are expected", len(b.Guest.Steps), steps)
	}
	for _, s := range b.Guest.Steps {
		m := s.MemInfo
		if m == nil || m.Unaccepted == nil || m.Touched == nil || m.Reserve == nil {
			t.Fatalf("step %s: the program told %+v", s.Name, m)
		}
		bitmap := uint64(0)
		if s.BitmapSet != nil {
			bitmap = *s.BitmapSet
		}
		if s.Unaccepted != bitmap || s.Unaccepted != *m.Unaccepted {
			t.Errorf("step %s: the machine holds %d bytes as unaccepted, the guest's bitmap %d, and the program says %d", s.Name, s.Unaccepted, bitmap, *m.Unaccepted)
		}
		// What the kernel accepted: all that its bitmap said was unaccepted, and is not any more.
		accepted := b.leftToTheGuest(t) - s.Unaccepted
		if most := *m.Touched + *m.Touched/10 + *m.Reserve; accepted > most {
			t.Errorf("step %s: %d bytes accepted for %d touched and a reserve of %d: at most %d are allowed", s.Name, accepted, *m.Touched, *m.Reserve, most)
		}
		if most := max(32*mib, b.MemoryBytes/64); *m.Reserve > most {
			t.Errorf("a reserve of %d bytes, at most %d is allowed", *m.Reserve, most)
		}
	}
}

// leftToTheGuest is what was unaccepted when boot services ended, but for what no bit of the guest's can stand for,
// which it accepts at once: the kernel says how much that was.
func (b booted) leftToTheGuest(t testing.TB) uint64 {
	t.Helper()
	var upFront uint64
	if at := strings.Index(b.console, "bit for 2 MiB; "); at >= 0 {
		if _, err := fmt.Sscanf(b.console[at:], "bit for 2 MiB; %d KiB", &upFront); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range b.Phases {
		if p.Phase == record.ExitBootServices {
			return p.Unaccepted - upFront<<10
		}
	}
	t.Fatal("boot services were not left")
	return 0
}

// Under every firmware and host the guest comes up, keeps all its memory, and its books are the machine's.
func TestGoGuest(t *testing.T) {
	t.Parallel()
	type run struct {
		platform, policy string
		hostPage         uint64
		misalign         bool
	}
	runs := []run{{vm.None, "negotiate", 0, false}}
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, policy := range vm.FirmwarePolicies {
			for _, hostPage := range []uint64{4 << 10, 2 << 20} {
				runs = append(runs, run{platform, policy, hostPage, false}, run{platform, policy, hostPage, true})
			}
		}
	}
	for _, r := range runs {
		t.Run(fmt.Sprintf("%+v", r), func(t *testing.T) {
			t.Parallel()
			b := goGuest(t, vm.Config{Platform: r.platform, FirmwarePolicy: r.policy, HostPage: r.hostPage, Misalign: r.misalign}, "hold=256M")
			b.powersOff(t)
			b.stepsAgree(t)
			if want := "4,096 MiB of memory"; !strings.Contains(b.console, want) {
				t.Errorf("the guest does not say %q:\n%s", want, b.console)
			}
			lazily := r.platform != vm.None && r.policy != "eager"
			if left := *b.Acceptance.UnacceptedAtEnd; lazily != (left > gib) {
				t.Errorf("%d bytes are unaccepted at the end", left)
			}
			if announced := len(b.Negotiation.AllowedBy) == 1; announced != b.Negotiation.Offered {
				t.Errorf("negotiation %+v", b.Negotiation)
			}
		})
	}
}

// Several processors accept memory for one program, in whatever order they take turns, and the books are as they are with one.
func TestGoGuestOnManyProcessors(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, seed := range []uint64{1, 2} {
			b := goGuest(t, vm.Config{Platform: platform, CPUs: 4, Schedule: "adversarial", ScheduleSeed: seed}, "hold=256M")
			b.powersOff(t)
			b.stepsAgree(t)
		}
	}
}

// Terabytes cost the host next to nothing, since the guest's books are zeros where nothing has happened. Each boot runs in
// a process of its own, whose memory is counted.
func TestGoGuestOfTerabytes(t *testing.T) {
	const child = "TACIT_TEST_TERABYTES"
	if size := os.Getenv(child); size != "" {
		var platform string
		var tib, most uint64
		if _, err := fmt.Sscan(size, &platform, &tib, &most); err != nil {
			t.Fatal(err)
		}
		b := goGuest(t, vm.Config{Platform: platform, Memory: tib << 40})
		b.powersOff(t)
		b.stepsAgree(t)
		if n := b.Host.PeakRSSBytes; n == 0 || n >= most*mib {
			t.Errorf("%d MiB resident, want less than %d", n>>20, most)
		}
		return
	}
	t.Parallel()
	for _, size := range []string{"tdx 1 300", "snp 1 300", "tdx 4 600", "snp 4 600"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestGoGuestOfTerabytes$", "-kernels="+*kernels)
		cmd.Env = append(os.Environ(), child+"="+size)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", size, err, out)
		}
	}
}

// The other ways to do it: accept all at once, and be a system that knows nothing.
func TestGoGuestDoesOtherwise(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		eager := goGuest(t, vm.Config{Platform: platform}, "hold=32M", "unaccepted=eager")
		eager.powersOff(t)
		if n := *eager.Acceptance.UnacceptedAtInit; n != 0 {
			t.Errorf("%s: %d bytes unaccepted at init in spite of unaccepted=eager", platform, n)
		}
		lazy := goGuest(t, vm.Config{Platform: platform}, "hold=32M")
		if e, l := *eager.VirtualNS.Init, *lazy.VirtualNS.Init; e < 2*l {
			t.Errorf("%s: init at %d ns eagerly and at %d ns lazily", platform, e, l)
		}

		asked := goGuest(t, vm.Config{Platform: platform}, "hold=32M", "unaccepted=unknown")
		asked.powersOff(t)
		if n := asked.Negotiation; n.AcceptedAtExit == 0 || n.ExitBootServices != 2 || *asked.Acceptance.UnacceptedAtEnd != 0 {
			t.Errorf("%s: a system that knows nothing, and firmware that negotiates: %+v", platform, n)
		}
		lost := goGuest(t, vm.Config{Platform: platform, FirmwarePolicy: "lazy"}, "hold=32M", "unaccepted=unknown")
		lost.powersOff(t)
		if n := *lost.Acceptance.UnacceptedAtEnd; n < 3*gib || !strings.Contains(lost.console, "256 MiB of memory") {
			t.Errorf("%s: a system that knows nothing, and firmware that does not negotiate: %d bytes unaccepted;\n%s", platform, n, lost.console)
		}
	}
}

// What the guest finds, prints and accepts depends on nothing but the configuration, and not on how the processor cuts
// blocks.
func TestGoGuestIsDeterministic(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.PlatformNames() {
		first := goGuest(t, vm.Config{Platform: platform, Seed: 5}, "hold=64M")
		again := goGuest(t, vm.Config{Platform: platform, Seed: 5, BlockLimit: 3}, "hold=64M")
		if a, b := jsonOf(t, first), jsonOf(t, again); a != b || first.console != again.console {
			t.Errorf("%s: two runs differ:\n%s\n%s", platform, firstDifference(a, b), firstDifference(first.console, again.console))
		}
	}
}

// Touching memory too early is the end, and the diagnosis names the function that did it.
func TestGoGuestTouchesTooEarly(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		b := goGuest(t, vm.Config{Platform: platform}, "hold=32M", "touch")
		d := b.Diagnosis
		if b.Outcome != record.Violation || d == nil || d.GPA == nil || *d.GPA != 0x1_7FE0_0000 {
			t.Fatalf("%s: outcome %s, diagnosis %+v", platform, b.Outcome, d)
		}
		if !strings.Contains(d.Summary, "0x17fe00000") {
			t.Errorf("%s: %s", platform, d.Summary)
		}
		// On SEV-SNP the guest has a handler, and reports before it ends.
		if !strings.HasPrefix(d.Symbol, "github.com/tacit-vm/tacit/guest/kernel.touch+") ||
			platform == vm.SNP && !strings.Contains(b.console, "#VC, VMM communication (error code 0x404)") {
			t.Errorf("%s: symbol %q, console\n%s", platform, d.Symbol, b.console)
		}
	}
	b := goGuest(t, vm.Config{Platform: vm.None}, "hold=32M", "touch")
	b.powersOff(t)
}

// A mistake of the program's ends as it does on Linux: with a panic, and whose it was.
func TestGoGuestReportsMistakes(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.PlatformNames() {
		b := goGuest(t, vm.Config{Platform: platform}, "hold=32M", "nil")
		if b.Outcome != record.GuestPanic || !strings.Contains(b.console, "invalid memory address or nil pointer dereference") ||
			!strings.Contains(b.console, "main.run(") {
			t.Errorf("%s: outcome %s, %+v\n%s", platform, b.Outcome, b.Diagnosis, b.console)
		}
	}
}

// goProgram builds a program for the kernel in Go.
func goProgram(t *testing.T, directory string) *image.Image {
	t.Helper()
	img, err := image.Parse("program.efi", guesttest.Application(t, directory, guesttest.OnKernel))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A program of anybody's runs as on Linux, as far as there is what it asks for, and ends as it says.
func TestGoGuestOfOnesOwn(t *testing.T) {
	t.Parallel()
	img := goProgram(t, "../guest/kernel/testdata/program")
	for _, c := range []struct {
		word    string
		outcome record.Outcome
		says    string
	}{
		{"well", record.PowerOff, "all is well"},
		{"panic", record.GuestPanic, "panic: as asked"},
		{"deadlock", record.GuestPanic, "all goroutines are asleep - deadlock!"},
		{"status", record.GuestPanic, "guest: the program ended with status 3"},
		{"nil", record.GuestPanic, "main.main()"},
		{"address", record.GuestPanic, "unexpected fault address"},
		{"memory", record.GuestPanic, "guest: out of memory"},
	} {
		for _, platform := range vm.PlatformNames() {
			t.Run(platform+", "+c.word, func(t *testing.T) {
				t.Parallel()
				b := goGuest(t, vm.Config{Platform: platform, Memory: gib, Image: img}, c.word)
				if b.Outcome != c.outcome || !strings.Contains(b.console, "all is well") || !strings.Contains(b.console, c.says) ||
					strings.Contains(b.console, "no system call") {
					t.Errorf("outcome %s, %+v\n%s", b.Outcome, b.Diagnosis, b.console)
				}
			})
		}
	}
}

// The kernel hands the machine over only when nothing is unaccepted, or the next one knows what to do.
func TestGoGuestHandsOver(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		b := goGuest(t, vm.Config{Platform: platform}, "hold=32M", "handover")
		b.powersOff(t)
		if !strings.Contains(b.console, "refused: memory is unaccepted") || *b.Acceptance.UnacceptedAtEnd != 0 {
			t.Errorf("%s: %d bytes unaccepted at the end;\n%s", platform, *b.Acceptance.UnacceptedAtEnd, b.console)
		}
	}
}

// Whatever the host does, the guest ends with a reason or is not harmed, and never takes the host's bytes for its own:
// the program looks at all that it has written, and says DECEIVED.
func TestGoGuestUnderAttack(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, v := range victims {
			for _, policy := range []string{"negotiate", "eager"} {
				t.Run(platform+" "+v.attack+" "+policy, func(t *testing.T) {
					t.Parallel()
					b := goGuest(t, vm.Config{Platform: platform, HostAttack: v.attack, FirmwarePolicy: policy}, "hold=256M")
					if b.Outcome == record.Untested && (policy == "eager" || strings.HasPrefix(v.attack, host.Lie)) {
						return // all pages were there before its first instruction, and it converts none
					}
					b.survivesOrSays(t)
				})
			}
		}
	}
}

// A firmware that lies is found out, or the guest ends at the first touch; docs/attacks.md has the words.
func TestGoGuestIsLiedTo(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "## The guest kernel in Go\n")
	if !ok {
		t.Fatal("docs/attacks.md has no section on the guest in Go")
	}
	for _, lie := range firmware.Lies() {
		row := regexp.MustCompile("(?m)^\\| `" + string(lie.Kind) + "` \\| ([a-z-]+): (.*) \\| ([a-z-]+): (.*) \\|$").FindStringSubmatch(section)
		if row == nil {
			t.Errorf("docs/attacks.md has no row for %s", lie.Kind)
			continue
		}
		for i, platform := range []string{vm.TDX, vm.SNP} {
			b := goGuest(t, vm.Config{Platform: platform, FirmwareLie: string(lie.Kind)})
			b.survivesOrSays(t)
			outcome, says := row[1+2*i], row[2+2*i]
			if string(b.Outcome) != outcome || !strings.Contains(b.console, says) || b.Lie == nil || b.Lie.Told == 0 {
				t.Errorf("%s, %s: outcome %s, %+v, want %s and the words %q; the console:\n%s", lie.Kind, platform, b.Outcome, b.Lie, outcome, says, b.console)
			}
		}
	}
}

// A table that a kernel has left for the next one is taken over: what it does not mark is accepted already. Its memory is
// never handed out, even where the map calls it free, though the program takes more than was accepted for it.
func TestGoGuestTakesTheTableOver(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, misalign := range []bool{false, true} {
			b := goGuest(t, vm.Config{Platform: platform, UnacceptedTable: true, Misalign: misalign}, "hold=512M")
			b.powersOff(t)
			b.stepsAgree(t)
			if !strings.Contains(b.console, "found and taken over") {
				t.Errorf("%s: the table was not taken over:\n%s", platform, b.console)
			}
		}
	}
}

// survivesOrSays asserts a good end, or one that names what was wrong.
func (b booted) survivesOrSays(t testing.TB) {
	t.Helper()
	if strings.Contains(b.console, "DECEIVED") {
		t.Errorf("the guest was deceived:\n%s", b.console)
	}
	switch b.Outcome {
	case record.PowerOff:
	case record.Violation, record.GuestPanic, record.Halted:
		if b.Diagnosis == nil || b.Diagnosis.Summary == "" {
			t.Errorf("outcome %s without a diagnosis", b.Outcome)
		}
	default:
		t.Errorf("outcome %s: %+v\n%s", b.Outcome, b.Diagnosis, b.console)
	}
}
