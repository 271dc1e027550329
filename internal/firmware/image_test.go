package firmware

import (
	"debug/pe"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// loadTestImage has the guest load an image whose entry point is a Go function, and returns its handle.
func (m *machine) loadTestImage(subsystem uint16, entry func(handle, systemTable uint64) uint64) uint64 {
	m.Helper()
	file := testImage(func(p *peImage) { p.subsystem = subsystem })
	at := m.room(1)
	m.wants(uefi.Success, uefi.BSLoadImage, 0, m.images[0].handle, 0, m.alloc(file), uint64(len(file)), at)
	handle := m.word(at)
	m.functions[m.image(handle).entry] = entry
	return handle
}

func TestStartImageReturns(t *testing.T) {
	m := newMachine(t, nil)
	free := m.memory.total(uefi.ConventionalMemory)
	var started, table uint64
	handle := m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(h, st uint64) uint64 {
		started, table = h, st
		if m.gpr[rsp]%16 != 8 {
			t.Errorf("RSP is %#x at the entry point", m.gpr[rsp])
		}
		m.gpr[3], m.gpr[12] = 0xBAD, 0xBAD
		return uint64(uefi.CRCError)
	})
	m.gpr[3], m.gpr[12] = 3, 12
	m.wants(uefi.CRCError, uefi.BSStartImage, handle, 0, 0)
	if started != handle || table != m.systemTable {
		t.Errorf("the image got %#x and %#x", started, table)
	}
	if m.gpr[3] != 3 || m.gpr[12] != 12 {
		t.Error("registers that a function preserves are lost")
	}
	m.wants(uefi.InvalidParameter, uefi.BSStartImage, handle, 0, 0) // it is gone
	if got := m.memory.total(uefi.ConventionalMemory); got < free-2*poolChunk {
		t.Errorf("%#x bytes lost", free-got)
	}
}

// Exit leaves from anywhere: from a function that the entry point called, and from within a notification function.
func TestExitUnwinds(t *testing.T) {
	m := newMachine(t, nil)
	var handle uint64
	text := m.alloc(wide("no luck"))
	exit := m.bootPointer(uefi.BSExit)
	// leave is guest code that jumps to Exit in the middle of whatever it is in.
	leave := func(h uint64) {
		m.gpr[rsp] -= 0x400
		m.putWord(m.gpr[rsp], 0xDEAD) // a return address that must not be used
		m.gpr[rcx], m.gpr[rdx], m.gpr[r8], m.gpr[r9] = h, uint64(uefi.Aborted), 16, text
		m.rip = exit
	}
	size, data := m.room(1), m.room(1)
	handle = m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(h, _ uint64) uint64 { leave(h); return 0 })
	m.wants(uefi.Aborted, uefi.BSStartImage, handle, size, data)
	if m.word(size) != 16 || m.word(data) != text {
		t.Errorf("exit data %#x, %d bytes", m.word(data), m.word(size))
	}

	event := m.newEvent0(uefi.EventNotifySignal, uefi.TPLCallback, codeAddress, 0)
	m.functions[codeAddress] = func(uint64, uint64) uint64 { leave(handle); return 0 }
	signal := m.bootPointer(uefi.BSSignalEvent)
	handle = m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(uint64, uint64) uint64 {
		m.gpr[rsp] -= 0x48
		m.putWord(m.gpr[rsp], 0xDEAD)
		m.gpr[rcx], m.rip = event, signal
		return 0
	})
	m.wants(uefi.Aborted, uefi.BSStartImage, handle, 0, 0)
	if len(m.frames) != 1 || m.tpl != uefi.TPLApplication {
		t.Errorf("%d frames, level %d", len(m.frames), m.tpl)
	}
}

// Images that start images: the frames are firmware's data, and end one after another.
func TestImagesNest(t *testing.T) {
	m := newMachine(t, nil)
	depth, deepest := 0, 0
	var start func() uefi.Status
	var first error
	start = func() uefi.Status {
		handle := m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(uint64, uint64) uint64 {
			depth++
			deepest = max(deepest, depth)
			if depth < 5 {
				start()
			}
			depth--
			return uint64(depth)
		})
		s, err := m.callAt(m.bootPointer(uefi.BSStartImage), handle, 0, 0)
		if first == nil {
			first = err
		}
		return uefi.Status(s)
	}
	if s := start(); s != 0 || first != nil || deepest != 5 || len(m.frames) != 1 {
		t.Errorf("status %v, %v, depth %d, %d frames", s, first, deepest, len(m.frames))
	}
	depth = -1000
	m.gpr[rsp] -= 0x100 // room to return
	start()
	if first == nil {
		t.Error("images nest without bound")
	}
}

