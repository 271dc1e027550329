package vm

import (
	"cmp"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/internal/disk"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/record"
)

// A Disk is what is on one of a machine's disks when the guest starts. It is never written to: what the guest changes the
// machine keeps for itself, in memory, up to [MaxDiskChanges] for each disk.
type Disk struct {
	Name    string            // for the record
	Format  string            // of the file, for the record: "qcow2 disk image"
	Content io.ReaderAt       // can be read by several at a time
	Size    int64             // of Content, in bytes
	File    *io.SectionReader // the file, whose checksum the record has; nil for none, and then the machine cannot be saved

	// Below are the files that File is only the changes to, the next one first, as of a qcow2 disk image with backing files. The
	// checksum is that of all of them, as image.Checksum has it.
	Below []*io.SectionReader

	sum string // the checksum, in hexadecimal, of a disk that is known to have it; or empty
}

// MaxDiskChanges is how many bytes of a disk can be changed, in units of 4 KiB. Beyond that a write fails. With their numbers
// so many blocks fit into a section of a saved machine.
const MaxDiskChanges = 1020 << 20

// maxDisks is how many disks a machine can have.
const maxDisks = 16

// checkDisks says what is wrong with the disks.
func (c *Config) checkDisks() error {
	if len(c.Disks) > maxDisks {
		return fmt.Errorf("%d disks: a machine has at most %d", len(c.Disks), maxDisks)
	}
	for _, d := range c.Disks {
		if d.Content == nil || d.Size < 0 {
			return fmt.Errorf("disk %s: nothing to read", d.Name)
		}
	}
	return nil
}

// insertDisks makes the disks of the machine.
func (m *Machine) insertDisks() error {
	for _, d := range m.cfg.Disks {
		m.disks = append(m.disks, disk.New(d.Content, d.Size, cmp.Or(m.cfg.diskChanges, MaxDiskChanges)))
	}
	return m.cfg.Kept.changeDisks(m.disks)
}

// firmwareDisks are the disks as firmware sees them.
func (m *Machine) firmwareDisks() (all []firmware.Disk) {
	for _, d := range m.disks {
		all = append(all, d)
	}
	return all
}

// diskParts are what the guest has changed on them.
func (m *Machine) diskParts() (all []part) {
	for _, d := range m.disks {
		all = append(all, part{"disk", diskVersion, d.Carry})
	}
	return all
}

// diskVersion changes with what [disk.Overlay.Carry] carries.
const diskVersion = 2

// disksOf is what the record says of the disks.
func (m *Machine) disksOf() (all []record.Disk) {
	for i, d := range m.cfg.Disks {
		all = append(all, record.Disk{Name: d.Name, Format: d.Format, Bytes: uint64(d.Size), SHA256: m.sums.disks[i], ChangedBytes: uint64(m.disks[i].Changed())})
	}
	return all
}
