package processors

// ACPI's tables: where the MADT is, and what it says (ACPI 6.5, sections 5.2.5 and 5.2.12). They are firmware's, and are
// read as far as their lengths allow, wherever those lead.

const (
	rsdpLength = 36
	rsdpXSDT   = 24

	headerLength = 36 // of each table; its length is at 4

	madtEntries    = 44
	entryLocalAPIC = 0
	entryX2APIC    = 9
	entryMailbox   = 16
	entryEnabled   = 1 // in the flags of a processor

	maxTables = 256
	maxTable  = 1 << 20 // bytes that are looked at
)

// A Memory is physical memory as the guest reaches it: at returns n bytes, or nil where they are not there to be read.
type Memory func(gpa, n uint64) []byte

// MADT returns the table that the RSDP at an address leads to; nil where it leads to none.
func MADT(at Memory, rsdp uint64) []byte {
	root := at(rsdp, rsdpLength)
	if root == nil {
		return nil
	}
	xsdt := table(at, get64(root[rsdpXSDT:]))
	for i := headerLength; i+8 <= len(xsdt) && i < headerLength+8*maxTables; i += 8 {
		if t := table(at, get64(xsdt[i:])); len(t) >= madtEntries && string(t[:4]) == "APIC" {
			return t
		}
	}
	return nil
}

// table returns a table of ACPI's; nil where there is none.
func table(at Memory, gpa uint64) []byte {
	header := at(gpa, headerLength)
	if header == nil {
		return nil
	}
	n := uint64(get32(header[4:]))
	if n < headerLength || n > maxTable {
		return nil
	}
	return at(gpa, n)
}

// Mailbox returns the guest-physical address of the mailbox that a MADT names; 0 where it names none.
func Mailbox(madt []byte) (gpa uint64) {
	for e := range entries(madt) {
		const length, version, address = 16, 2, 8
		if e[0] == entryMailbox && len(e) >= length && e[version] == 0 && e[version+1] == 0 {
			return get64(e[address:])
		}
	}
	return 0
}

// IDs yields the APIC IDs of the processors that can be used, in the MADT's order. A processor whose ID is below 255 is in
// an entry for local APICs or in one for x2APICs: the latter do not count where there are any of the former, as in Linux
// (arch/x86/kernel/acpi/boot.c), so that those in both are found once.
func IDs(madt []byte) func(yield func(id uint32) bool) {
	return func(yield func(id uint32) bool) {
		both := false
		for e := range entries(madt) {
			both = both || isLocalAPIC(e)
		}
		for e := range entries(madt) {
			switch {
			case isLocalAPIC(e):
				if !yield(uint32(e[3])) {
					return
				}
			case e[0] == entryX2APIC && len(e) >= 16 && e[8]&entryEnabled != 0:
				if id := get32(e[4:]); (id >= 0xFF || !both) && !yield(id) {
					return
				}
			}
		}
	}
}

func isLocalAPIC(e []byte) bool {
	return e[0] == entryLocalAPIC && len(e) >= 8 && e[4]&entryEnabled != 0 && e[3] != 0xFF
}

// entries yields the MADT's, each of at least two bytes.
func entries(madt []byte) func(yield func(e []byte) bool) {
	return func(yield func(e []byte) bool) {
		for i := madtEntries; i+2 <= len(madt); {
			n := int(madt[i+1])
			if n < 2 || n > len(madt)-i || !yield(madt[i:i+n]) {
				return
			}
			i += n
		}
	}
}

func get32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func get64(b []byte) uint64 { return uint64(get32(b)) | uint64(get32(b[4:]))<<32 }

func put16(b []byte, v uint16) { b[0], b[1] = byte(v), byte(v>>8) }

func put32(b []byte, v uint32) {
	put16(b, uint16(v))
	put16(b[2:], uint16(v>>16))
}

func put64(b []byte, v uint64) {
	put32(b, uint32(v))
	put32(b[4:], uint32(v>>32))
}
