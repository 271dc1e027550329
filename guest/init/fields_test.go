//go:build linux

package main

import "testing"

const meminfo = "MemTotal:         990176 kB\nMemFree:          956724 kB\nUnaccepted:            0 kB\nHugePages_Total:       0\n"

func TestValue(t *testing.T) {
	for _, test := range []struct {
		file, name string
		separator  byte
		want       uint64
		ok         bool
	}{
		{meminfo, "MemTotal", ':', 990176, true},
		{meminfo, "MemFree", ':', 956724, true},
		{meminfo, "Unaccepted", ':', 0, true},
		{meminfo, "Free", ':', 0, false},      // the end of a name
		{meminfo, "HugePages", ':', 0, false}, // its beginning
		{meminfo, "kB", '\n', 0, false},
		{"", "MemTotal", ':', 0, false},
		{"nr_free_pages 12\nnr_free 7", "nr_free", ' ', 7, true},
		{"MemTotal:", "MemTotal", ':', 0, false},
		{"a 18446744073709551615", "a", ' ', 1<<64 - 1, true},
		{"a 18446744073709551616", "a", ' ', 0, false},
	} {
		if n, ok := value([]byte(test.file), test.name, test.separator); n != test.want || ok != test.ok {
			t.Errorf("%q in %q: got %d, %v, want %d, %v", test.name, test.file, n, ok, test.want, test.ok)
		}
	}
}

func TestParameter(t *testing.T) {
	for _, test := range []struct {
		cmdline string
		want    uint64
		ok      bool
	}{
		{"console=ttyS0 tacit.touch=1G quiet\n", 1 << 30, true},
		{"tacit.touch=300M\n", 300 << 20, true},
		{"tacit.touch=64K", 64 << 10, true},
		{"tacit.touch=4096", 4096, true},
		{"xtacit.touch=1G", 0, false},
		{"tacit.touch=", 0, false},
		{"tacit.touch=G", 0, false},
		{"tacit.touch=99999999999999G", 0, false}, // beyond 64 bits
		{"", 0, false},
	} {
		size, ok := parameter([]byte(test.cmdline), "tacit.touch=")
		if ok != test.ok || ok && size != test.want {
			t.Errorf("%q: got %d, %v, want %d, %v", test.cmdline, size, ok, test.want, test.ok)
		}
	}
}

func TestAfter(t *testing.T) {
	const cpuinfo = "processor\t: 0\nflags\t\t: fpu vme tdx_guest\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: other\n"
	if got, ok := after([]byte(cpuinfo), "flags\t\t: "); got != "fpu vme tdx_guest" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := after([]byte(cpuinfo), "flags: "); ok {
		t.Errorf("found %q, which is not there", got)
	}
}
