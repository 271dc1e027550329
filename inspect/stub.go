package inspect

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect/code"
	"github.com/tacit-vm/tacit/uefi"
)

// boot is what the uncompressed part of a bzImage does: the EFI stub, and the code that unpacks the kernel.
type boot struct {
	facts    code.Facts
	stub     bool      // there is an EFI stub, and it was read to where it leaves boot services
	unpacker bool      // the code that unpacks the kernel was read to where it takes the packed kernel
	header   *image.PE // of the EFI stub; nil if there is none
	narrow   bool      // a 32-bit kernel, which can be no confidential guest
	why      string    // why not all was read, if so
}

// readBoot reads the code of a bzImage. The packed kernel in its middle is left out.
func readBoot(img *image.Image) boot {
	setup, size := img.Setup, len(img.Data)
	start := setup.ProtectedMode()
	payload := start + int(setup.PayloadOffset)
	payloadEnd := payload + int(setup.PayloadLength)
	p := code.Program{
		File: img.Data, Base: uint64(start), Watch: []uint64{uint64(payload)},
		Segments: []code.Segment{
			{Address: uint64(start), Offset: start, Size: payload - start},
			{Address: uint64(payloadEnd), Offset: payloadEnd, Size: size - payloadEnd},
		},
	}
	const entry64 = 0x200 // boot.rst, "64-bit Boot Protocol"
	var b boot
	header, err := stubHeader(img)
	if err != nil {
		b.why = err.Error()
	}
	b.header = header
	if setup.XLoadFlags&image.XLFKernel64 != 0 {
		p.Entries = append(p.Entries, uint64(start+entry64))
	} else if header == nil {
		b.narrow = err == nil
		return b
	}
	if header != nil {
		for _, s := range header.Sections {
			if s.Size > 0 && int64(s.Address) != s.Offset {
				b.why = fmt.Sprintf("section %s is loaded at %#x, which is not its place in the file, %#x",
					s.Name, s.Address, s.Offset)
				return b
			}
		}
		p.Entries = append(p.Entries, uint64(header.EntryPoint))
	}
	b.facts = code.Read(p)
	b.unpacker = len(b.facts.References) > 0
	for _, s := range b.facts.Services {
		b.stub = b.stub || s.Service == uefi.BSExitBootServices
	}
	switch {
	case b.why != "":
	case len(b.facts.Gaps) > 0:
		b.why = b.facts.Gaps[0].String()
	case !b.unpacker:
		b.why = "no way was found from the entry points to where the kernel is unpacked"
	case b.header != nil && !b.stub:
		b.why = "no way was found from the EFI entry point to ExitBootServices"
	}
	return b
}

// stubHeader is the PE header of a 64-bit kernel's EFI stub, nil if it has no stub. A header that is damaged, or is not
// there although the kernel says that it has a stub, is an error: the stub may be started in another way.
func stubHeader(img *image.Image) (*image.PE, error) {
	wide := img.Setup.XLoadFlags&image.XLFKernel64 != 0
	if string(img.Data[:2]) != "MZ" {
		if img.Setup.XLoadFlags&image.XLFEFIHandover64 != 0 {
			return nil, errors.New("it has an EFI stub by its setup header, but no PE header")
		}
		return nil, nil
	}
	header, err := image.ReadPE(bytes.NewReader(img.Data), int64(len(img.Data)))
	switch {
	case err != nil:
		return nil, err
	case header.Machine == image.MachineAMD64:
		return header, nil
	case wide:
		return nil, fmt.Errorf("its PE header is for another processor (machine %#x)", header.Machine)
	}
	return nil, nil
}

// missing is the evidence for what was not found.
func (b *boot) missing(what string) Evidence {
	if b.narrow {
		return evidence(Code, No, "it is a 32-bit kernel, without an entry point for 64 bits; confidential guests have 64")
	}
	if b.why != "" {
		return evidence(Code, Unknown, "not all code could be read: "+b.why)
	}
	return evidence(Code, No,
		fmt.Sprintf("%s in %d instructions, all that the entry points lead to", what, b.facts.Instructions))
}

