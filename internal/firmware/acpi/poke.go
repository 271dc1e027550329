package acpi

import "encoding/binary"

// A Poke is a store to memory that the tables have the operating system make when it loads them: AML is code, and it may
// address memory (ACPI 6.5, 19.6.100, OperationRegion). No honest machine's tables have one.
type Poke struct{ Address, Value uint32 }

// ssdt is a table whose only content is that store.
func (p *Poke) ssdt() []byte {
	const (
		regionOp, fieldOp, storeOp = 0x80, 0x81, 0x70 // the first two after amlExtended
		systemMemory               = 0
		dwordAccess                = 3
		bits                       = 32
		region, field              = "POKR", "POKF"
	)
	return table("SSDT", 2, join(
		[]byte{amlExtended, regionOp}, []byte(region), []byte{systemMemory}, integer(p.Address), integer(bits/8),
		[]byte{amlExtended, fieldOp}, pkgLength(join([]byte(region), []byte{dwordAccess}, []byte(field), []byte{bits})),
		[]byte{storeOp, amlDWord}, binary.LittleEndian.AppendUint32(nil, p.Value), []byte(field),
	))
}
