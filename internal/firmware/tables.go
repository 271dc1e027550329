package firmware

import (
	"hash/crc32"

	"github.com/tacit-vm/tacit/uefi"
)

// Where the tables that outlive boot services lie in their page of EfiRuntimeServicesData.
const (
	offSystemTable  = 0
	offRuntimeTable = 0x100
	offVendor       = 0x200
	offProperties   = 0x280
	offConfigTable  = 0x400

	maxTables = (pageSize - offConfigTable) / uefi.ConfigurationTableSize
)

// vendor is what the system table calls the firmware. Linux's stub compares it with the names of some that need special
// care.
const vendor = "tacit"

const revision = 1 // of this firmware

// writeTables writes the tables into their pages; those of the protocols have been written.
func (f *Firmware) writeTables(conIn, conOut protocolInstance) error {
	f.runtimeTable, f.configTable = f.systemTable+offRuntimeTable, f.systemTable+offConfigTable

	rt := make([]byte, uefi.RuntimeServicesSize)
	f.pointers(rt, runtimeServices)
	seal(rt, uefi.RuntimeServicesSignature)

	bs := make([]byte, uefi.BootServicesSize)
	f.pointers(bs, bootServices)
	seal(bs, uefi.BootServicesSignature)

	st := make([]byte, uefi.SystemTableSize)
	put64(st[uefi.SystemTableFirmwareVendor:], f.systemTable+offVendor)
	put32(st[uefi.SystemTableFirmwareRevision:], revision)
	put64(st[uefi.SystemTableConsoleInHandle:], conIn.handle)
	put64(st[uefi.SystemTableConIn:], conIn.address)
	put64(st[uefi.SystemTableConsoleOutHandle:], conOut.handle)
	put64(st[uefi.SystemTableConOut:], conOut.address)
	put64(st[uefi.SystemTableStandardErrorHandle:], conOut.handle)
	put64(st[uefi.SystemTableStdErr:], conOut.address)
	put64(st[uefi.SystemTableRuntimeServices:], f.runtimeTable)
	put64(st[uefi.SystemTableBootServices:], f.bootTable)
	put64(st[uefi.SystemTableConfigurationTable:], f.configTable)
	seal(st, uefi.SystemTableSignature)

	properties := make([]byte, uefi.RTPropertiesSize)
	properties[uefi.RTPropertiesVersion] = 1
	properties[uefi.RTPropertiesLength] = uefi.RTPropertiesSize
	put32(properties[uefi.RTPropertiesSupported:], runtimeOffered)

	for _, t := range []struct {
		at uint64
		b  []byte
	}{
		{f.systemTable, st},
		{f.runtimeTable, rt},
		{f.systemTable + offVendor, wide(vendor)},
		{f.systemTable + offProperties, properties},
		{f.bootTable, bs},
	} {
		if err := f.put(t.at, t.b); err != nil {
			return err
		}
	}
	return f.setTable(uefi.RTPropertiesTableGUID, f.systemTable+offProperties)
}

// seal fills in a table's header: signature, revision, size, and the checksum of it all.
func seal(table []byte, signature uint64) {
	put64(table[uefi.TableHeaderSignature:], signature)
	put32(table[uefi.TableHeaderRevision:], uefi.Revision2_10)
	put32(table[uefi.TableHeaderHeaderSize:], uint32(len(table)))
	put32(table[uefi.TableHeaderCRC32:], 0)
	put32(table[uefi.TableHeaderCRC32:], crc32.ChecksumIEEE(table))
}

// change applies an edit to a table in guest memory and makes its checksum right again.
func (f *Firmware) change(gpa uint64, size int, edit func(table []byte)) error {
	b := make([]byte, size)
	if err := f.get(gpa, b); err != nil {
		return err
	}
	edit(b)
	put32(b[uefi.TableHeaderCRC32:], 0)
	put32(b[uefi.TableHeaderCRC32:], crc32.ChecksumIEEE(b))
	return f.put(gpa, b)
}

// setTable adds, changes or, where address is 0, removes a configuration table.
func (f *Firmware) setTable(guid uefi.GUID, address uint64) error {
	i := 0
	for i < len(f.tables) && f.tables[i].GUID != guid {
		i++
	}
	switch {
	case i < len(f.tables) && address == 0:
		f.tables = append(f.tables[:i], f.tables[i+1:]...)
	case i < len(f.tables):
		f.tables[i].Address = address
	case address == 0:
		return notFound
	case len(f.tables) == maxTables:
		return outOfResources
	default:
		f.tables = append(f.tables, ConfigurationTable{guid, address})
	}
	b := make([]byte, len(f.tables)*uefi.ConfigurationTableSize)
	for i, t := range f.tables {
		entry := b[i*uefi.ConfigurationTableSize:]
		copy(entry[uefi.ConfigurationTableVendorGUID:], t.GUID[:])
		put64(entry[uefi.ConfigurationTableVendorTable:], t.Address)
	}
	if err := f.put(f.configTable, b); err != nil {
		return err
	}
	return f.change(f.systemTable, uefi.SystemTableSize, func(st []byte) {
		put64(st[uefi.SystemTableNumberOfTableEntries:], uint64(len(f.tables)))
	})
}

// installConfigurationTable(*Guid, *Table)
func (f *Firmware) installConfigurationTable(a args) error {
	guid, err := f.loadGUID(a[0])
	if err != nil {
		return err
	}
	return f.setTable(guid, a[1])
}
