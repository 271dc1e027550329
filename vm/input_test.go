package vm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// echoing is a program that sends what it receives on the first serial port back, until that is a q.
var echoing = []byte{
	0x66, 0xBA, 0xFC, 0x03, // 00 mov dx, 0x3FC: MCR
	0xB0, 0x03, // 04 mov al, DTR|RTS
	0xEE,                   // 06 out dx, al
	0x66, 0xBA, 0xFD, 0x03, // 07 mov dx, 0x3FD: LSR
	0xEC,       // 0b in al, dx
	0xA8, 0x01, // 0c test al, DR
	0x74, 0xFB, // 0e jz 0b
	0x66, 0xBA, 0xF8, 0x03, // 10 mov dx, 0x3F8
	0xEC,       // 14 in al, dx
	0xEE,       // 15 out dx, al
	0x3C, 0x71, // 16 cmp al, 'q'
	0x75, 0xED, // 18 jnz 07
	0x31, 0xC0, // 1a xor eax, eax
	0xC3, // 1c ret
}

// A typist types the next of several texts when the console shows what it waits for.
type typist struct {
	bytes.Buffer
	keys chan []byte
	says []struct{ see, text string }
}

func (y *typist) Write(p []byte) (int, error) {
	n, err := y.Buffer.Write(p)
	for len(y.says) > 0 && strings.Contains(y.String(), y.says[0].see) {
		y.keys <- []byte(y.says[0].text)
		y.says = y.says[1:]
	}
	if len(y.says) == 0 && y.keys != nil {
		close(y.keys)
		y.keys = nil
	}
	return n, err
}

// typed runs a machine with a typist and returns what is left of it, and the input log.
func typed(t *testing.T, cfg vm.Config, y *typist) (b booted, log string) {
	t.Helper()
	var w bytes.Buffer
	cfg.Console, cfg.Keyboard = y, y.keys
	cfg.Typed = func(k vm.Typed) {
		if err := json.NewEncoder(&w).Encode(k); err != nil {
			t.Error(err)
		}
	}
	r, err := vm.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return booted{r, y.String()}, w.String()
}

// What was typed at any time makes the same run again from the log.
func TestTypedInputIsRepeated(t *testing.T) {
	t.Parallel()
	keys := make(chan []byte, 8)
	keys <- []byte("one \x00\xFF\n")
	y := &typist{keys: keys, says: []struct{ see, text string }{{"one", "two "}, {"two", "q"}}}
	cfg := vm.Config{Platform: vm.None, Memory: 256 * mib, Image: application(t, echoing), Initrd: []byte{}}
	first, log := typed(t, cfg, y)
	if first.Outcome != record.Halted || first.console != "one \x00\xFF\ntwo q" || first.Config.InputSHA256 == "" {
		t.Fatalf("outcome %s, console %q, record of the input %q", first.Outcome, first.console, first.Config.InputSHA256)
	}
	replay, err := vm.ReadInput(strings.NewReader(log))
	if err != nil || len(replay) != 3 {
		t.Fatalf("%v: %q", err, log)
	}
	for _, limit := range []int{0, 7} {
		var again bytes.Buffer
		cfg.Replay, cfg.BlockLimit = replay, limit
		cfg.Typed = func(k vm.Typed) { _ = json.NewEncoder(&again).Encode(k) }
		b := boot(t, cfg)
		if got, want := jsonOf(t, b), jsonOf(t, first); got != want || b.console != first.console || again.String() != log {
			t.Errorf("limit %d: the runs differ: %s", limit, firstDifference(want, got))
		}
	}

	// A log that does not fit is told so.
	cfg.Replay = append([]vm.Typed(nil), replay...)
	cfg.Replay[1].Instructions++
	var wrong *vm.ReplayError
	if r, err := vm.Run(t.Context(), cfg); !errors.As(err, &wrong) || r == nil || r.Outcome != record.Cancelled {
		t.Errorf("input of another run: %v, %+v", err, r)
	}
	cfg.Replay = replay[:2]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := vm.Run(ctx, cfg); err != nil || r.Outcome != record.Cancelled {
		t.Errorf("cancelled: %v", err)
	}
}

// A counter counts how often something was written, and how much.
type counter struct{ writes, bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	c.bytes += len(p)
	return len(p), nil
}

// The console is not written to for each byte, which for a guest that prints much would take most of the time.
func TestConsoleIsWrittenInLines(t *testing.T) {
	t.Parallel()
	var c counter
	r, err := vm.Run(t.Context(), vm.Config{Platform: vm.None, Memory: 256 * mib, Append: "hold=1M", Console: &c})
	if err != nil || r.Outcome != record.PowerOff {
		t.Fatalf("%v: %+v", err, r)
	}
	if c.writes == 0 || c.bytes/c.writes < 16 {
		t.Errorf("%d bytes in %d writes", c.bytes, c.writes)
	}
}

func TestReadInput(t *testing.T) {
	for log, want := range map[string]string{
		"": "", `{"virtual_ns":5,"instructions":4,"typed":"a"}`: "", `{"virtual_ns":5,"typed":"` + "é\u00ff\\u0000" + `"}`: "",
		"x": "line 1", `{"virtual_ns":5,"typed":"€"}`: "more than a byte", "{\"virtual_ns\":5}\n{\"virtual_ns\":4}": "line 2", `{"typed":3}`: "line 1",
	} {
		all, err := vm.ReadInput(strings.NewReader(log))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", log, err, want)
		}
		if strings.Contains(log, "é") && string(all[0].Text) != "\xE9\xFF\x00" {
			t.Errorf("%q reads as %q", log, all[0].Text)
		}
	}
}
