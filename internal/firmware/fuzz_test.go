package firmware

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// FuzzServices calls services in any order with any arguments. Whatever comes, firmware answers, keeps its books in
// order and within their bounds, or ends the run.
//
// An input is a row of calls: a byte for the entry point, one for each argument. An argument's byte chooses a value
// that means something; above those, it says how many bytes of a number of the fuzzer's own follow. Before a call, 255 has the second
// processor make it.
func FuzzServices(f *testing.F) {
	for slot := range entries {
		f.Add([]byte{byte(slot), 8, 9, 10, 11, 12, 13})
		f.Add([]byte{byte(slot), 0, 0, 0, 0, 0, 0})
		f.Add([]byte{byte(slot), 1, 4, 1, 8, 8, 8})
		f.Add([]byte{byte(slot), 30, 0, 8, 9, 10, 8, 0xFF, byte(slot), 0, 7, 1, 0, 0, 0})
	}
	var long []byte
	for round := range 20 {
		for slot := range entries {
			long = append(long, byte(slot), byte(round+slot)%24, byte(3*round+slot)%24, byte(5*round)%24, byte(round)%24, 8, 9)
		}
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, input []byte) {
		const (
			most   = 300      // calls
			screen = 96 * mib // above all memory
		)
		m := newMachine(t, func(c *Config) {
			c.TotalMemory, c.FirmwareAccepts, c.Unaccepted, c.Misalign, c.Initrd = 80*mib, 40*mib, true, true, make([]byte, 10_000)
			c.Screen = &Screen{640, 480, screen}
			c.Bus, c.ACPI.PCI = newSlotBus(nil), &acpi.PCI{ECAM: 0xE000_0000, ECAMSize: 1 << 20, Window: 0xC000_0000, WindowSize: 1 << 24}
			c.ACPI.CPUs, c.Processors = 3, others{map[int]bool{}}
			c.Convert = func(accept.Range, bool) error { return nil }
		})
		for page := uint64(screen); page < screen+m.cfg.Screen.Size(); page += pageSize {
			m.accepted[page] = true // a device's
		}
		m.functions[codeAddress] = func(uint64, uint64) uint64 { return 0 }
		scratch := m.alloc(bytes.Repeat([]byte{0x11, 0, 0, 0, 0, 0, 0, 0}, 64))
		file := testImage(nil)
		path := endPath(pathNode(pathMedia, pathVendorMedia, uefi.LinuxInitrdMediaGUID[:]))
		meaning := []uint64{
			0, 1, 2, uefi.TPLCallback, 16, 4096, 1 << 20, codeAddress,
			scratch, scratch + 8, scratch + 16, m.guid(uefi.LoadFile2ProtocolGUID), m.guid(uefi.DevicePathProtocolGUID),
			m.alloc(file), uint64(len(file)), m.alloc(path), m.alloc(wide("Name")), m.images[0].handle, eventBase + 1,
			m.systemTable, m.trap, uint64(uefi.LoaderData), m.plan.unaccepted[0].Start, m.launched.pageTables,
			uefi.EventTimer | uefi.EventNotifySignal, uefi.EventNotifyWait, handleBase + 1, 1<<63 - 4, ^uint64(0) - 3, physical.HighStart,
			m.Firmware.functions[0].this, mappingBase + 1, registrationBase + 1, uefi.OpenProtocolByDriver, uefi.OpenProtocolExclusive,
		}
		value := func() uint64 {
			if len(input) == 0 {
				return 0
			}
			c := input[0]
			input = input[1:]
			if int(c) < len(meaning) {
				return meaning[c]
			}
			var b [8]byte
			input = input[copy(b[:1+c%8], input):]
			return binary.LittleEndian.Uint64(b[:])
		}
		for calls := 0; len(input) > 0 && calls < most; calls++ {
			m.id = 0
			if input[0] == 0xFF && len(input) > 1 { // the second processor calls
				m.id, input = 1, input[1:]
			}
			slot := int(input[0]) % len(entries)
			input = input[1:]
			m.steps, m.patience = 0, 300
			_, err := m.callAt(m.trap+uint64(slot)*entrySize, value(), value(), value(), value(), value(), value())
			checkMap(t, m.memory.regions)
			if len(m.frames) > maxFrames || len(m.events) > maxEvents || len(m.queue) > maxEvents || m.handles.pieces > maxInterfaces ||
				m.pool.pieces > maxPieces || m.handles.openings > maxOpenings || len(m.registrations) > maxRegistrations || len(m.mappings) > maxMappings || len(m.buffers) > maxMappings || len(m.images) > maxImages || m.variables.size > maxStore || len(m.tables) > maxTables {
				t.Fatal("a bound is exceeded")
			}
			if err != nil {
				if err.Error() == "" {
					t.Error("an end without a reason")
				}
				return
			}
			// What has been accepted is what the map does not call unaccepted.
			for _, g := range m.memory.regions {
				if (g.kind == uefi.UnacceptedMemory) == m.accepted[g.start] {
					t.Fatalf("%v at %#x: accepted %v", g.kind, g.start, m.accepted[g.start])
				}
			}
		}
	})
}

// FuzzPE loads any file as an image.
func FuzzPE(f *testing.F) {
	f.Add(testImage(nil))
	f.Add(testImage(func(p *peImage) { p.base, p.relocations = 1<<40, []byte{0, 0x20, 0, 0, 12, 0, 0, 0, 0x08, 0xA0, 0, 0} }))
	f.Add(testImage(func(p *peImage) { p.fixed, p.base = true, 0x100_0000 }))
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := parsePE(sliceReader(file))
		if err != nil {
			return
		}
		if p.sizeOfImage > 64*mib {
			return // valid, and slow to load a thousand times
		}
		c := Config{TotalMemory: 256 * mib, ACPI: testACPI(), Image: file, Accept: func(accept.Range) error { return nil }}
		fw, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		m := newMachine(t, nil)
		m.Firmware = fw
		if err := fw.boot(m); err == nil && !fw.images[0].memory.In(physical.RAM(256 * mib)[0]) {
			t.Errorf("loaded to %v", fw.images[0].memory)
		}
	})
}
