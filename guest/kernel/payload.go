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
	payloadFunctions = 48  // place and size of the table of functions (unserved.go)
	payloadFiles     = 64  // place and size of an archive of files (archive.go)
	payloadFlags     = 80  // see below
	payloadHere      = 88  // place and size of the name of the working directory
	payloadProgram   = 104 // place and size of the executable
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

// programName is the program's file in the root directory, whatever it was called where it was built.
const programName = "program"

// makeProgram makes the file of the executable, which consists of the image's own pages. It is in use for as long as the
// machine is: nobody writes to it, as with what runs on Linux, and its pages are never given back. Where the image brings
// another file of that name, the program's has none.
func (k *kernel) makeProgram(p *processor) {
	executable := k.payload.bytes(payloadProgram)
	number := k.nameless(p, typeRegular|0o755)
	if number == 0 {
		k.fatal(errNoMemory)
	}
	n := k.node(number)
	n.users = 1
	start := addressOfBytes(executable) - directMap
	for offset := uint64(0); offset < uint64(len(executable)); offset += pageSize {
		slot := k.slot(p, n, offset, true)
		if slot == nil {
			k.fatal(errNoMemory)
		}
		*slot = start + offset
	}
	n.size = uint64(len(executable))
	if k.childOf(rootNode, bytesOf(programName)) == 0 {
		n.names, n.nameSize = 1, uint64(copy(n.name[:], programName))
		k.enter(rootNode, number)
	}
	k.program = number
}

// loadProgram maps the program as its segments say, each a private mapping of its file. What cannot be written to is mapped
// where it is in the image at once; of the rest the program gets copies when it touches them (filemap.go). It returns where
// the program begins.
func (k *kernel) loadProgram(p *processor) (entry uint64) {
	s := &k.payload
	n := s.number(payloadSegments)
	if n > maxSegments {
		k.fatal(errPayload)
	}
	executable := s.number(payloadProgram)
	for i := range n {
		at_ := payloadSegments + 8 + 40*i
		start, size, from, filled, rights := s.number(at_), s.number(at_+8), s.number(at_+16), s.number(at_+24), s.number(at_+32)
		kind := kindOf(rights)
		if start&pageMask != from&pageMask || filled > size || !k.inProgram(start, size) || start+size > linkBase ||
			from < executable || from > s.memory.Len() || filled > s.memory.Len()-from || !k.space.set(start&^pageMask, up(start+size), kind) {
			k.fatal(errPayload)
		}
		va, whole := start&^pageMask, (start+filled)&^pageMask
		if filled > 0 && !k.addMapping(fileMapping{start: va, end: up(start + filled), offset: from&^pageMask - executable, node: k.program}) {
			k.fatal(errPayload)
		}
		if whole > va && kind&canWrite == 0 && !k.tables.mapRange(va, s.memory.Start+from&^pageMask, whole-va, size4K, k.rights(kind)|borrowed) {
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