func TestOnlyTheRunningImageExits(t *testing.T) {
	m := newMachine(t, nil)
	outer := m.images[0].handle
	var inner uint64
	inner = m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(uint64, uint64) uint64 {
		m.wants(uefi.InvalidParameter, uefi.BSExit, outer, 0, 0, 0)
		m.wants(uefi.InvalidParameter, uefi.BSStartImage, inner, 0, 0) // runs already
		m.wants(uefi.Unsupported, uefi.BSUnloadImage, inner)
		return 0
	})
	m.wants(uefi.Success, uefi.BSStartImage, inner, 0, 0)

	unstarted := m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, nil)
	m.wants(uefi.Success, uefi.BSExit, unstarted, 0, 0, 0) // Exit unloads one that has not been started
	m.wants(uefi.InvalidParameter, uefi.BSUnloadImage, unstarted)
	unstarted = m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, nil)
	m.wants(uefi.Success, uefi.BSUnloadImage, unstarted)
}

// A driver that returns success stays, in memory of its own type.
func TestDriversStay(t *testing.T) {
	m := newMachine(t, nil)
	for _, c := range []struct {
		subsystem uint16
		status    uefi.Status
		kind      uefi.MemoryType
		stays     bool
	}{
		{pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER, uefi.Success, uefi.BootServicesCode, true},
		{pe.IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER, uefi.Success, uefi.RuntimeServicesCode, true},
		{pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER, uefi.NotFound, uefi.BootServicesCode, false},
	} {
		handle := m.loadTestImage(c.subsystem, func(uint64, uint64) uint64 { return uint64(c.status) })
		list, _ := m.memoryMap()
		if kind := kindAt(list, m.image(handle).memory.Start); kind != c.kind {
			t.Errorf("subsystem %d is in %v memory", c.subsystem, kind)
		}
		m.wants(c.status, uefi.BSStartImage, handle, 0, 0)
		if stays := m.image(handle) != nil; stays != c.stays {
			t.Errorf("subsystem %d, %v: stays %v", c.subsystem, c.status, stays)
		}
	}
}

func TestLastImageEndsTheRun(t *testing.T) {
	m := newMachine(t, nil)
	text := wide("nothing to boot")
	_, err := m.callAt(m.bootPointer(uefi.BSExit), m.images[0].handle, uint64(uefi.NotFound), uint64(len(text)), m.alloc(text))
	var returned *Returned
	if !errors.As(err, &returned) || returned.Error() != `test.efi returned to firmware with EFI_NOT_FOUND, "nothing to boot"` {
		t.Errorf("%v", err)
	}
	m = newMachine(t, nil)
	// The entry point returns: to the address that firmware has put on the stack.
	m.gpr[rax], m.rip = uint64(uefi.Aborted), m.word(m.gpr[rsp])
	if err := m.runUntil(0); !errors.As(err, &returned) || returned.Status != uefi.Aborted {
		t.Errorf("%v", err)
	}
}

// An exception that only firmware's table is there for ends the run and says where.
func TestExceptionsAreDiagnosed(t *testing.T) {
	m := newMachine(t, nil)
	idt := m.launched.idt
	raise := func(vector uint64, stack ...uint64) error {
		gate := m.word(idt + 16*vector)
		handler := gate&0xFFFF | gate>>48<<16 | m.word(idt+16*vector+8)<<32
		if gate>>40&0xFF != 0x8E || gate>>16&0xFFFF != codeSelector {
			t.Errorf("gate %d is %#x", vector, gate)
		}
		for i, v := range stack {
			m.putWord(m.gpr[rsp]-0x100+8*uint64(i), v)
		}
		m.gpr[rsp] -= 0x100
		m.rip = handler
		return m.runUntil(0)
	}
	inside := m.images[0].entry + 5
	err := raise(vectorPF, 2, inside, codeSelector, 2)
	var fault *Fault
	if !errors.As(err, &fault) || *fault != (Fault{Vector: vectorPF, Code: 2, RIP: inside, Address: 0xC0DE, Image: "test.efi"}) {
		t.Errorf("%v", err)
	}
	// Which exceptions push an error code: Intel SDM vol. 3, table 6-1; for #VC and #SX AMD APM vol. 2, table 8-1.
	withCode := map[uint64]bool{8: true, 10: true, 11: true, 12: true, 13: true, 14: true, 17: true, 21: true, 29: true, 30: true}
	for vector := range uint64(exceptions) {
		want := Fault{Vector: uint8(vector), RIP: 0x1234}
		stack := []uint64{0x1234, codeSelector, 2}
		if withCode[vector] {
			want.Code, stack = 0x77, append([]uint64{0x77}, stack...)
		}
		if vector == vectorPF {
			want.Address = 0xC0DE
		}
		if err := raise(vector, stack...); !errors.As(err, &fault) || *fault != want {
			t.Errorf("%v, want %v", err, &want)
		}
	}
}

