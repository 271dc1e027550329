package firmware

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// planFor is the plan of a configuration with the test image.
func planFor(t *testing.T, c Config) plan {
	t.Helper()
	c.ACPI, c.Accept = testACPI(), func(accept.Range) error { return nil }
	if c.Image == nil {
		c.Image = testImage(nil)
	}
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f.plan
}

// Whatever is asked for, the two parts together are RAM, and firmware accepts what it has been told to, and not much
// more than that.
func TestPlanIsAPartitionOfRAM(t *testing.T) {
	for _, total := range []uint64{2 * mib, 32 * mib, 64 * mib, 256 * mib, 1 * gib, 2 * gib, 2*gib + 2*mib, 3 * gib, 4 * gib, 64 * gib, 1 << 40} {
		for _, accepts := range []uint64{0, 1, 40 * mib, 100*mib + 1, DefaultFirmwareAccepts, 2 * gib, 3 * gib, 1 << 50, AcceptBelow4G, AcceptBelow4G - 1} {
			for _, misalign := range []bool{false, true} {
				name := fmt.Sprintf("%d MiB, accepts %#x, misalign %v", total/mib, accepts, misalign)
				p := planFor(t, Config{TotalMemory: total, FirmwareAccepts: accepts, Unaccepted: true, Misalign: misalign})
				all := append(slices.Clone(p.accepted), p.unaccepted...)
				slices.SortFunc(all, func(a, b accept.Range) int { return cmp.Compare(a.Start, b.Start) })
				var joined []accept.Range
				for _, r := range all {
					if r.Empty() || (r.Start|r.End)%pageSize != 0 {
						t.Errorf("%s: %v", name, r)
					}
					if n := len(joined); n > 0 && joined[n-1].End == r.Start {
						joined[n-1].End = r.End
					} else {
						joined = append(joined, r)
					}
				}
				if !slices.Equal(joined, physical.RAM(total)) {
					t.Fatalf("%s: %v is not RAM", name, all)
				}
				want := min(accepts, total)
				if accepts == AcceptBelow4G {
					want = min(total, physical.LowEnd)
				}
				if got := sum(p.accepted); got < want {
					t.Errorf("%s: accepts %#x", name, got)
				} else if got > max(want, 64*mib+pageTablesSize(physical.RAM(total)))+16*mib {
					t.Errorf("%s: accepts %#x, much more than that", name, got)
				}
				for _, r := range p.unaccepted {
					head, tracked, tail := accept.Split(r, r)
					upFront := !head.Empty() || !tail.Empty() || tracked.Empty()
					if upFront != misalign && total >= 256*mib {
						t.Errorf("%s: %v: up front %v and %v", name, r, head, tail)
					}
				}
			}
		}
	}
}

func sum(ranges []accept.Range) (n uint64) {
	for _, r := range ranges {
		n += r.Len()
	}
	return n
}

// The rules for what an EFI stub accepts itself are all met: a range that is short, an odd beginning, an odd end.
func TestMisalignMeetsEveryRule(t *testing.T) {
	p := planFor(t, Config{TotalMemory: 4 * gib, FirmwareAccepts: DefaultFirmwareAccepts, Unaccepted: true, Misalign: true})
	var short, head, tail int
	for _, r := range p.unaccepted {
		h, tracked, t := accept.Split(r, r)
		switch {
		case tracked.Empty():
			short++
		default:
			if !h.Empty() {
				head++
			}
			if !t.Empty() {
				tail++
			}
		}
	}
	if short != 2 || head != 2 || tail != 2 { // below and above 4 GiB
		t.Errorf("%d short ranges, %d odd beginnings, %d odd ends: %v", short, head, tail, p.unaccepted)
	}
}

func TestNothingIsUnacceptedWithoutAPlatform(t *testing.T) {
	for _, c := range []Config{
		{TotalMemory: 4 * gib, FirmwareAccepts: 64 * mib, Misalign: true},
		{TotalMemory: 4 * gib, FirmwareAccepts: 64 * mib, Unaccepted: true, Policy: Eager, Misalign: true},
	} {
		if p := planFor(t, c); len(p.unaccepted) != 0 || sum(p.accepted) != 4*gib {
			t.Errorf("%+v", p)
		}
	}
}

// A kernel's init_size counts, and an initrd does twice.
func TestNeedFollowsTheImage(t *testing.T) {
	bz := testImage(nil)
	bz = append(bz, make([]byte, 0x1000)...)
	small := planFor(t, Config{TotalMemory: 4 * gib, Unaccepted: true})
	f, err := New(Config{TotalMemory: 4 * gib, Unaccepted: true, Accept: func(accept.Range) error { return nil }, ACPI: testACPI(),
		Image: bz, Initrd: make([]byte, 50*mib)})
	if err != nil {
		t.Fatal(err)
	}
	if got := sum(f.Accepts()) - sum(small.accepted); got < 100*mib {
		t.Errorf("an initrd of 50 MiB adds %#x", got)
	}
	header := make([]byte, 0x264)
	copy(header[0x202:], "HdrS")
	header[0x206], header[0x207] = 0x0F, 2
	put32(header[0x260:], 54<<20)
	if n, ok := linuxInitSize(header); !ok || n != 54<<20 {
		t.Errorf("init_size %#x, %v", n, ok)
	}
	if _, ok := linuxInitSize(header[:0x263]); ok {
		t.Error("init_size after the end of the file")
	}
	unified := planFor(t, Config{TotalMemory: 4 * gib, Unaccepted: true, Image: testImage(func(p *peImage) { p.data = header[:0x264:0x264] })})
	if got := sum(unified.accepted) - sum(small.accepted); got != 56*mib {
		t.Errorf("a kernel of 54 MiB in a unified image adds %#x", got)
	}
}

