package inside

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const meminfo = `MemTotal:        3817768 kB
MemFree:         3740000 kB
MemAvailable:    3615744 kB
Unaccepted:      3104768 kB
HugePages_Total:       0
`

// files makes a file system of names and texts, one after the other.
func files(namesAndTexts ...string) fs.FS {
	root := fstest.MapFS{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		root[namesAndTexts[i]] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1]), Mode: 0o444}
	}
	return root
}

func TestReadBooks(t *testing.T) {
	got, err := readBooks(files("proc/meminfo", meminfo))
	if want := (Books{3817768 << 10, 3740000 << 10, 3615744 << 10, 3104768 << 10}); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	without := strings.ReplaceAll(meminfo, "Unaccepted", "Other")
	if got, err = readBooks(files("proc/meminfo", without)); !errors.Is(err, ErrNoSupport) || got.Available == 0 {
		t.Errorf("of a kernel without support: got %+v, %v", got, err)
	}
	for _, wrong := range []string{"", "MemTotal: x kB\n", "MemTotal: 1\n", "MemTotal: 99999999999999999999 kB\n", "MemTotal: 18014398509481984 kB\n"} {
		if got, err := readBooks(files("proc/meminfo", wrong)); err == nil || errors.Is(err, ErrNoSupport) {
			t.Errorf("of %q: got %+v, %v, want an error", wrong, got, err)
		}
	}
	if _, err := readBooks(files()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

const zoneinfo = `Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 12
  pages free     3584
        spanned  4095
      nr_free_pages 3584
      nr_unaccepted 0
Node 0, zone    DMA32
  pages free     438272
      nr_free_pages 438272
      nr_unaccepted 392192
Node 1, zone  Movable
  pages free     0
      nr_free_pages 0
      nr_unaccepted 0
Node 12, zone   Normal
      nr_free_pages 492800
      nr_unaccepted 384000
`

func TestRead(t *testing.T) {
	root := files("proc/meminfo", meminfo, "proc/sys/kernel/osrelease", "6.12.1\n", "proc/zoneinfo", zoneinfo,
		"proc/vmstat", "nr_free_pages 935000\nnr_unaccepted 776192\nother_nr_unaccepted 1\n", "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tdx_guest\n",
		"sys/devices/system/memory/block_size_bytes", "8000000\n", "sys/devices/system/memory/memory0/state", "online\n",
		"sys/devices/system/memory/memory12/state", "offline\n", "sys/devices/system/memory/auto_online_blocks", "online\n")
	s, err := Read(root, "[    0.000000] efi: ACPI=0xf4fd000 ACPI 2.0=0xf4fd014 Unaccepted=0xf409030 \n", nil)
	if err != nil || len(s.Unknown) > 0 {
		t.Fatal(err, s.Unknown)
	}
	want := []Zone{{0, "DMA", 3584 * 4096, 0}, {0, "DMA32", 438272 * 4096, 392192 * 4096}, {12, "Normal", 492800 * 4096, 384000 * 4096}}
	if len(s.Zones) != len(want) {
		t.Fatalf("zones %+v, want %+v", s.Zones, want)
	}
	for i := range want {
		if s.Zones[i] != want[i] {
			t.Errorf("zone %+v, want %+v", s.Zones[i], want[i])
		}
	}
	if s.VMStat != s.Books.Unaccepted || !s.Support || s.Platform != TDX || s.Kernel != "6.12.1" || s.Table != 0xf409030 || s.Blocks != (Blocks{128 << 20, 1, 1}) {
		t.Errorf("got %+v", s)
	}
	var b strings.Builder
	if err := s.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`tacit_guest_info{platform="tdx",kernel="6.12.1"} 1`, "# TYPE tacit_memory_blocks gauge", "tacit_memory_unaccepted_supported 1", "tacit_memory_unaccepted_bytes 3179282432",
		`tacit_zone_unaccepted_bytes{node="12",zone="Normal"} 1572864000`, `tacit_memory_blocks{state="offline"} 1`,
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("the metrics lack %s:\n%s", line, &b)
		}
	}

	// What is not there is said, and is no metric.
	s, err = Read(files("proc/meminfo", strings.ReplaceAll(meminfo, "Unaccepted", "Other"), "dev/sev-guest", ""), "", fs.ErrPermission)
	if err != nil || len(s.Unknown) != 5 || s.Support || s.Platform != SNP {
		t.Errorf("got %+v, %v", s, err)
	}
	b.Reset()
	if err := s.WriteMetrics(&b); err != nil || strings.Contains(b.String(), "unaccepted_bytes") || !strings.Contains(b.String(), "supported 0\n") {
		t.Errorf("%v, the metrics of a kernel without support:\n%s", err, &b)
	}
}

func TestPlatformByItsLog(t *testing.T) {
	for log, want := range map[string]string{
		"[    0.1] Memory Encryption Features active: Intel TDX\n":              TDX,
		"[    0.1] Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP\n": SNP,
		"[    0.1] Memory Encryption Features active: AMD SEV SEV-ES\n":         Other,
		"[    0.1] TDX SEV-SNP\n": Other,
	} {
		if got := platform(files(), log); got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(meminfo, zoneinfo, "efi: Unaccepted=0x1")
	f.Fuzz(func(t *testing.T, meminfo, zoneinfo, log string) {
		s, err := Read(files("proc/meminfo", meminfo, "proc/zoneinfo", zoneinfo, "proc/vmstat", zoneinfo, "proc/self/cgroup", zoneinfo), log, nil)
		if err == nil {
			_ = s.WriteMetrics(&strings.Builder{}) // it has no errors of its own
		}
		_, _ = roomOf(files("proc/self/cgroup", meminfo)) // any text is an answer or an error
		_ = within(meminfo, zoneinfo)
	})
}
