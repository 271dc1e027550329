//go:build linux && amd64

package kernel

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

// bootServices are firmware's, until ExitBootServices.
type bootServices struct {
	handle uint64 // of the image
	table  uint64 // EFI_BOOT_SERVICES
}

func (b *bootServices) call(s uefi.BootService, a0, a1, a2, a3, a4 uint64) uefi.Status {
	args := [6]uint64{a0, a1, a2, a3, a4, 0}
	return uefi.Status(callFirmware(*at(b.table + uint64(s)), &args))
}

func address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// LocateProtocol implements [negotiate.BootServices].
func (b *bootServices) LocateProtocol(protocol uefi.GUID) (iface uint64, s uefi.Status) {
	s = b.call(uefi.BSLocateProtocol, address(&protocol), 0, address(&iface), 0, 0)
	return iface, s
}

// AllowUnacceptedMemory implements [negotiate.BootServices].
func (b *bootServices) AllowUnacceptedMemory(iface uint64) uefi.Status {
	args := [6]uint64{iface}
	return uefi.Status(callFirmware(*at(iface + uefi.MemoryAcceptanceAllowUnacceptedMemory), &args))
}

// GetMemoryMap implements [negotiate.BootServices].
func (b *bootServices) GetMemoryMap(buf []byte) (info negotiate.MapInfo, s uefi.Status) {
	info.Size = uint64(len(buf))
	s = b.call(uefi.BSGetMemoryMap, address(&info.Size), uint64(uintptr(unsafe.Pointer(unsafe.SliceData(buf)))),
		address(&info.Key), address(&info.DescriptorSize), address(&info.DescriptorVersion))
	return info, s
}

// ExitBootServices implements [negotiate.BootServices].
func (b *bootServices) ExitBootServices(key uint64) uefi.Status {
	return b.call(uefi.BSExitBootServices, b.handle, key, 0, 0, 0)
}

// allocatePages takes n pages of a type from firmware.
func (b *bootServices) allocatePages(kind uefi.MemoryType, n uint64) (pa uint64, s uefi.Status) {
	s = b.call(uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(kind), n, address(&pa), 0)
	return pa, s
}

// allocatePagesBelow takes n pages of a type that end at most is or below it.
func (b *bootServices) allocatePagesBelow(most uint64, kind uefi.MemoryType, n uint64) (pa uint64, s uefi.Status) {
	pa = most
	s = b.call(uefi.BSAllocatePages, uefi.AllocateMaxAddress, uint64(kind), n, address(&pa), 0)
	return pa, s
}

func (b *bootServices) handleProtocol(handle uint64, guid *uefi.GUID) (iface uint64, s uefi.Status) {
	s = b.call(uefi.BSHandleProtocol, handle, address(guid), address(&iface), 0, 0)
	return iface, s
}

func (b *bootServices) install(guid *uefi.GUID, table uint64) uefi.Status {
	return b.call(uefi.BSInstallConfigurationTable, address(guid), table, 0, 0, 0)
}

// configurationTable returns where the system table says that a table is; 0 where there is none.
func (k *kernel) configurationTable(guid *uefi.GUID) uint64 {
	n, entry := *at(k.systemTable + uefi.SystemTableNumberOfTableEntries), *at(k.systemTable + uefi.SystemTableConfigurationTable)
	for range min(n, 1024) {
		if *(*uefi.GUID)(pointer(entry)) == *guid {
			return *at(entry + uefi.ConfigurationTableVendorTable)
		}
		entry += uefi.ConfigurationTableSize
	}
	return 0
}

func (k *kernel) stall(microseconds uint64) {
	k.boot.call(uefi.BSStall, microseconds, 0, 0, 0, 0)
}

// say prints by firmware's console, for which UCS-2 is enough.
func (k *kernel) say(s string) {
	conOut := *at(k.systemTable + uefi.SystemTableConOut)
	if conOut == 0 {
		return
	}
	var text [128]uint16
	for len(s) > 0 {
		n := 0
		for n < len(s) && n < 60 {
			text[n] = uint16(s[n])
			n++
		}
		text[n] = 0
		args := [6]uint64{conOut, address(&text)}
		callFirmware(*at(conOut + uefi.TextOutputOutputString), &args)
		s = s[n:]
	}
}

// enterFirmware makes the page tables current in which firmware's memory is where firmware wants it.
func (k *kernel) enterFirmware() {
	if k.firmware.root == 0 {
		return // it still is
	}
	for i := uint64(linkBase >> 39); i < 512; i++ { // the kernel, and all that is only its own
		*k.firmware.number(k.firmware.root + 8*i) = *k.tables.number(k.tables.root + 8*i)
	}
	writeCR3(k.firmware.root | k.encrypted)
}

// resetWith is reset for a program that has ended with an exit status, which goes with it as a text.
func (k *kernel) resetWith(exit uint64) {
	text := [...]uint16{'e', 'x', 'i', 't', ' ', 's', 't', 'a', 't', 'u', 's', ' ', 0, 0, 0, 0}
	n := 12
	for place := uint64(100); place > 0; place /= 10 {
		if exit >= place || place == 1 {
			text[n] = uint16('0' + exit/place%10)
			n++
		}
	}
	k.shutDown(uefi.Aborted, uint64(n+1)*2, address(&text))
}

// reset is ResetSystem: EfiResetShutdown with a status, which says whether it went well.
func (k *kernel) reset(status uefi.Status) { k.shutDown(status, 0, 0) }

func (k *kernel) shutDown(status uefi.Status, size, text uint64) {
	const shutdown = 2
	k.enterFirmware()
	runtime := *at(k.systemTable + uefi.SystemTableRuntimeServices)
	args := [6]uint64{shutdown, uint64(status), size, text}
	callFirmware(*at(runtime + uint64(uefi.RTResetSystem)), &args)
	for {
		hlt()
	}
}
