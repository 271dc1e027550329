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
	m, err := New(n, Page)
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
	for _, offset := range []int{Page - 4, Page, Page + 0x1234} {
		if err := m.Write(offset, []byte("code")); err != nil {
			t.Fatal(err)
		}
		if got := m.read(offset, 4); !bytes.Equal(got, []byte("code")) {
			t.Errorf("%q where code was written", got)
		}
		if m.Address(offset) != uintptr(unsafe.Pointer(&m.maps.code[offset])) {
			t.Error("an address is not where the code is")
		}
	}
	for _, offset := range []int{-1, Page - 3, 1<<20 - 3, 1 << 20, 1 << 40} {
		if err := m.Write(offset, []byte("code")); err == nil {
			t.Errorf("four bytes could be written at %#x of a memory of 1 MiB whose first 64 KiB are data", offset)
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
		if a := m.Address(Page); a >= from && a < to {
			found = mode
		}
	}
	want := "r-xs"
	if runtime.GOARCH == "arm64" {
		want = "r-xp"
	}
	if found != want {
		t.Errorf("code is mapped %q", found)
	}
}

// mapped returns how many bytes of memory for code this process has: what can be executed, and is of no file but ours.
func mapped(t *testing.T) (n uintptr) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(line)
		if strings.Contains(fields[1], "x") && (len(fields) == 5 || strings.Contains(line, "tacit code")) {
			n += to - from
		}
	}
	return n
}

func TestMemoryIsGivenBack(t *testing.T) {
	before := uintptr(0) // what an emulator of the processor has put there
	if _, err := os.Stat("/proc/self/maps"); err == nil {
		before = mapped(t)
	}
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
		// More than once: a list that is read while others are given back can lack some that are not yet.
		for gone := 0; gone < 3 && time.Now().Before(deadline); gone++ {
			runtime.GC()
			if mapped(t) > before {
				gone = -1
			}
		}
		if n := mapped(t); n > before {
			t.Errorf("%d bytes of code remain", n-before)
		}
	}
	for _, n := range [][2]int{{0, 0}, {-Page, 0}, {Max + Page, 0}, {Page + 1, 0}, {Page, 1}, {Page, 2 * Page}, {2 * Page, -Page}} {
		if _, err := New(n[0], n[1]); err == nil {
			t.Errorf("there is a memory of %d bytes, of them %d of data", n[0], n[1])
		}
	}
}
