package vm_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/vm"
)

// insideLinux boots Debian's 6.12 with tacit in it, which runs the commands, and returns what stood on the console after each.
func insideLinux(t *testing.T, cfg vm.Config, commands ...string) (booted, []string) {
	t.Helper()
	read := func(file string) []byte {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	// The machine is in the same program, which is large: the linker leaves out what only debuggers read.
	initrd, err := image.Initramfs(
		image.File{Name: "init", Mode: 0o755, Data: read(guesttest.Executable(t, "./testdata/inside", "-ldflags=-s -w"))},
		image.File{Name: "tacit", Mode: 0o755, Data: read(guesttest.Executable(t, "../cmd/tacit", "-ldflags=-s -w"))},
		image.File{Name: "report", Mode: 0o755, Data: guest.Init()},
		image.File{Name: "commands", Mode: 0o644, Data: []byte(strings.Join(commands, "\n") + "\n")},
	)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Image, cfg.Initrd = debian13(t), initrd
	b := boot(t, cfg)
	b.powersOff(t)
	parts := strings.Split(strings.ReplaceAll(b.console, "\r\n", "\n"), "\n--- ")
	var said []string
	for _, command := range commands {
		for len(parts) > 0 && !strings.HasPrefix(parts[0]+"\n", command+"\n") {
			parts = parts[1:]
		}
		text := ""
		for i := 0; i < len(parts); i++ {
			text += parts[i] + "\n"
			if i > 0 && !strings.HasPrefix(parts[i], "took ") {
				break
			}
		}
		t.Log(text)
		said = append(said, text)
	}
	return b, said
}

// found returns a number that text has where the expression has its group.
func found(t *testing.T, text, expression string) uint64 {
	t.Helper()
	m := regexp.MustCompile(expression).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %q in\n%s", expression, text)
	}
	n, err := strconv.ParseUint(strings.NewReplacer(",", "", ".", "").Replace(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// In a confidential Linux guest the commands say what the machine knows to be so; memory is accepted down to the goal, not
// faster than at its rate, and given back; and the guest's books and the machine's are equal afterwards. A process that is
// told to end does; a control group's limit is kept, and nothing is killed.
func TestInsideLinux(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b, said := insideLinux(t, vm.Config{Platform: platform},
				"/tacit status",
				"/tacit warm --rate 512M --until 2G",
				"signal /tacit warm --rate 4M --until 1G",
				"write /sys/fs/cgroup/cgroup.subtree_control +memory",
				"mkdir /sys/fs/cgroup/small",
				"write /sys/fs/cgroup/small/memory.max 200M",
				"write /sys/fs/cgroup/small/cgroup.procs 0", // this process, and with it what it starts
				"/tacit warm --until 1G",
				"read /sys/fs/cgroup/small/memory.events",
				"/tacit export -o /tmp/tacit.prom",
				"read /tmp/tacit.prom",
			)
			status, paced, told, limited, events, metrics := said[0], said[1], said[2], said[7], said[8], said[10]

			if want := map[string]string{vm.TDX: "TDX guest; Linux 6.12", vm.SNP: "SEV-SNP guest; Linux 6.12"}[platform]; !strings.Contains(status, want) {
				t.Errorf("status does not say %q", want)
			}
			left := found(t, status, `unaccepted +([0-9,]+) MiB by meminfo`)
			if vmstat := found(t, status, `([0-9,]+) MiB by vmstat`); vmstat != left {
				t.Errorf("unaccepted are %d MiB by meminfo, %d by vmstat", left, vmstat)
			}
			zones := uint64(0)
			for _, m := range regexp.MustCompile(`([0-9,]+) MiB in zone`).FindAllString(status, -1) {
				zones += found(t, m, `([0-9,]+)`)
			}
			if zones+4 < left || zones > left {
				t.Errorf("%d MiB unaccepted in all zones, of %d", zones, left)
			}
			// Firmware tells the kernel, in its log, where the table is; the machine's log of the console has it, too.
			if at := regexp.MustCompile(`Unaccepted=(0x[0-9a-f]+)`).FindStringSubmatch(b.console); at == nil || !strings.Contains(status, "EFI table      at "+at[1]) {
				t.Errorf("status does not know the table, which is at %v", at)
			}

			if !strings.HasSuffix(paced, "done\n") || found(t, paced, `are ([0-9,]+) MiB\n`) > 2048 || found(t, paced, `are ([0-9,]+) MiB\n`) < 2048-8 {
				t.Error("the goal of 2 GiB is not reached, or by far exceeded")
			}
			accepted, took := found(t, paced, `accepted +([0-9,]+) MiB`), found(t, paced, `in ([0-9]+\.[0-9]) s`) // took is in tenths
			if accepted < 700 || took < accepted*10/512 {
				t.Errorf("%d MiB accepted in %d tenths of a second: faster than 512 MiB a second", accepted, took)
			}
			if got := found(t, paced, `available were ([0-9,]+) MiB`) - found(t, paced, `available were [0-9,]+ MiB, are ([0-9,]+) MiB`); got > 200 {
				t.Errorf("%d MiB are available no more", got) // what a processor keeps on a list of its own is not counted as free
			}

			if !strings.Contains(told, "exit status 130") || !strings.Contains(told, "ended          told to end") {
				t.Error("it was told to end, and does not say so")
			}
			if ms := found(t, told, `took ([0-9]+) ms`); ms > 1000 {
				t.Errorf("told to end, it took %d ms", ms)
			}

			if !strings.Contains(limited, "control group") || !strings.Contains(limited, "exit status 1\n") {
				t.Error("the limit of its control group did not end it")
			}
			if !regexp.MustCompile(`(?m)^oom_kill 0$`).MatchString(events) || !regexp.MustCompile(`(?m)^max 0$`).MatchString(events) {
				t.Error("the control group met its limit")
			}
			if strings.Contains(b.console, "Out of memory") || strings.Contains(b.console, "oom-kill") {
				t.Error("the kernel ran out of memory")
			}

			if n := found(t, metrics, `(?m)^tacit_memory_unaccepted_bytes ([0-9]+)$`); n > 2<<30 || n < 1<<30 {
				t.Errorf("the metrics say %d bytes", n)
			}
			b.booksAgree(t)
			if machine := *b.Acceptance.UnacceptedAtReport; machine > 2<<30 {
				t.Errorf("the machine knows of %d bytes unaccepted, more than 2 GiB", machine)
			}
		})
	}
}
