package firmware

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

func TestImageFindsWhatTheSpecificationPromises(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.LoadOptions = "console=ttyS0 ä" })
	if m.launched == nil || m.launched.pageTables&^pageMask == 0 {
		t.Fatal("the processor was not put into long mode")
	}
	image, system := m.gpr[rcx], m.gpr[rdx]
	if m.gpr[rsp]%16 != 8 {
		t.Errorf("at entry RSP is %#x: a call leaves it 8 off a multiple of 16", m.gpr[rsp])
	}
	if system != m.systemTable || m.word(system) != uefi.SystemTableSignature {
		t.Fatalf("RDX is %#x", system)
	}
	interfaceAt := m.room(1)
	m.wants(uefi.Success, uefi.BSHandleProtocol, image, m.guid(uefi.LoadedImageProtocolGUID), interfaceAt)
	loaded := m.word(interfaceAt)
	base := m.word(loaded + uefi.LoadedImageImageBase)
	if m.images[0].entry != base+testText || base%pageSize != 0 {
		t.Errorf("entry %#x, base %#x", m.images[0].entry, base)
	}
	if m.word(loaded+uefi.LoadedImageSystemTable) != system || m.word(loaded+uefi.LoadedImageImageSize) != 0x5000 {
		t.Error("EFI_LOADED_IMAGE_PROTOCOL")
	}
	m.wants(uefi.Success, uefi.BSHandleProtocol, m.word(loaded+uefi.LoadedImageDeviceHandle), m.guid(uefi.DevicePathProtocolGUID), interfaceAt)
	m.wants(uefi.Unsupported, uefi.BSHandleProtocol,
		m.word(loaded+uefi.LoadedImageDeviceHandle), m.guid(uefi.SimpleFileSystemProtocolGUID), interfaceAt)
	want := endPath(pathNode(pathMedia, pathFile, wide(`\test.efi`)))
	if got := m.bytes(m.word(loaded+uefi.LoadedImageFilePath), len(want)); string(got) != string(want) {
		t.Errorf("file path % x, want % x", got, want)
	}
	options := m.bytes(m.word(loaded+uefi.LoadedImageLoadOptions), int(uint32(m.word(loaded+uefi.LoadedImageLoadOptionsSize))))
	if string(options) != string(wide("console=ttyS0 ä")) {
		t.Errorf("load options %q", options)
	}
}

// Every table's checksum is right, at first and after each change.
func TestTableChecksums(t *testing.T) {
	m := newMachine(t, nil)
	check := func(when string, tables ...uint64) {
		t.Helper()
		for _, at := range tables {
			b := m.bytes(at, int(uint32(m.word(at+uefi.TableHeaderHeaderSize))))
			want := get64(b[uefi.TableHeaderCRC32:]) & 0xFFFF_FFFF
			put32(b[uefi.TableHeaderCRC32:], 0)
			if got := crc32.ChecksumIEEE(b); uint64(got) != want {
				t.Errorf("%s: table %q at %#x has checksum %#x, not %#x", when, b[:8], at, want, got)
			}
		}
	}
	runtimeTable, bootTable := m.word(m.systemTable+uefi.SystemTableRuntimeServices), m.word(m.systemTable+uefi.SystemTableBootServices)
	check("at first", m.systemTable, runtimeTable, bootTable)
	for s := uefi.BSRaiseTPL; s < uefi.BootServicesSize; s += 8 {
		if p := m.bootPointer(s); !m.Trap(p) && s != uefi.BSReserved {
			t.Errorf("%v points to %#x", s, p)
		}
	}
	for s := uefi.RTGetTime; s < uefi.RuntimeServicesSize; s += 8 {
		if p := m.runtimePointer(s); !m.Trap(p) {
			t.Errorf("%v points to %#x", s, p)
		}
	}
	m.wants(uefi.Success, uefi.BSInstallConfigurationTable, m.guid(uefi.LinuxBootMemmapGUID), 0x1000)
	check("with another configuration table", m.systemTable)
	m.exitBootServices0()
	check("after ExitBootServices", m.systemTable, runtimeTable)
	m.switchToVirtual()
	check("after SetVirtualAddressMap", m.systemTable, runtimeTable)
}

