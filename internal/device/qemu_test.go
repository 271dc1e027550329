package device

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// QEMU's devices run the same kernels, so they are an oracle: testdata holds random accesses and what QEMU 7.2
// answered. To record anew, with another seed or another QEMU:
//
//	go test ./device -run TestAgainstQEMU -qemu qemu-system-x86_64 -seed 7
//
// The scripts stay away from what the two do differently on purpose:
//
//   - UART: QEMU has no modem deltas in loopback mode, measures the character timeout in time, raises the transmitter
//     interrupt when the FIFO is cleared, clears the FIFO even if FCR's enable bit is 0, and reads the last byte again
//     from an empty receiver.
//   - Clock: QEMU's update takes 244 microseconds instead of 2228, and the day of the week follows the date at once
//     instead of at the next update. QEMU's time stands still in these recordings.
//   - HPET: other pins can be routed to, and routes are taken that there are not. Time stands still here, too.
//   - I/O APIC: QEMU keeps reserved bits of an entry, and edges on masked pins.
var (
	qemuPath = flag.String("qemu", "", "record testdata/qemu-*.txt anew, from this qemu-system-x86_64")
	seed     = flag.Uint64("seed", 1, "seed of the recorded accesses")
)

var qemuScripts = map[string]func(*recorder){
	"uart":   recordUART,
	"rtc":    recordRTC,
	"ioapic": recordIOAPIC,
	"hpet":   recordHPET,
}

// qemuRTCStart is the clock's time in the recordings: 2024-02-28T23:59:50Z.
const qemuRTCStart = 1709164790

func TestAgainstQEMU(t *testing.T) {
	for name, script := range qemuScripts {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", "qemu-"+name+".txt")
			if *qemuPath != "" {
				record(t, file, script)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			replay(t, string(text))
		})
	}
}

// replay makes the accesses of a recording and compares the answers: "in PORT SIZE ANSWER", "out PORT SIZE VALUE",
// likewise read and write, and discard for an answer that does not count. Numbers are hexadecimal.
func replay(t *testing.T, text string) {
	t.Helper()
	ignore := func(uint32, bool, uint8, uint8, bool) {}
	board, err := NewBoard(Config{Clock: &testClock{}, RTCStart: qemuRTCStart, PowerOff: func() {}, Reset: func() {}, HPET: true,
		LocalAPICs: deliverFunc(ignore)})
	if err != nil {
		t.Fatal(err)
	}
	accesses := 0
	for number, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var op string
		var where, want uint64
		var size int
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%s %x %d %x", &op, &where, &size, &want); err != nil {
			t.Fatalf("line %d: %q: %v", number+1, line, err)
		}
		got := want
		switch op {
		case "in":
			got = uint64(board.In(uint16(where), size))
		case "discard":
			board.In(uint16(where), size)
		case "out":
			board.Out(uint16(where), size, uint32(want))
		case "read":
			got = board.Read(where, size)
		case "write":
			board.Write(where, size, want)
		default:
			t.Fatalf("line %d: %q", number+1, line)
		}
		if got != want {
			t.Fatalf("line %d: %s: we answer %x", number+1, line, got)
		}
		accesses++
	}
	if accesses < 1000 {
		t.Errorf("only %d accesses", accesses)
	}
}

type deliverFunc func(dest uint32, logical bool, vector uint8, mode uint8, level bool)

func (f deliverFunc) Deliver(dest uint32, logical bool, vector uint8, mode uint8, level bool) {
	f(dest, logical, vector, mode, level)
}

// recorder talks to QEMU's qtest server and writes down what it says.
type recorder struct {
	*rand.Rand
	t      *testing.T
	to     io.Writer
	from   *bufio.Scanner
	record bytes.Buffer
}

// record runs a script against a QEMU whose processors and clock never start.
func record(t *testing.T, file string, script func(*recorder)) {
	cmd := exec.CommandContext(t.Context(), *qemuPath, "-accel", "tcg", "-S", "-machine", "pc", "-nodefaults", "-display", "none",
		"-serial", "null", "-rtc", "base=2024-02-28T23:59:50,clock=vm", "-qtest", "stdio", "-qtest-log", "/dev/null")
	to, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &recorder{Rand: rand.New(rand.NewPCG(*seed, 0)), t: t, to: to, from: bufio.NewScanner(from)}
	fmt.Fprintf(&r.record, "# recorded by TestAgainstQEMU, seed %d\n", *seed)
	script(r)
	cmd.Process.Kill() // QEMU outlives its qtest connection
	cmd.Wait()
	if err := os.WriteFile(file, r.record.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask sends a command and returns the number in its answer.
func (r *recorder) ask(format string, arguments ...any) (answer uint64) {
	command := fmt.Sprintf(format, arguments...)
	fmt.Fprintln(r.to, command)
	if !r.from.Scan() || !strings.HasPrefix(r.from.Text(), "OK") {
		r.t.Fatalf("QEMU answers %q to %q", r.from.Text(), command)
	}
	if number := strings.TrimPrefix(r.from.Text(), "OK"); number != "" {
		if _, err := fmt.Sscanf(number, " 0x%x", &answer); err != nil {
			r.t.Fatalf("QEMU answers %q to %q", r.from.Text(), command)
		}
	}
	return answer
}

func (r *recorder) in(port uint16) uint8 {
	answer := r.ask("inb %#x", port)
	fmt.Fprintf(&r.record, "in %x 1 %02x\n", port, answer)
	return uint8(answer)
}

// discard reads a port whose value does not count.
func (r *recorder) discard(port uint16) {
	r.ask("inb %#x", port)
	fmt.Fprintf(&r.record, "discard %x 1 0\n", port)
}

func (r *recorder) out(port uint16, value uint8) {
	r.ask("outb %#x %#x", port, value)
	fmt.Fprintf(&r.record, "out %x 1 %02x\n", port, value)
}

func (r *recorder) read(gpa uint64) {
	answer := r.ask("readl %#x", gpa)
	fmt.Fprintf(&r.record, "read %x 4 %x\n", gpa, answer)
}

func (r *recorder) write(gpa uint64, value uint32) {
	r.ask("writel %#x %#x", gpa, value)
	fmt.Fprintf(&r.record, "write %x 4 %x\n", gpa, value)
}

func (r *recorder) byte() uint8 { return uint8(r.Uint32()) }
