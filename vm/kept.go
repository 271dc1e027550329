package vm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/internal/disk"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// Kept is what outlives a machine: what its guest has changed on its disks, and the EFI variables that are non-volatile.
// Config.Kept gives it to another one with the same disks, which are known by their checksums.
type Kept struct {
	disks     []Disk // without contents
	changes   []*disk.Overlay
	variables firmware.Variables
	sum       string // of what Write writes, in hexadecimal; empty where that is not known
}

// keptVersion changes with the order of sections in what [Kept.Write] writes.
const keptVersion = 1

// Keep returns what outlives the machine, as it stands.
func (m *Machine) Keep() (*Kept, error) {
	if !m.started {
		return nil, errNotStarted
	}
	if m.cfg.isStock() {
		return nil, errKeepsNothing
	}
	if err := m.knowDisks(); err != nil {
		return nil, err
	}
	k := &Kept{variables: m.boot.Variables()}
	for i, d := range m.cfg.Disks {
		changes := disk.New(nil, d.Size, MaxDiskChanges)
		if err := changes.Adopt(m.disks[i]); err != nil {
			return nil, err
		}
		k.changes = append(k.changes, changes)
		d.Content, d.File = nil, nil
		k.disks = append(k.disks, d)
	}
	return k, nil
}

// Write writes it, for [ReadKept]. The same changes give the same bytes.
func (k *Kept) Write(w io.Writer) error {
	h := sha256.New()
	f := state.NewWriter(io.MultiWriter(w, h))
	f.Write("kept", keptVersion, func(s *state.Stream) { carryDisks(s, &k.disks) })
	f.Write("efivars", keptVersion, k.variables.Carry)
	for _, c := range k.changes {
		f.Write("disk", diskVersion, c.Carry)
	}
	err := f.End()
	if err == nil {
		k.sum = hex.EncodeToString(h.Sum(nil))
	}
	return err
}

// ReadKept reads what [Kept.Write] has written. The file may be anybody's: what it makes the host hold is bounded by
// [MaxDiskChanges] for each of at most 16 disks.
func ReadKept(r io.Reader) (*Kept, error) {
	k, h := &Kept{}, sha256.New()
	f := state.NewReader(io.TeeReader(r, h))
	if err := f.Read("kept", keptVersion, func(s *state.Stream) { carryDisks(s, &k.disks) }); err != nil {
		return nil, err
	}
	if err := f.Read("efivars", keptVersion, k.variables.Carry); err != nil {
		return nil, err
	}
	for _, d := range k.disks {
		c := disk.New(nil, d.Size, MaxDiskChanges)
		if err := f.Read("disk", diskVersion, c.Carry); err != nil {
			return nil, err
		}
		k.changes = append(k.changes, c)
	}
	if err := f.End(); err != nil {
		return nil, err
	}
	k.sum = hex.EncodeToString(h.Sum(nil))
	return k, nil
}

// Summary says what is kept, in a clause.
func (k *Kept) Summary() string {
	var changed int64
	for _, c := range k.changes {
		changed += c.Changed()
	}
	return fmt.Sprintf("%s changed on %s, and %s", record.FormatBytes(uint64(changed)), counted(len(k.changes), "disk"), counted(k.variables.Len(), "EFI variable"))
}

// knowKept checks that what is kept is of these disks, and takes its checksum.
func (c *Config) knowKept() error {
	if c.Kept == nil {
		return nil
	}
	for _, d := range c.Kept.disks {
		if len(c.Kept.disks) != len(c.Disks) {
			return fmt.Errorf("what is kept is of %s, such as %s, and the machine has %d", counted(len(c.Kept.disks), "disk"), record.Printable(d.Name), len(c.Disks))
		}
	}
	if len(c.Kept.disks) == 0 && len(c.Disks) > 0 {
		return fmt.Errorf("what is kept is of a machine without disks, and this one has %d", len(c.Disks))
	}
	for i := range c.Disks {
		if err := c.Disks[i].is(c.Kept.disks[i]); err != nil {
			return err
		}
	}
	if c.Kept.sum == "" {
		if err := c.Kept.Write(io.Discard); err != nil {
			return err
		}
	}
	c.keptSum = c.Kept.sum
	return nil
}

// changeDisks makes the changes that are kept those of disks.
func (k *Kept) changeDisks(disks []*disk.Overlay) error {
	if k == nil {
		return nil
	}
	for i, d := range disks {
		if err := d.Adopt(k.changes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kept) firmwareVariables() (v firmware.Variables) {
	if k != nil {
		v = k.variables
	}
	return v
}

// Restart makes the machine that a guest finds which has restarted: a new one of the same configuration, with what the guest had
// changed on its disks and what it has left in EFI variables. As on hardware a TD, or an SEV-SNP guest, is launched anew, and its
// memory is lost. What was to be typed is not typed again. The machine that has ended is to be closed all the same.
func (m *Machine) Restart() (*Machine, error) {
	if m.record == nil || m.record.Outcome != record.Reset {
		return nil, errNoRestart
	}
	kept, err := m.Keep()
	if err != nil {
		return nil, err
	}
	if err := kept.Write(io.Discard); err != nil { // for its checksum
		return nil, err
	}
	cfg := m.cfg
	cfg.Replay, cfg.Since = nil, m.since
	cfg.Kept, cfg.keptSum, cfg.restarts = kept, kept.sum, cfg.restarts+1
	return newMachine(cfg, mem.New)
}

var errNoRestart = errors.New("the guest has not asked for a restart")