// What the memory map says at first: RAM but for what a PC has below 1 MiB, what was left as type 15, runtime memory
// with its attribute.
func TestFirstMemoryMap(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.TotalMemory, c.Unaccepted = 4*gib, true })
	list, _ := m.memoryMap()
	var pages uint64
	var unaccepted []accept.Range
	for _, d := range list {
		pages += d.NumberOfPages
		if d.Type == uefi.UnacceptedMemory {
			unaccepted = append(unaccepted, accept.Range{Start: d.PhysicalStart, End: d.End()})
		}
		if d.PhysicalStart < legacyEnd && d.End() > legacyStart {
			t.Errorf("%v at %#x: video memory and ROMs are not for use", d.Type, d.PhysicalStart)
		}
		runtime := d.Type == uefi.RuntimeServicesCode || d.Type == uefi.RuntimeServicesData
		if runtime != (d.Attribute&uefi.MemoryRuntime != 0) {
			t.Errorf("%v has attribute %#x", d.Type, d.Attribute)
		}
		if d.Attribute&uefi.MemoryWB == 0 || d.Attribute&uefi.MemorySP != 0 || d.VirtualStart != 0 {
			t.Errorf("%+v", d)
		}
	}
	if pages != (4*gib-(legacyEnd-legacyStart))/pageSize {
		t.Errorf("%d pages", pages)
	}
	if !slices.Equal(unaccepted, m.Leaves()) {
		t.Errorf("unaccepted %v, planned %v", unaccepted, m.Leaves())
	}
	if len(list) > 32 {
		t.Errorf("%d descriptors; more than 96 make Linux's stub allocate for them", len(list))
	}
	// Linux reads all of the first MiB.
	for page := uint64(0); page < legacyEnd; page += pageSize {
		if !m.accepted[page] {
			t.Fatalf("%#x is not accepted", page)
		}
	}
	if want := sum(m.Accepts()); uint64(len(m.accepted))*pageSize != want {
		t.Errorf("accepted %#x, planned %#x", len(m.accepted)*pageSize, want)
	}
}

// The page tables map RAM and the addresses of devices to themselves and nothing else, whatever its size.
func TestIdentityMap(t *testing.T) {
	const at, cbit, shared = 0x700_0000, 1 << 51, 1 << 47
	for _, total := range []uint64{2 * mib, 1 * gib, 2 * gib, 3 * gib, 64 * gib, 600 * gib} {
		ram := physical.RAM(total)
		b := identityMap(ram, at, cbit, shared)
		top := ram[len(ram)-1].End
		// walk translates as a processor does.
		walk := func(va uint64) (uint64, bool) {
			table := uint64(at)
			for _, shift := range []int{39, 30, 21} {
				e := get64(b[table-at+va>>shift&511*8:])
				if e&ptePresent == 0 {
					return 0, false
				}
				device := e&pteLarge != 0 && va >= physical.LowEnd && va < physical.HighStart
				if e&cbit != 0 == device || e&shared != 0 != device || e&pteUncached != 0 != device || e&pteWrite == 0 {
					t.Fatalf("%#x: entry %#x", va, e)
				}
				table = e &^ (cbit | shared | pageMask)
				if e&pteLarge != 0 {
					return table | va&(1<<shift-1), true
				}
			}
			t.Fatalf("%#x: no page", va)
			return 0, false
		}
		for _, va := range []uint64{
			0, 0x1234, 2*mib - 1, 2 * mib, gib - 1, gib, physical.LowEnd - 1, physical.LowEnd, physical.HighStart - 1, physical.HighStart, top - 1, top,
			512*gib - 1, 512 * gib, 1 << 40,
		} {
			want := slices.ContainsFunc(append(ram, devices), func(r accept.Range) bool { return va >= r.Start && va < r.End })
			if got, ok := walk(va); ok != want || ok && got != va {
				t.Errorf("%d MiB: %#x is mapped to %#x, %v", total/mib, va, got, ok)
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.TotalMemory = 0 },
		func(c *Config) { c.TotalMemory = 3*mib + 1 },
		func(c *Config) { c.TotalMemory = 1 << 60 },
		func(c *Config) { c.Unaccepted = true },
		func(c *Config) { c.Policy = negotiate.Policies },
		func(c *Config) { c.RTCStart = -1 },
		func(c *Config) { c.RTCStart = lastSecond + 1 },
		func(c *Config) { c.Image = nil },
		func(c *Config) { c.Image = c.Image[:0x100] },
		func(c *Config) { c.Tables = make([]PlatformTable, maxTables) },
		func(c *Config) { c.Tables = []PlatformTable{{GUID: uefi.CCBlobGUID, Bytes: 1}} },
	} {
		c := Config{TotalMemory: 64 * mib, ACPI: testACPI(), Image: testImage(nil)}
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
}
