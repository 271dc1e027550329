package codemem

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func newMemory(t *testing.T, n int) *Memory {
	t.Helper()
	m, err := New(n)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// read reads what is mapped to be executed.
func (m *Memory) read(offset, n int) []byte { return m.maps.code[offset : offset+n] }

func TestWhatIsWrittenCanBeExecuted(t *testing.T) {
	m := newMemory(t, 1<<20)
	defer m.Close()
	if err := m.Write(0x1234, []byte("code")); err != nil {
		t.Fatal(err)
	}
	if got := m.read(0x1234, 4); !bytes.Equal(got, []byte("code")) {
		t.Errorf("%q where code was written", got)
	}
	if m.Address(0x1234) != uintptr(unsafe.Pointer(&m.maps.code[0x1234])) {
		t.Error("an address is not where the code is")
	}
	for _, offset := range []int{-1, 1<<20 - 3, 1 << 20, 1 << 40} {
		if err := m.Write(offset, []byte("code")); err == nil {
			t.Errorf("four bytes could be written at %#x of a memory of 1 MiB", offset)
		}
	}
}

// No address is both: what the kernel says of this process's memory.
func TestNothingIsWritableAndExecutable(t *testing.T) {
	m := newMemory(t, 1<<20)
	defer m.Close()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	found := ""
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(mode, "wx") {
			t.Errorf("writable and executable: %s", line)
		}
		if a := m.Address(0); a >= from && a < to {
			found = mode
		}
	}
	if found != "r-xs" {
		t.Errorf("code is mapped %q", found)
	}
}

// mapped returns how many mappings of code this process has.
func mapped(t *testing.T) int {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), "tacit code")
}

func TestMemoryIsGivenBack(t *testing.T) {
	m := newMemory(t, 1<<20)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("closed a second time: %v", err)
	}
	if _, err := os.Stat("/proc/self/maps"); err == nil {
		// Those that are forgotten are given back, too.
		for range 50 {
			newMemory(t, Max)
		}
		deadline := time.Now().Add(30 * time.Second)
		for mapped(t) > 0 && time.Now().Before(deadline) {
			runtime.GC()
		}
		if n := mapped(t); n > 0 {
			t.Errorf("%d mappings of code remain", n)
		}
	}
	for _, n := range []int{0, -1, Max + 1} {
		if _, err := New(n); err == nil {
			t.Errorf("there is a memory of %d bytes", n)
		}
	}
}