// What the platform can do about an exception is done, and the program goes on after the instruction.
func TestPlatformServesExceptions(t *testing.T) {
	var vector uint8
	var code uint64
	m := newMachine(t, func(c *Config) {
		c.Exception = func(v uint8, e, _ uint64) (uint64, bool) { vector, code = v, e; return 3, v == 29 }
	})
	inside, stack := m.images[0].entry, m.gpr[rsp]
	m.gpr[rsp] -= 0x100
	for i, v := range []uint64{0x72, inside, codeSelector, flagIF | 2, stack, dataSelector} {
		m.putWord(m.gpr[rsp]+8*uint64(i), v)
	}
	m.flags, m.rip = 2, m.trap+(slotException+29)*entrySize
	if err := m.runUntil(inside + 3); err != nil || vector != 29 || code != 0x72 {
		t.Errorf("%v; vector %d, code %#x", err, vector, code)
	}
	if m.gpr[rsp] != stack || m.flags != flagIF|2 {
		t.Errorf("RSP %#x, was %#x; flags %#x", m.gpr[rsp], stack, m.flags)
	}
	var fault *Fault
	m.rip = m.trap + (slotException+13)*entrySize
	if err := m.runUntil(inside); !errors.As(err, &fault) || fault.Vector != 13 {
		t.Errorf("what the platform does not serve: %v", err)
	}
}

// Returns without a call, jumps into the middle of an entry point and calls without a stack have an ending with a
// name.
func TestControlFlowGoneWrong(t *testing.T) {
	for name, jump := range map[string]func(m *machine){
		"notification return": func(m *machine) { m.rip = m.trap + slotNotified*entrySize },
		"middle":              func(m *machine) { m.rip = m.trap + slotServices*entrySize + 1 },
		"after the last":      func(m *machine) { m.rip = m.trap + pageSize - entrySize },
		"no stack":            func(m *machine) { m.rip, m.gpr[rsp] = m.bootPointer(uefi.BSStall), 1<<63 },
		"no stack, exception": func(m *machine) { m.rip, m.gpr[rsp] = m.trap+slotException*entrySize, 1<<63 },
	} {
		m := newMachine(t, nil)
		jump(m)
		if err := m.runUntil(0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m := newMachine(t, nil)
	m.exitBootServices0()
	m.rip = m.trap + slotImageReturned*entrySize
	if err := m.runUntil(0); err == nil {
		t.Error("return after ExitBootServices: no error")
	}
}

// Where the guest's stack has no room for the call, StartImage fails and nothing is left of it: the image can be
// started later.
func TestImageWithoutAStackIsNotStarted(t *testing.T) {
	m := newMachine(t, nil)
	ran := false
	handle := m.loadTestImage(pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, func(uint64, uint64) uint64 { ran = true; return 0 })
	const lonely = 1 << 40 // a page with nothing mapped below
	m.moved = []mapping{{lonely, m.alloc(make([]byte, 2*pageSize)) &^ pageMask, pageSize}}
	before := m.gpr[rsp]
	m.gpr[rsp] = lonely + 0x100 + 3*8 + 16
	m.wants(uefi.InvalidParameter, uefi.BSStartImage, handle, 0, 0)
	if len(m.frames) != 1 || ran {
		t.Errorf("%d frames; ran %v", len(m.frames), ran)
	}
	m.gpr[rsp] = before
	m.wants(uefi.Success, uefi.BSStartImage, handle, 0, 0)
	if !ran {
		t.Error("it did not run")
	}
}

// How deep images nest is bounded, and that is no fault of the guest's.
func TestImagesNestSoDeep(t *testing.T) {
	m := newMachine(t, nil)
	var bound *BoundError
	for range maxFrames - len(m.frames) {
		if err := m.push(frame{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.push(frame{}); !errors.As(err, &bound) {
		t.Errorf("one more: %v", err)
	}
}

// A chain of images, each loaded by the one before, which is then unloaded, must not make what firmware keeps of them
// grow.
func TestNamesOfImagesDoNotGrow(t *testing.T) {
	m := newMachine(t, nil)
	file := testImage(nil)
	source, at := m.alloc(file), m.room(1)
	parent := m.images[0].handle
	var names []string
	for range 5 {
		m.wants(uefi.Success, uefi.BSLoadImage, 0, parent, 0, source, uint64(len(file)), at)
		if len(names) > 0 {
			m.wants(uefi.Success, uefi.BSUnloadImage, parent)
		}
		parent = m.word(at)
		names = append(names, m.image(parent).name)
	}
	if names[4] != names[0] || names[0] != "an image loaded by test.efi" {
		t.Errorf("names %q", names)
	}
}

// The loader reads relocations at once, so that there may not be too many of them.
func TestRelocationsAreBounded(t *testing.T) {
	for size, ok := range map[int]bool{maxRelocs: true, maxRelocs + 1: false} {
		_, err := parsePE(sliceReader(testImage(func(p *peImage) { p.sizeOfImage, p.relocations = 1<<25, make([]byte, size) })))
		if (err == nil) != ok {
			t.Errorf("%#x bytes of relocations: %v", size, err)
		}
	}
}
