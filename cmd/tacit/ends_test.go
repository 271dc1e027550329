package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// testProgram builds one of the machine's test programs: one of those in a file of its testdata.
func testProgram(t *testing.T, source, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".efi")
	if err := os.WriteFile(path, imagetest.Program(t, filepath.Join("../../vm/testdata", source), name), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ended waits for a process that has been told to end, at most a second, and returns its status. Where a busy host has
// lost a second, twice is the caller's affair.
func ended(cmd *exec.Cmd) (status int, took time.Duration) {
	began := time.Now()
	_ = cmd.Wait() // the status says it
	return cmd.ProcessState.ExitCode(), time.Since(began)
}

// again tries something a second time where the host was too busy the first time.
func again(t *testing.T, try func() (late time.Duration)) {
	t.Helper()
	late := try()
	if late > time.Second {
		late = try()
	}
	if late > time.Second {
		t.Errorf("it took %v to end", late)
	}
}

// A signal ends a run within a second, whatever the guest does, with a whole record: SIGINT under the interpreter, SIGTERM
// under the engine that there is by default.
func TestSignals(t *testing.T) {
	for _, program := range [][3]string{ // source, name, platform
		{"programs.c", "spins", "tdx"}, {"programs.c", "sums", "tdx"}, {"programs.c", "fills", "tdx"}, {"programs.c", "waits", "tdx"},
		{"programs.c", "fresh", "tdx"}, {"programs.c", "prints", "tdx"}, {"programs.c", "computes", "tdx"}, {"programs.c", "rewrites", "tdx"}, {"programs.c", "compares", "tdx"},
		{"faults.c", "interrupts", "none"}, {"faults.c", "tries_again", "snp"}, {"pages.c", "converts_much", "tdx"}, {"requests.c", "requests", "snp"},
	} {
		for sent, engine := range map[syscall.Signal]string{syscall.SIGINT: vm.Interpreter, syscall.SIGTERM: vm.Auto} {
			t.Run(program[1]+"/"+sent.String(), func(t *testing.T) {
				file := testProgram(t, program[0], program[1])
				again(t, func() time.Duration {
					path := filepath.Join(t.TempDir(), "record.json")
					cmd := command(t, "", "boot", "-q", "--engine", engine, "--platform", program[2], "--memory", "1G", "--max-virtual-time", "0", "--json", path, file)
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					time.Sleep(700 * time.Millisecond)
					if err := cmd.Process.Signal(sent); err != nil {
						t.Fatal(err)
					}
					status, took := ended(cmd)
					r := readRecord(t, path)
					if status != 130 || r.Outcome != record.Cancelled || len(r.Phases) == 0 || r.Phases[len(r.Phases)-1].Phase != record.End {
						t.Errorf("status %d, outcome %s, phases %v", status, r.Outcome, r.Phases)
					}
					return took
				})
			})
		}
	}
}

func readRecord(t *testing.T, path string) (r record.Record) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("the record is not whole: %v\n%s", err, b)
	}
	return r
}

// A reader of the console that has stopped reading keeps nothing from ending, neither by a signal nor by --timeout.
func TestConsoleThatIsNotRead(t *testing.T) {
	file := testProgram(t, "programs.c", "prints")
	for way, flags := range map[string][]string{"signal": nil, "timeout": {"--timeout", "1s"}} {
		t.Run(way, func(t *testing.T) {
			again(t, func() time.Duration {
				read, write, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer read.Close()
				path := filepath.Join(t.TempDir(), "record.json")
				cmd := command(t, "", append(append([]string{"boot", "--memory", "256M", "--json", path}, flags...), file)...)
				cmd.Stdout = write
				err = cmd.Start()
				_ = write.Close()
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				want := 6
				if flags == nil {
					want = 130
					if err := cmd.Process.Signal(os.Interrupt); err != nil {
						t.Fatal(err)
					}
				}
				status, took := ended(cmd)
				if r := readRecord(t, path); status != want || r.Outcome == "" {
					t.Errorf("status %d, outcome %s", status, r.Outcome)
				}
				return took
			})
		})
	}
}

// All that is written to the console comes out, in order, also where it is more than is kept.
func TestOutletIsWhole(t *testing.T) {
	var got, want bytes.Buffer
	o := newOutlet(t.Context(), newScreen(&got, nil, nil))
	for i := range 100_000 {
		line := strings.Repeat("x", i%7) + "\n"
		want.WriteString(line)
		if n, err := io.WriteString(o, line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
		o.progress(record.Progress{})
	}
	if !o.Close() || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes came out, want %d", got.Len(), want.Len())
	}
}

// An initrd is no larger than what holds it, and reading one can be ended.
func TestReadingInitrd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const gib = 1 << 30
	if err := os.Truncate(path, 100*gib); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		memory, host uint64
		says         string
	}{
		{4 * gib, 0, "guest's memory of 4 GiB"},
		{256 * gib, 2 * gib, "2 GiB that the run may take of the host's memory"},
	} {
		if b, err := readInitrd(t.Context(), path, c.memory, c.host); b != nil || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
	if err := os.Truncate(path, 8*gib); err != nil {
		t.Fatal(err)
	}
	again(t, func() time.Duration {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		if _, err := readInitrd(ctx, path, 16*gib, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("it was read: %v", err)
		}
		return time.Since(began)
	})
	// What is over before there is a machine has no record, and the status of a limit.
	f := &fake{outcome: record.PowerOff}
	if status, _, stderr := tacit(t.Context(), f, "boot", "--memory", "16G", "--timeout", "1ns", "--initrd", path, "bzImage"); status != 6 || f.calls != 0 || !strings.Contains(stderr, "--timeout was over") {
		t.Errorf("status %d, %d calls: %s", status, f.calls, stderr)
	}
}

// The flags of the limits reach the machine.
func TestLimitFlags(t *testing.T) {
	f := &fake{outcome: record.PowerOff}
	for _, c := range []struct {
		args    string
		virtual time.Duration
		host    uint64
		status  int
	}{
		{"", 0, 0, 0},
		{"--max-virtual-time 90s --max-host-memory 2G", 90 * time.Second, 2 << 30, 0},
		{"--max-virtual-time 0", -1, 0, 0},
		{"--max-virtual-time -1s", 0, 0, statusUsage},
		{"--max-virtual-time ten", 0, 0, statusUsage},
		{"--max-host-memory much", 0, 0, statusUsage},
	} {
		f.calls = 0
		status, _, stderr := tacit(t.Context(), f, append(strings.Fields("boot "+c.args), "bzImage")...)
		if status != c.status || status == 0 && (f.settings.maxVirtual != c.virtual || f.settings.maxHostMemory != c.host) || status != 0 && f.calls > 0 {
			t.Errorf("%q: status %d, %v, %d: %s", c.args, status, f.settings.maxVirtual, f.settings.maxHostMemory, stderr)
		}
	}
}
