package inspect

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect/code"
	"github.com/tacit-vm/tacit/uefi"
)

// moduleFacts is what a module of firmware does.
type moduleFacts struct {
	module  image.Module
	early   bool        // it runs before there are drivers: it makes the list of what memory there is
	names   []uefi.GUID // which of the protocols it has in it, whatever it does with them
	facts   code.Facts
	why     string           // why not all was read, if so
	accepts map[platform]int // the offset of what accepts memory there
}

type platform int

const (
	onTDX platform = iota
	onSNP
)

func (p platform) String() string { return []string{"TDX", "SEV-SNP"}[p] }

// acceptance are the protocols that matter: the one that an operating system calls, and the one by which drivers accept
// memory that was left.
var acceptance = []uefi.GUID{uefi.MemoryAcceptanceProtocolGUID, uefi.EDKIIMemoryAcceptProtocolGUID}

// readModules reads the code of those modules that may have to do with unaccepted memory: all early ones, and others that
// have the GUID of a protocol in them.
func readModules(modules []image.Module) (all []moduleFacts) {
	for _, m := range modules {
		one := moduleFacts{module: m, accepts: map[platform]int{}}
		switch m.Kind {
		case image.SecurityCore, image.PEICore, image.PEIM:
			one.early = true
		}
		for _, guid := range acceptance {
			if bytes.Contains(m.Data, guid[:8]) && bytes.Contains(m.Data, guid[8:]) {
				one.names = append(one.names, guid)
			}
		}
		if one.early || len(one.names) > 0 {
			one.read()
		}
		all = append(all, one)
	}
	return all
}

// read reads the module's code.
func (m *moduleFacts) read() {
	header, err := m.module.Headers()
	switch {
	case err != nil:
		m.why = err.Error()
		return
	case header.Machine != image.MachineAMD64:
		m.why = fmt.Sprintf("it is for another processor than x86-64 (machine %#x)", header.Machine)
		return
	}
	p := code.Program{File: m.module.Data, Firmware: true, Entries: []uint64{header.Base + uint64(header.EntryPoint)}}
	for _, s := range header.Sections {
		p.Segments = append(p.Segments, code.Segment{
			Address: header.Base + uint64(s.Address), Offset: int(s.Offset), Size: int(s.Size),
		})
	}
	m.facts = code.Read(p)
	if len(m.facts.Gaps) > 0 {
		m.why = m.facts.Gaps[0].String()
	}
	const tdgMemPageAccept = 6
	for _, l := range m.facts.Leaves {
		if l.Number == tdgMemPageAccept {
			m.accepts[onTDX] = l.At
		}
	}
	for _, s := range m.facts.Special {
		if s.Name == code.PVALIDATE {
			m.accepts[onSNP] = s.At
		}
	}
}

// relevant tells whether the module has to do with memory of confidential guests.
func (m *moduleFacts) relevant() bool { return len(m.accepts) > 0 || len(m.names) > 0 }

// installs finds the call that offers a protocol.
func (m *moduleFacts) installs(guid uefi.GUID) (at int64, ok bool) {
	for _, s := range m.facts.Services {
		if slices.Contains(s.Installs, guid) {
			return int64(s.At), true
		}
	}
	return 0, false
}

// firmwareFacts is what all modules of an image do.
type firmwareFacts struct {
	modules    []moduleFacts
	incomplete bool // not all modules could be read
}

// offers finds the module that offers a protocol on a platform: one that accepts memory there. Where there is none, no
// says why none can be, and is "" where one may be.
func (f firmwareFacts) offers(guid uefi.GUID, on platform) (by *moduleFacts, at int64, no string) {
	no = "no module has its GUID"
	for i := range f.modules {
		m := &f.modules[i]
		if !slices.Contains(m.names, guid) {
			continue
		}
		call, ok := m.installs(guid)
		_, accepts := m.accepts[on]
		switch {
		case ok && accepts:
			return m, call, ""
		case ok && len(m.accepts) > 0, !ok && m.why == "": // on another platform; only uses it
			if no != "" {
				no = fmt.Sprintf("no module that accepts memory on %v offers it", on)
			}
		default:
			no = ""
		}
	}
	if f.incomplete {
		no = ""
	}
	return nil, 0, no
}

