package firmware

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// stackSize is what the specification promises an application (UEFI 2.10, section 2.3.4), in bytes.
const stackSize = 128 << 10

// A launch is the state in which the image finds the processor, as far as it is firmware's to choose.
type launch struct {
	pageTables uint64 // guest-physical, for CR3, with what marks private memory
	gdt, idt   uint64
	stack      uint64 // its end
}

// boot makes the machine's memory usable, writes all that the image is to find, and puts the processor at its entry
// point.
func (f *Firmware) boot(cpu processor) error {
	f.cpu = cpu
	if err := f.acceptEarly(); err != nil {
		return err
	}
	f.describeMemory()
	l, err := f.ownMemory()
	if err != nil {
		return fmt.Errorf("firmware has no room in %#x bytes of memory: %w", f.cfg.TotalMemory, err)
	}
	if err := f.publishAll(); err != nil {
		return err
	}
	cpu.LongMode(l)
	cpu.GPR()[rsp] = l.stack
	f.work = work{}
	if len(f.cfg.Disks) > 0 {
		f.publishVariables()
	}
	if f.file == nil {
		f.options = f.bootOptions()
		return f.bootNext()
	}
	o, err := f.bootOrigin()
	if err != nil {
		return err
	}
	handle, err := f.loadWhole(f.file, o)
	if err == outOfResources {
		return fmt.Errorf("no room for the image %s in %#x bytes of accepted memory", f.cfg.ImageName, f.memory.total(uefi.ConventionalMemory))
	}
	if err == loadError {
		return fmt.Errorf("%s has no relocations: it can be loaded at %#x only, where no memory is free", f.cfg.ImageName, f.file.base)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.cfg.ImageName, err)
	}
	return f.start(f.image(handle), frame{})
}

func (f *Firmware) acceptEarly() error {
	if !f.cfg.Unaccepted {
		return nil
	}
	for _, r := range f.plan.accepted {
		if err := f.cfg.Accept(r); err != nil {
			return fmt.Errorf("firmware accepts %v: %w", r, err)
		}
	}
	return nil
}

// describeMemory makes the first memory map.
func (f *Firmware) describeMemory() {
	for _, r := range f.plan.accepted {
		f.memory.add(r.Intersect(accept.Range{Start: 0, End: legacyStart}), uefi.ConventionalMemory)
		f.memory.add(r.Intersect(accept.Range{Start: legacyEnd, End: noLimit}), uefi.ConventionalMemory)
	}
	for _, r := range f.plan.unaccepted {
		f.memory.add(r, uefi.UnacceptedMemory)
	}
	// Address 0 is not handed out: it looks like no address.
	f.memory.set(accept.Range{Start: 0, End: pageSize}, uefi.BootServicesData)
}

// ownMemory takes the pages that firmware itself needs and fills those that the processor looks at.
func (f *Firmware) ownMemory() (l launch, err error) {
	ram := physical.RAM(f.cfg.TotalMemory)
	var descriptors, tables, stack, boot uint64
	for _, need := range []struct {
		at    *uint64
		kind  uefi.MemoryType
		bytes uint64
	}{
		{&f.trap, uefi.RuntimeServicesCode, pageSize},
		{&f.systemTable, uefi.RuntimeServicesData, pageSize},
		{&boot, uefi.BootServicesData, pageSize},
		{&descriptors, uefi.BootServicesData, pageSize},
		{&stack, uefi.BootServicesData, stackSize},
		{&tables, uefi.BootServicesData, pageTablesSize(ram)},
	} {
		r, err := f.takePages(need.kind, need.bytes/pageSize, physical.HighStart, pageSize)
		if err != nil {
			return l, err
		}
		*need.at = r.Start
	}
	f.bootTable = boot
	if uint64(len(entries))*entrySize > pageSize {
		return l, fmt.Errorf("%d entry points do not fit the trap page", len(entries))
	}
	f.pageTables = tables
	if err := f.put(tables, identityMap(ram, tables, f.cfg.PrivateBit, f.cfg.SharedBit)); err != nil {
		return l, err
	}
	if f.cfg.Share != nil {
		if err := f.sharePage(0); err != nil {
			return l, err
		}
	}
	if err := f.put(descriptors, descriptorTables(f.trap)); err != nil {
		return l, err
	}
	return launch{
		pageTables: tables | f.cfg.PrivateBit,
		gdt:        descriptors + offGDT, idt: descriptors + offIDT,
		stack: stack + stackSize,
	}, nil
}

