package code

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/disasm"
	"github.com/tacit-vm/tacit/uefi"
)

// call reads a call: of a function to be read too, of a boot service, or of something unknown.
func (w *walk) call(s *state, in disasm.Inst, offset int, next uint64) {
	for _, r := range []int{rdi, rsi, rdx, rcx, r8, r9} {
		w.take(s.regs[r])
	}
	if function, ok := target(in, next); ok {
		w.enter(function)
		first, lost := rdi, []int{rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11} // System V ABI
		if w.p.Firmware {
			first, lost = rcx, []int{rax, rcx, rdx, r8, r9, r10, r11} // UEFI 2.10, section 2.3.4.2
		}
		if v := s.regs[first]; v.kind == number {
			w.calls = append(w.calls, constantCall{offset, function, uint32(v.n)})
		}
		for _, r := range lost {
			s.regs[r] = value{}
		}
		return
	}
	located := w.service(s, in, offset, next)
	for _, r := range []int{rax, rcx, rdx, r8, r9, r10, r11} { // UEFI 2.10, section 2.3.4.2
		s.regs[r] = value{}
	}
	if located >= 0 {
		w.facts.Services[located].Methods = w.methods(place{next, s}, located)
	}
}

// service notes a call of a boot service. If it locates a protocol whose GUID is known, the call's number is returned,
// otherwise -1.
func (w *walk) service(s *state, in disasm.Inst, offset int, next uint64) int {
	callee := w.get(s, in.Args[0], 8, offset, next)
	if callee.kind != bootService || callee.n < uefi.TableHeaderSize || callee.n >= int64(uefi.BootServicesSize) ||
		callee.n%8 != 0 {
		return -1
	}
	c := ServiceCall{At: offset, Service: uefi.BootService(callee.n)}
	c.GUID, c.Halves = w.guid(s, s.regs[rcx])
	if w.p.Firmware {
		c.Installs = w.installs(s, c.Service)
	}
	w.facts.Services = append(w.facts.Services, c)
	if c.Service != uefi.BSLocateProtocol || c.GUID == nil || s.regs[r8].kind != stack {
		return -1
	}
	number := len(w.facts.Services) - 1
	s.store(s.regs[r8].n, 8, value{kind: protocol, n: int64(number)})
	return number
}

// guid is the GUID that a pointer leads to, and where its halves came from; nil if that is not known.
func (w *walk) guid(s *state, pointer value) (guid *uefi.GUID, halves [2]int) {
	low, high := w.pointed(s, pointer, 0), w.pointed(s, pointer, 8)
	if low.kind != number || high.kind != number {
		return nil, halves
	}
	guid = new(uefi.GUID)
	binary.LittleEndian.PutUint64(guid[:8], uint64(low.n))
	binary.LittleEndian.PutUint64(guid[8:], uint64(high.n))
	return guid, [2]int{low.from, high.from}
}

// installs is which protocols a call installs: one, or pairs of GUID and interface up to a zero.
func (w *walk) installs(s *state, service uefi.BootService) (all []uefi.GUID) {
	var pairs [][2]value
	switch service {
	case uefi.BSInstallProtocolInterface:
		pairs = [][2]value{{s.regs[rdx], s.regs[r9]}}
	case uefi.BSInstallMultipleProtocolInterfaces:
		const shadow, most = 0x20, 16 // bytes of the stack for arguments in registers, pairs
		arguments := []value{s.regs[rdx], s.regs[r8], s.regs[r9]}
		for i := range int64(2 * most) {
			arguments = append(arguments, w.pointed(s, s.regs[rsp], shadow+8*i))
		}
		for i := range most {
			pairs = append(pairs, [2]value{arguments[2*i], arguments[2*i+1]})
		}
	}
	for _, p := range pairs {
		guid, _ := w.guid(s, p[0])
		if guid == nil {
			break
		}
		all = append(all, *guid)
		w.members(p[1])
	}
	return all
}

// members remembers the functions that the interface of a protocol points to, no matter what calls them.
func (w *walk) members(protocol value) {
	const most = 8
	for i := range int64(most) {
		if protocol.kind != data {
			return
		}
		v := w.constant(protocol.n+8*i, 8)
		if v.kind != number || v.n == 0 {
			return
		}
		w.take(value{kind: data, n: v.n})
	}
}

// pointed is the eight bytes at an offset from a pointer.
func (w *walk) pointed(s *state, pointer value, offset int64) value {
	switch pointer.kind {
	case stack:
		return s.load(pointer.n+offset, 8)
	case data:
		return w.constant(pointer.n+offset, 8)
	}
	return value{}
}

// tdcall returns the offset of the TDCALL that a function begins with, but for moving its arguments into place (Linux,
// arch/x86/virt/vmx/tdx/tdxcall.S).
func (w *walk) tdcall(function uint64) (offset int, ok bool) {
	const most = 32 // instructions
	for range most {
		offset, rest := w.bytes(function)
		in, ok := disasm.Decode(rest)
		if !ok || in.Name == TDCALL {
			return offset, ok
		}
		if flow(in) != onward && flow(in) != branches {
			break
		}
		function += uint64(in.Len)
	}
	return 0, false
}