// service finds a call of a boot service with a GUID; failing that, one with a GUID that could not be told.
func (b *boot) service(service uefi.BootService, guid uefi.GUID) (call *code.ServiceCall, certain bool) {
	for i, s := range b.facts.Services {
		switch {
		case s.Service != service:
		case s.GUID == nil:
			call = &b.facts.Services[i]
		case *s.GUID == guid:
			return &b.facts.Services[i], true
		}
	}
	return call, false
}

// special finds an instruction of confidential guests.
func (b *boot) special(name string) (at int64, ok bool) {
	for _, s := range b.facts.Special {
		if s.Name == name {
			return int64(s.At), true
		}
	}
	return 0, false
}

// negotiates: does the stub tell firmware, before ExitBootServices, that it accepts memory itself?
func (b *boot) negotiates() Evidence {
	guid := uefi.MemoryAcceptanceProtocolGUID
	call, certain := b.service(uefi.BSLocateProtocol, guid)
	switch {
	case call == nil && b.why == "" && b.header == nil:
		return evidence(Code, No, "there is no EFI stub, so firmware is not asked")
	case call == nil:
		return b.missing("no LocateProtocol of the memory acceptance protocol")
	case !certain:
		return evidence(Code, Unknown, "calls LocateProtocol with a GUID that could not be told", int64(call.At))
	}
	for _, m := range call.Methods {
		if m.Member == uefi.MemoryAcceptanceAllowUnacceptedMemory {
			return evidence(Code, Yes, fmt.Sprintf("calls LocateProtocol(%v), then AllowUnacceptedMemory", guid),
				int64(call.At), int64(m.At), int64(call.Halves[0]), int64(call.Halves[1]))
		}
	}
	return evidence(Code, Unknown,
		fmt.Sprintf("calls LocateProtocol(%v); no call of the protocol follows", guid), int64(call.At))
}

// table: does the stub turn unaccepted memory of the UEFI memory map into the kernel's table?
func (b *boot) table() Evidence {
	guid := uefi.LinuxUnacceptedMemTableGUID
	call, certain := b.service(uefi.BSInstallConfigurationTable, guid)
	switch {
	case call == nil:
		return b.missing("no table of unaccepted memory is installed")
	case !certain:
		return evidence(Code, Unknown, "calls InstallConfigurationTable with a GUID that could not be told", int64(call.At))
	}
	return evidence(Code, Yes, fmt.Sprintf("turns unaccepted memory into a table: InstallConfigurationTable(%v)", guid),
		int64(call.At), int64(call.Halves[0]), int64(call.Halves[1]))
}

// tdxGuest: does the code speak to a TDX module?
func (b *boot) tdxGuest() Evidence {
	if at, ok := b.special(code.TDCALL); ok {
		return evidence(Code, Yes, "executes TDCALL", at)
	}
	return b.missing("no TDCALL")
}

// tdxAccepts: does it accept memory from a TDX module? Not every leaf number can be told: what executes TDCALL may do
// it.
func (b *boot) tdxAccepts() Evidence {
	const tdgMemPageAccept = 6 // Intel TDX Module ABI specification, TDCALL leaf numbers
	for _, l := range b.facts.Leaves {
		if l.Number == tdgMemPageAccept {
			return evidence(Code, Yes, "accepts pages with TDG.MEM.PAGE.ACCEPT (TDCALL leaf 6)", int64(l.At), int64(l.TDCALL))
		}
	}
	const none = "no TDCALL with leaf 6 (TDG.MEM.PAGE.ACCEPT)"
	if at, ok := b.special(code.TDCALL); ok {
		return evidence(Code, Unknown, none+" could be told", at)
	}
	return b.missing(none)
}

// snpGuest: does the code validate pages, as every SEV-SNP guest must?
func (b *boot) snpGuest() Evidence {
	if at, ok := b.special(code.PVALIDATE); ok {
		return evidence(Code, Yes, "executes PVALIDATE", at)
	}
	return b.missing("no PVALIDATE")
}

// both is the evidence that two things hold.
func both(a, b Evidence) Evidence {
	switch {
	case a.Says == No:
		return a
	case b.Says == No:
		return b
	case a.Says == Unknown:
		return a
	case b.Says == Unknown:
		return b
	}
	return evidence(Code, Yes, a.What+"; "+b.What, append(append([]int64{}, a.Offsets...), b.Offsets...)...)
}
