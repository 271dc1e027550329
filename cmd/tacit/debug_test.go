package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
)

func TestDebugFlagsReachTheMachine(t *testing.T) {
	dir := t.TempDir()
	trace, log, replay := filepath.Join(dir, "trace"), filepath.Join(dir, "log"), filepath.Join(dir, "replay")
	if err := os.WriteFile(replay, []byte(`{"virtual_ns":5,"instructions":4,"typed":"ls\r"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fake{outcome: record.PowerOff}
	run := func(ctx context.Context, s settings) (*record.Record, error) {
		r, err := f.run(ctx, s)
		io.WriteString(s.trace.Writer, "a line\n")
		s.typed(s.replay[0])
		return r, err
	}
	var out, stderr bytes.Buffer
	if status := execute(t.Context(), []string{"boot", "--gdb", ":0", "--trace-instructions", "100:20", "--trace-file", trace,
		"--input-log", log, "--replay-input", replay, "i"}, &out, &stderr, run); status != 0 {
		t.Fatal(stderr.String())
	}
	s := f.settings
	if s.debugger == nil || !strings.Contains(stderr.String(), "target remote 127.0.0.1:") {
		t.Errorf("no debugger: %s", stderr.String())
	}
	if s.trace.From != 100 || s.trace.Count != 20 || len(s.replay) != 1 || string(s.replay[0].Text) != "ls\r" || s.keyboard != nil {
		t.Errorf("settings are %+v", s)
	}
	if text, err := os.ReadFile(trace); err != nil || string(text) != "a line\n" {
		t.Errorf("the trace is %q, %v", text, err)
	}
	if text, err := os.ReadFile(log); err != nil || string(text) != `{"virtual_ns":5,"instructions":4,"typed":"ls\r"}`+"\n" {
		t.Errorf("the log is %q, %v", text, err)
	}
}

func TestWrongDebugFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--gdb-anywhere"}, {"--trace-file", "x"}, {"--input-log", "x"}, {"--trace-instructions", "5"}, {"--trace-instructions", "5:0"},
		{"--trace-instructions", "-1:5"}, {"--trace-instructions", "a:b"}, {"--interactive", "--quiet"},
		{"--gdb", "1234"}, {"--gdb", "bogus"}, {"--gdb", ":nonesuch"},
	} {
		f := &fake{outcome: record.PowerOff}
		if status, _, stderr := tacit(t.Context(), f, append([]string{"boot", "i"}, args...)...); status != statusUsage || f.calls != 0 {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"boot", "--gdb", "192.0.2.1:1", "i"}, {"boot", "--replay-input", bad, "i"}, {"boot", "--replay-input", bad + "x", "i"},
		{"boot", "--trace-instructions", "1:2", "--trace-file", bad + "/x", "i"}, {"boot", "-i", "--input-log", bad + "/x", "i"},
	} {
		f := &fake{outcome: record.PowerOff}
		if status, _, stderr := tacit(t.Context(), f, args...); status != statusError || f.calls != 0 {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}

// The keyboard's own commands are not typed, wherever a read cuts them in two.
func TestKeyboardCommands(t *testing.T) {
	for in, want := range map[string]string{
		"ls\r": "ls\r", "a\x01\x01b": "a\x01b", "\x01zq": "q", "a\x01xb": "ab<quit>", "\x01": "", "\x01\x01x": "\x01x", "": "",
	} {
		for cut := range len(in) + 1 {
			quits := 0
			k := keyboard{quit: func() { quits++ }}
			first, escaped := k.commands([]byte(in[:cut]), false)
			second, _ := k.commands([]byte(in[cut:]), escaped)
			got := string(first) + string(second) + strings.Repeat("<quit>", quits)
			if got != want {
				t.Errorf("%q cut at %d: %q, want %q", in, cut, got, want)
			}
		}
	}
}

// At the end of its input tacit's own guest has done what it was told, and ends, too.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	var out, stderr bytes.Buffer
	f := runFlags{debugFlags: debugFlags{interactive: true}}
	status, err := f.boot(t.Context(), boot, settings{own: true, prompt: true, platform: "tdx", memory: 1 << 30, maxVirtual: time.Hour}, streams{strings.NewReader("alloc 64M\ntouch\n"), &out, &stderr}, false)
	if err != nil || status != 0 || !strings.Contains(out.String(), "touched 64 MiB") {
		t.Errorf("status %d, %v; it said %q, and tacit %q", status, err, &out, &stderr)
	}
}

func TestInteractive(t *testing.T) {
	in, keys := io.Pipe()
	var got []byte
	run := func(ctx context.Context, s settings) (*record.Record, error) {
		go func() {
			io.WriteString(keys, "one\r")
			io.WriteString(keys, "\x01x")
		}()
		got = <-s.keyboard
		<-ctx.Done()
		return (&fake{outcome: record.PowerOff}).run(ctx, s)
	}
	var out, stderr bytes.Buffer
	f := runFlags{debugFlags: debugFlags{interactive: true}}
	status, err := f.boot(t.Context(), run, settings{image: "i"}, streams{in, &out, &stderr}, false)
	if err != nil || status != statusOf(record.Cancelled) || string(got) != "one\r" || !strings.Contains(stderr.String(), "Ctrl-A x") {
		t.Errorf("status %d, %v, typed %q, said %q", status, err, got, stderr.String())
	}
}
