package vm

import (
	"context"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// A saved machine has what its guest has changed on its disks, and not the disks: those are given again, and have to be the
// same, or the guest would find another file system under the one that it holds in memory. What the file was is known by its
// checksum.

// carryDisks carries by what disks are known.
func carryDisks(s *state.Stream, disks *[]Disk) {
	state.Slice(s, disks, maxDisks, func(d *Disk) {
		for _, text := range []*string{&d.Name, &d.Format, &d.sum} {
			state.String(s, text, maxText)
		}
		state.Numbers(s, &d.Size)
		s.Check(d.Size >= 0, "a disk of less than no bytes")
	})
}

// knowDisks puts the checksums of the disks into the configuration.
func (m *Machine) knowDisks() error {
	if !slices.ContainsFunc(m.cfg.Disks, func(d Disk) bool { return d.sum == "" }) {
		return nil
	}
	m.sumUp()
	m.sums.wait()
	m.cfg.Disks = slices.Clone(m.cfg.Disks) // which are the caller's
	for i := range m.cfg.Disks {
		d := &m.cfg.Disks[i]
		if d.sum = m.sums.disks[i]; d.sum == "" {
			return fmt.Errorf("disk %s has no checksum, by which it could be known again", d.Name)
		}
	}
	return nil
}

// sameDisks are the disks of a saved machine, or of one that is forked, whose disks are there.
func sameDisks(saved, given []Disk) ([]Disk, error) {
	if len(saved) > 0 && saved[0].Content != nil {
		return saved, nil
	}
	if len(given) != len(saved) {
		text := fmt.Sprintf("the saved machine has %s, and here are %d", counted(len(saved), "disk"), len(given))
		for _, d := range saved {
			text += fmt.Sprintf("; %s of %s, SHA-256 %s", record.Printable(d.Name), record.FormatBytes(uint64(d.Size)), record.Printable(d.sum))
		}
		return nil, fmt.Errorf("%s", text)
	}
	same := make([]Disk, len(given))
	for i, d := range given {
		if err := (&Config{Disks: given[i : i+1]}).checkDisks(); err != nil {
			return nil, err
		}
		if err := d.is(saved[i]); err != nil {
			return nil, err
		}
		d.Name, d.Format, d.sum = saved[i].Name, saved[i].Format, saved[i].sum
		same[i] = d
	}
	return same, nil
}

// is says how a disk differs from one of which its checksum is known.
func (d *Disk) is(known Disk) error {
	name := record.Printable(d.Name)
	if d.Size != known.Size {
		return fmt.Errorf("disk %s has %d bytes, and the one before had %d", name, d.Size, known.Size)
	}
	if d.File == nil {
		return fmt.Errorf("disk %s has no file, whose checksum could say that it is the same", name)
	}
	if sum := d.checksum(context.Background()); sum == "" {
		return fmt.Errorf("disk %s cannot be read", name)
	} else if sum != known.sum {
		return fmt.Errorf("disk %s is not the one from before: its SHA-256 is %s, and was %s", name, sum, record.Printable(known.sum))
	}
	return nil
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