// leaves: does the firmware hand memory over unaccepted, and from which address on? EDK2 does where what makes the list
// of memory treats unaccepted memory above an address in another way, and a driver is there that accepts more of it when
// firmware itself needs some.
func (f firmwareFacts) leaves(guest Verdict, on platform) (Finding, uint64) {
	if guest == No {
		return decide(Code, evidence(Code, No, fmt.Sprintf("it is no firmware of %v guests", on))), 0
	}
	driver, call, never := f.offers(uefi.EDKIIMemoryAcceptProtocolGUID, on)
	bound, early := f.bound(on)
	switch {
	case driver != nil && bound != nil && bound.Limit != 0:
		what := fmt.Sprintf("%v treats memory from %#x on as unaccepted; %v offers EDK2's protocol to accept it (%v)",
			early.module, bound.Limit, driver.module, uefi.EDKIIMemoryAcceptProtocolGUID)
		return decide(Code, evidence(Code, Yes, what, int64(bound.At), call)), bound.Limit
	case driver == nil && never != "" && f.acceptsEarly(on):
		what := fmt.Sprintf("its modules accept memory early, and nothing can accept any later: of EDK2's protocol %v %s",
			uefi.EDKIIMemoryAcceptProtocolGUID, never)
		return decide(Code, evidence(Code, No, what)), 0
	}
	if f.keepsNothing(on) {
		return decide(Code, evidence(Code, No, "its modules accept memory early, whatever its address is")), 0
	}
	return decide(Code, evidence(Code, Unknown, "what its code does with memory could not be told")), 0
}

// keepsNothing tells whether early modules, all of whose code was read, accept memory without a bound.
func (f firmwareFacts) keepsNothing(on platform) bool {
	if bound, _ := f.bound(on); bound != nil && bound.Limit != 0 || bound == nil && on == onTDX || !f.acceptsEarly(on) || f.incomplete {
		return false
	}
	return !slices.ContainsFunc(f.modules, func(m moduleFacts) bool { return m.early && m.why != "" })
}

// bound finds where an early module deals with unaccepted memory, with the address if there is one.
func (f firmwareFacts) bound(on platform) (found *code.Bound, by *moduleFacts) {
	for i := range f.modules {
		m := &f.modules[i]
		all := m.facts.Checks // a TD is told what is unaccepted
		if on == onSNP {      // of SEV-SNP everything is, until firmware makes a difference
			all = m.facts.Marks
		}
		if !m.early {
			continue
		}
		for j := range all {
			if found == nil || found.Limit == 0 {
				found, by = &all[j], m
			}
		}
	}
	return found, by
}

// acceptsEarly tells whether an early module accepts memory on a platform.
func (f firmwareFacts) acceptsEarly(on platform) bool {
	return slices.ContainsFunc(f.modules, func(m moduleFacts) bool {
		_, ok := m.accepts[on]
		return m.early && ok
	})
}

// negotiates: does the firmware offer the protocol to operating systems?
func (f firmwareFacts) negotiates(guest Verdict, on platform) Finding {
	guid := uefi.MemoryAcceptanceProtocolGUID
	if guest == No {
		return decide(Code, evidence(Code, No, fmt.Sprintf("it is no firmware of %v guests", on)))
	}
	by, at, never := f.offers(guid, on)
	switch {
	case by != nil:
		return decide(Code, evidence(Code, Yes, fmt.Sprintf("%v offers the memory acceptance protocol (%v)", by.module, guid), at))
	case never != "":
		return decide(Code, evidence(Code, No, fmt.Sprintf("of the memory acceptance protocol (%v) %s", guid, never)))
	}
	return decide(Code, evidence(Code, Unknown, fmt.Sprintf("whether it offers the memory acceptance protocol (%v) could not be told", guid)))
}