func TestConfigurationTables(t *testing.T) {
	blob := uefi.CCBlobGUID
	m := newMachine(t, func(c *Config) {
		c.Tables = []PlatformTable{{blob, 0x2000, func(address uint64) []byte { return binary.LittleEndian.AppendUint64([]byte("the blob"), address) }}}
	})
	tables := func() map[uefi.GUID]uint64 {
		found := map[uefi.GUID]uint64{}
		at := m.word(m.systemTable + uefi.SystemTableConfigurationTable)
		for range m.word(m.systemTable + uefi.SystemTableNumberOfTableEntries) {
			found[uefi.GUID(m.bytes(at, 16))] = m.word(at + 16)
			at += uefi.ConfigurationTableSize
		}
		return found
	}
	if at := tables()[blob]; at == 0 || at%pageSize != 0 || at >= physical.HighStart || string(m.bytes(at, 8)) != "the blob" || m.word(at+8) != at {
		t.Errorf("the platform's table is at %#x", at)
	} else if list, _ := m.memoryMap(); kindAt(list, at) != uefi.ACPIReclaimMemory {
		t.Errorf("the platform's table is in %v memory", kindAt(list, at))
	}
	if rsdp := tables()[uefi.ACPI20TableGUID]; rsdp == 0 || string(m.bytes(rsdp, 8)) != "RSD PTR " {
		t.Errorf("RSDP at %#x", rsdp)
	} else if list, _ := m.memoryMap(); kindAt(list, rsdp) != uefi.ACPIReclaimMemory {
		t.Errorf("ACPI tables are in %v memory", kindAt(list, rsdp))
	}
	g := m.guid(uefi.LinuxRandomSeedTableGUID)
	n := len(tables())
	m.wants(uefi.Success, uefi.BSInstallConfigurationTable, g, 0x1000)
	m.wants(uefi.Success, uefi.BSInstallConfigurationTable, g, 0x2000)
	if got := tables(); got[uefi.LinuxRandomSeedTableGUID] != 0x2000 || len(got) != n+1 {
		t.Errorf("%v", got)
	}
	m.wants(uefi.Success, uefi.BSInstallConfigurationTable, g, 0)
	m.wants(uefi.NotFound, uefi.BSInstallConfigurationTable, g, 0)
	if got := tables(); len(got) != n {
		t.Errorf("%v", got)
	}
	var s uefi.Status
	for i := 0; s == uefi.Success && i < 1000; i++ {
		m.poke(g, []byte{byte(i), byte(i >> 8)})
		s = m.boots(uefi.BSInstallConfigurationTable, g, 0x1000)
	}
	if s != uefi.OutOfResources || len(tables()) != maxTables {
		t.Errorf("%d tables, then %v", len(tables()), s)
	}
}

func kindAt(list []uefi.MemoryDescriptor, address uint64) uefi.MemoryType {
	for _, d := range list {
		if address >= d.PhysicalStart && address < d.End() {
			return d.Type
		}
	}
	return uefi.MaxMemoryType
}

// What firmware cannot do at all ends with one line, not with a machine that fails later.
func TestBootFailsWithAReason(t *testing.T) {
	try := func(c Config, accept func(accept.Range) error) error {
		c.ACPI, c.Accept = testACPI(), accept
		f, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{TB: t, Firmware: f}
		old := newMachine(t, func(d *Config) { d.TotalMemory = 64 * mib })
		m.ram = old.ram
		return f.boot(m)
	}
	if err := try(Config{TotalMemory: 2 * mib, Image: testImage(func(p *peImage) { p.sizeOfImage = 4 * mib })}, nil); err == nil {
		t.Error("an image of 4 MiB in a machine of 2 MiB")
	}
	broken := errors.New("the host does not answer")
	err := try(Config{TotalMemory: 64 * mib, Image: testImage(nil), Unaccepted: true}, func(accept.Range) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("acceptance fails: %v", err)
	}
	err = try(Config{TotalMemory: 64 * mib, Image: testImage(func(p *peImage) { p.fixed, p.base = true, 0xA_0000 })}, nil)
	if err == nil {
		t.Error("an image that must be where no memory is")
	}
}

