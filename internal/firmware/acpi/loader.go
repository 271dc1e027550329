package acpi

import "encoding/binary"

// A Script is the tables in the form in which QEMU hands them to firmware in the guest, which chooses where they go: the tables
// with addresses from 0 on, and commands that put them in place (QEMU, hw/acpi/bios-linker-loader.c; EDK2,
// OvmfPkg/Include/IndustryStandard/QemuLoader.h). There is no root pointer: EDK2 makes its own.
type Script struct {
	Tables   []byte // the file of fw_cfg that [TablesFile] names
	Commands []byte // … and [CommandsFile]
}

// Files of fw_cfg.
const (
	TablesFile   = "etc/acpi/tables"
	CommandsFile = "etc/table-loader"
)

// Commands, of commandSize bytes each: what to do, and to what.
const (
	commandSize     = 128
	fileNameSize    = 56
	commandAllocate = 1 // a file's memory: its alignment, and where
	commandPointer  = 2 // add where one file is to a pointer in another: the pointer's place and size
	commandChecksum = 3 // of a range of a file: where it goes, the range's start and length

	anywhere  = 1 // below 4 GiB, where pointers have 32 bits
	alignment = facsSize
)

// Script returns the tables for firmware in the guest to put in place, with a FACS.
func (m *Machine) Script() (Script, error) {
	placed := *m
	placed.FACS = 0
	measured, err := placed.Tables(0)
	if err != nil {
		return Script{}, err
	}
	facs := (len(measured.Block) + facsSize - 1) &^ (facsSize - 1)
	placed.FACS = uint32(facs)
	t, err := placed.Tables(0)
	if err != nil {
		return Script{}, err
	}
	s := Script{Tables: append(append(t.Block, make([]byte, facs-len(t.Block))...), FACS()...)}
	s.command(commandAllocate, []string{TablesFile}, []uint32{alignment}, anywhere)
	le := binary.LittleEndian
	xsdt := uint32(le.Uint64(s.Tables[t.RSDP+24:]))
	for at := xsdt + headerSize; at < xsdt+le.Uint32(s.Tables[xsdt+4:]); at += 8 {
		if table := uint32(le.Uint64(s.Tables[at:])); string(s.Tables[table:table+4]) == "FACP" {
			s.pointer(table+fadtFACS, 4)
			s.pointer(table+fadtDSDT, 4)
			s.pointer(table+fadtXDSDT, 8)
			s.checksum(table)
		}
		s.pointer(at, 8)
	}
	s.checksum(xsdt)
	return s, nil
}

// command appends a command: files, numbers of 4 bytes, numbers of one.
func (s *Script) command(what uint32, files []string, numbers []uint32, octets ...byte) {
	b := binary.LittleEndian.AppendUint32(nil, what)
	for _, f := range files {
		b = append(append(b, f...), make([]byte, fileNameSize-len(f))...)
	}
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = append(b, octets...)
	s.Commands = append(append(s.Commands, b...), make([]byte, commandSize-len(b))...)
}

// pointer has a pointer in the tables follow them.
func (s *Script) pointer(at uint32, size byte) {
	s.command(commandPointer, []string{TablesFile, TablesFile}, []uint32{at}, size)
}

// checksum has a table's made again. It is taken over the place where it goes, too.
func (s *Script) checksum(table uint32) {
	s.Tables[table+9] = 0
	s.command(commandChecksum, []string{TablesFile}, []uint32{table + 9, table, binary.LittleEndian.Uint32(s.Tables[table+4:])})
}