// publishAll installs the protocols and writes the tables.
func (f *Firmware) publishAll() error {
	conOut, err := f.publish(0, uefi.SimpleTextOutputProtocolGUID, uefi.TextOutputSize, textOutput)
	if err != nil {
		return err
	}
	if f.console.mode, err = f.takePool(uefi.BootServicesData, uefi.TextOutputModeSize); err != nil {
		return err
	}
	if err := f.put64(conOut.address+uefi.TextOutputMode, f.console.mode); err != nil {
		return err
	}
	f.console.attribute = defaultAttribute
	if err := f.showMode(); err != nil {
		return err
	}
	conIn, err := f.publish(0, uefi.SimpleTextInputProtocolGUID, uefi.TextInputSize, textInput)
	if err != nil {
		return err
	}
	f.keyboard.forKey, f.keyboard.forEx = f.addEvent(event{}), f.addEvent(event{})
	if err := f.put64(conIn.address+uefi.TextInputWaitForKey, f.keyboard.forKey); err != nil {
		return err
	}
	conInEx, err := f.publish(conIn.handle, uefi.SimpleTextInputExProtocolGUID, uefi.TextInputExSize, textInputEx)
	if err != nil {
		return err
	}
	if err := f.put64(conInEx.address+uefi.TextInputExWaitForKey, f.keyboard.forEx); err != nil {
		return err
	}
	if err := f.writeTables(conIn, conOut); err != nil {
		return err
	}
	if _, err := f.publish(0, uefi.RNGProtocolGUID, uefi.RNGSize, rng); err != nil {
		return err
	}
	if err := f.publishProcessors(); err != nil {
		return err
	}
	if err := f.publishBus(); err != nil {
		return err
	}
	if err := f.publishScreen(conOut.handle); err != nil {
		return err
	}
	if err := f.publishHII(); err != nil {
		return err
	}
	if err := f.publishDisks(); err != nil {
		return err
	}
	if err := f.publishDevices(); err != nil {
		return err
	}
	if len(f.cfg.Initrd) > 0 {
		if err := f.offerInitrd(); err != nil {
			return err
		}
	}
	if f.cfg.Unaccepted && f.negotiation.Offer() {
		if _, err := f.publish(0, uefi.MemoryAcceptanceProtocolGUID, uefi.MemoryAcceptanceSize, memoryAcceptance); err != nil {
			return err
		}
	}
	if err := f.publishACPI(); err != nil {
		return err
	}
	if err := f.publishSMBIOS(); err != nil {
		return err
	}
	if err := f.publishUnaccepted(); err != nil {
		return err
	}
	for _, t := range f.cfg.Tables {
		if err := f.publishPlatformTable(t); err != nil {
			return err
		}
	}
	return nil
}

func (f *Firmware) publishPlatformTable(t PlatformTable) error {
	r, err := f.takePages(uefi.ACPIReclaimMemory, (t.Bytes+pageMask)/pageSize, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if err := f.put(r.Start, t.Content(r.Start)); err != nil {
		return err
	}
	return f.setTable(t.GUID, r.Start)
}

// A protocolInstance is an interface in guest memory and the handle that it is installed on.
type protocolInstance struct{ handle, address uint64 }

// publish writes a protocol's interface to guest memory and installs it on a handle, a new one where that is 0.
func (f *Firmware) publish(handle uint64, guid uefi.GUID, size int, functions []function) (protocolInstance, error) {
	b := make([]byte, size)
	f.pointers(b, functions)
	address, err := f.putPool(uefi.BootServicesData, b)
	if err != nil {
		return protocolInstance{}, err
	}
	handle, err = f.handles.install(handle, guid, address)
	return protocolInstance{handle, address}, err
}

// publishACPI writes the ACPI tables to memory that the operating system keeps private: elsewhere a confidential
// guest maps them as shared (Linux: arch/x86/kernel/acpi/boot.c, x86_acpi_os_ioremap).
func (f *Firmware) publishACPI() error {
	if f.cfg.Mailbox {
		r, err := f.takePages(uefi.ACPIMemoryNVS, wakeupPages, 1<<32, pageSize)
		if err != nil {
			return err
		}
		if err := f.wakeup.prepare(f, r.Start); err != nil {
			return err
		}
		f.cfg.ACPI.Mailbox = f.wakeup.mailbox
	}
	facs, err := f.takePages(uefi.ACPIMemoryNVS, 1, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	f.cfg.ACPI.FACS = uint32(facs.Start)
	if err := f.put(facs.Start, acpi.FACS()); err != nil {
		return err
	}
	measured, err := f.cfg.ACPI.Tables(0)
	if err != nil {
		return err
	}
	r, err := f.takePages(uefi.ACPIReclaimMemory, (uint64(len(measured.Block))+pageMask)/pageSize, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	tables, err := f.cfg.ACPI.Tables(r.Start)
	if err != nil {
		return err
	}
	if err := f.put(r.Start, tables.Block); err != nil {
		return err
	}
	if err := f.setTable(uefi.ACPITableGUID, tables.RSDP1); err != nil {
		return err
	}
	return f.setTable(uefi.ACPI20TableGUID, tables.RSDP)
}

// mediumGUID names the device that the image seems to come from. It has nothing but a path.
var mediumGUID = uefi.MustParseGUID("2d1fb2e2-7b8c-4c0f-9a3b-7ac17b00700d")

// bootOrigin is where the image seems to come from: a file of its name on a device of firmware's own. Loaders look for
// a file system there, and are to find that there is none, not that there is no device.
func (f *Firmware) bootOrigin() (origin, error) {
	path, err := f.putPool(uefi.BootServicesData, endPath(pathNode(pathHardware, pathVendor, mediumGUID[:])))
	if err != nil {
		return origin{}, err
	}
	device, err := f.handles.install(0, uefi.DevicePathProtocolGUID, path)
	return origin{
		name:    f.cfg.ImageName,
		device:  device,
		path:    endPath(pathNode(pathMedia, pathFile, wide(`\`+f.cfg.ImageName))),
		options: loadOptions(f.cfg.LoadOptions),
	}, err
}

// loadOptions is a command line as LoadOptions.
func loadOptions(text string) []byte {
	if text == "" {
		return nil
	}
	return wide(text)
}