// The image is in memory as the file says: padding is not, zeros are where the file has nothing, and addresses are
// relocated.
func TestImageIsLoadedAndRelocated(t *testing.T) {
	const linked = 0x1_8000_0000
	data := make([]byte, 0x100)
	put64(data[8:], linked+0x2040)
	put32(data[0x20:], linked&0xFFFF_FFFF+0x1010)
	block := make([]byte, 8, 16)
	put32(block, testData)
	for _, r := range []uint16{relocate64<<12 | 8, relocate32<<12 | 0x20, 0, 0} {
		block = append(block, byte(r), byte(r>>8))
	}
	put32(block[4:], uint32(len(block)))
	file := testImage(func(p *peImage) { p.base, p.data, p.relocations, p.alignment = linked, data, block, 0x10000 })
	m := newMachine(t, nil)
	// Where it goes, somebody has been before.
	dirty, handle := m.room(1), m.room(1)
	m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), 256, dirty)
	m.poke(m.word(dirty), bytes.Repeat([]byte{0xDD}, 256*pageSize))
	m.wants(uefi.Success, uefi.BSFreePages, m.word(dirty), 256)
	m.wants(uefi.Success, uefi.BSLoadImage, 0, m.images[0].handle, 0, m.alloc(file), uint64(len(file)), handle)
	base := m.image(m.word(handle)).memory.Start
	if base%0x10000 != 0 {
		t.Errorf("loaded at %#x: not aligned as its sections", base)
	}
	if got := m.word(base + testData + 8); got != base+0x2040 {
		t.Errorf("DIR64: %#x, loaded at %#x", got, base)
	}
	if got := uint32(m.word(base + testData + 0x20)); got != uint32(base+0x1010) {
		t.Errorf("HIGHLOW: %#x, loaded at %#x", got, base)
	}
	if got := m.bytes(base, 0x400); string(got) != string(file[:0x400]) {
		t.Error("headers")
	}
	for _, at := range []uint64{0x400, testText + 1, testData + 0x200, 0x4000, 0x4FFF} {
		if got := m.bytes(base+at, 1)[0]; got != 0 {
			t.Errorf("%#x at %#x, want zero", got, at)
		}
	}
	list, _ := m.memoryMap()
	if kind := kindAt(list, base); kind != uefi.LoaderCode {
		t.Errorf("loaded to %v memory", kind)
	}

	fixed := newMachine(t, func(c *Config) {
		c.Image = testImage(func(p *peImage) { p.fixed, p.base = true, 0x180_0000 })
	})
	if base := fixed.images[0].memory.Start; base != 0x180_0000 {
		t.Errorf("an image without relocations is at %#x", base)
	}
}

func TestBadImagesAreRefused(t *testing.T) {
	m := newMachine(t, nil)
	handle := m.room(1)
	load := func(file []byte) uefi.Status {
		t.Helper()
		source := m.alloc(file)
		before := m.memory.total(uefi.ConventionalMemory)
		s := m.boots(uefi.BSLoadImage, 0, m.images[0].handle, 0, source, uint64(len(file)), handle)
		if s != uefi.Success && m.memory.total(uefi.ConventionalMemory) != before {
			t.Errorf("LoadImage fails with %v and loses memory", s)
		}
		m.wants(uefi.Success, uefi.BSFreePool, source)
		return s
	}
	good := testImage(nil)
	if s := load(good); s != uefi.Success {
		t.Fatalf("%v", s)
	}
	for cut := 0; cut < len(good)-0x200; cut += 7 {
		if s := load(good[:cut]); s == uefi.Success {
			t.Errorf("the first %#x bytes load", cut)
		}
	}
	for name, change := range map[string]func(*peImage){
		"subsystem":                    func(p *peImage) { p.subsystem = pe.IMAGE_SUBSYSTEM_WINDOWS_GUI },
		"no size":                      func(p *peImage) { p.sizeOfImage = 0 },
		"smaller than headers":         func(p *peImage) { p.sizeOfImage = 0x300 },
		"sections after the end":       func(p *peImage) { p.sizeOfImage = 0x4000 },
		"larger than allowed":          func(p *peImage) { p.sizeOfImage = maxImage + 1 },
		"odd alignment":                func(p *peImage) { p.alignment = 0x1001 },
		"fixed where no memory is":     func(p *peImage) { p.fixed, p.base = true, 1<<40 },
		"relocations without end":      func(p *peImage) { p.base, p.relocations = 1<<40, []byte{0, 0, 0, 0, 0, 0, 0, 0} },
		"relocation of unknown kind":   func(p *peImage) { p.base, p.relocations = 1<<40, []byte{0, 0x20, 0, 0, 10, 0, 0, 0, 0x00, 0x50} },
		"relocation outside the image": func(p *peImage) { p.base, p.relocations = 1<<40, []byte{0, 0, 0, 0x10, 10, 0, 0, 0, 0, 0xA0} },
		"relocation blocks too long":   func(p *peImage) { p.base, p.relocations = 1<<40, []byte{0, 0x20, 0, 0, 0xFF, 0, 0, 0, 0, 0xA0} },
	} {
		if s := load(testImage(change)); s == uefi.Success {
			t.Errorf("%s: loads", name)
		}
	}
	overlap := testImage(nil)
	for i := range 3 { // all sections read the whole file's worth of the same bytes
		at := 0x80 + 4 + 20 + 240 + 40*i
		put32(overlap[at+8:], 0x4000)
		put32(overlap[at+12:], 0x1000)
		put32(overlap[at+16:], 0x4000)
		put32(overlap[at+20:], 0)
	}
	overlap = append(overlap, make([]byte, 0x8000)...)
	if s := load(overlap); s != uefi.LoadError {
		t.Errorf("overlapping sections: %v", s)
	}
}
