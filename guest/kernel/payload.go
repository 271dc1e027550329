//go:build linux && amd64

package kernel

import "github.com/tacit-vm/tacit/accept"

// An image can bring a program of its own: an ordinary executable for linux/amd64, in a section after the kernel's
// (package guest/efi makes such images). The kernel's binary is then nothing but a kernel, and its own runtime never
// starts.
//
// The section begins with a page of numbers, 64 bits each, little endian; where things are is said in bytes from its
// beginning.
const (
	payloadName  = 0x7469636174_2E // ".tacit", as a section's name is written
	payloadMagic = 0x316D617267_6F7270

	payloadEntry     = 8   // where the program begins
	payloadArguments = 16  // place and size of texts, each with a 0 at its end: payloadArgc arguments, then variables
	payloadArgc      = 32  // of the program, its name the first
	payloadEnvc      = 40  // and how many variables of its environment
	payloadFunctions = 48  // place and size of the table of functions (names.go)
	payloadFiles     = 64  // place and size of an archive of files (archive.go)
	payloadFlags     = 80  // see below
	payloadHere      = 88  // place and size of the name of the working directory
	payloadSegments  = 128 // how many, then for each: address, bytes in memory, place, bytes in the image, rights
	payloadOutgoing  = 784 // place and size of names of files that come out at the end (outgoing.go), each with a 0 at its end

	payloadInput = 1 // standard input is the first serial port; else it is at its end
	payloadRaw   = 2 // no CR before each LF on the console
	maxSegments  = 16
)

// A payload is where that section is.
type payload struct {
	memory accept.Range // guest-physical; empty where there is none
}

func (p *payload) number(at_ uint64) uint64 { return *at(directMap + p.memory.Start + at_) }

// bytes is a part of the section whose place and size are said at an offset.
func (p *payload) bytes(at_ uint64) []byte {
	from, n := p.number(at_), p.number(at_+8)
	if from > p.memory.Len() || n > p.memory.Len()-from {
		k.fatal(errPayload)
	}
	return bytesAt(p.memory.Start+from, n)
}

// embedded says whether the image has a program of its own.
func (k *kernel) embedded() bool { return !k.payload.memory.Empty() }

// findPayload looks for the section in the headers of the image (Microsoft PE Format), which firmware loads with it.
func (k *kernel) findPayload() {
	const newHeader, sections, optional, first, each = 0x3C, 6, 20, 24, 40
	base := directMap + contact.imageBase
	header := base + *at(base + newHeader)&0xFFFF
	n, size := *at(header + sections)&0xFFFF, *at(header + optional)&0xFFFF
	for i := range min(n, 64) {
		s := header + first + size + i*each
		if *at(s) != payloadName {
			continue
		}
		start := contact.imageBase + *at(s + 8)>>32
		k.payload.memory = accept.Range{Start: start, End: start + up(*at(s + 8)&0xFFFF_FFFF)}
		if k.payload.number(0) != payloadMagic {
			k.refuse(errPayload)
		}
		k.use(k.payload.memory)
		return
	}
}

// loadProgram maps the program as its segments say: what whole pages of the image hold is mapped where it is, the rest
// has pages of its own. It returns where the program begins.
func (k *kernel) loadProgram(p *processor) (entry uint64) {
	s := &k.payload
	n := s.number(payloadSegments)
	if n > maxSegments {
		k.fatal(errPayload)
	}
	for i := range n {
		at_ := payloadSegments + 8 + 40*i
		start, size, from, filled, rights := s.number(at_), s.number(at_+8), s.number(at_+16), s.number(at_+24), s.number(at_+32)
		kind := kindOf(rights)
		if start&pageMask != from&pageMask || filled > size || !k.inProgram(start, size) || start+size > linkBase ||
			from > s.memory.Len() || filled > s.memory.Len()-from || !k.space.set(start&^pageMask, up(start+size), kind) {
			k.fatal(errPayload)
		}
		whole := (start + filled) &^ pageMask
		va, pa := start&^pageMask, s.memory.Start+from&^pageMask
		if whole > va && !k.tables.mapRange(va, pa, whole-va, size4K, k.rights(kind)|borrowed) {
			k.fatal(errNoTables)
		}
		// The last page, which zeros follow.
		if rest := start + filled - max(whole, start); rest > 0 {
			page, ok := k.takeMemory(p, order4K)
			if !ok || !k.tables.mapRange(whole, page, pageSize, size4K, k.rights(kind)) {
				k.fatal(errNoMemory)
			}
			zero(directMap+page, pageSize)
			skip := max(whole, start)
			move(directMap+page+skip&pageMask, directMap+s.memory.Start+from+skip-start, rest)
		}
	}
	return s.number(payloadEntry)
}
