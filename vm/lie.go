package vm

import "github.com/tacit-vm/tacit/record"

// lie is what firmware has told that was not so; nil where it is honest.
func (m *Machine) lie() *record.Lie {
	if m.cfg.FirmwareLie == "" {
		return nil
	}
	told := m.boot.Told()
	return &record.Lie{Kind: m.cfg.FirmwareLie, Told: told.Times, GPA: record.Address(told.About.Start), Bytes: told.About.Len()}
}

// accuseFirmware says in d what firmware told a guest that did not get over it.
func accuseFirmware(d *record.Diagnosis, l *record.Lie) {
	if l == nil || l.Told == 0 {
		return
	}
	d.Summary = l.String() + "; then: " + d.Summary
	d.Advice = "Firmware was told to lie, by --firmware-lie " + l.Kind + ": docs/attacks.md has what comes of that."
	if d.GPA != nil && *d.GPA >= l.GPA && uint64(*d.GPA-l.GPA) < l.Bytes {
		d.Advice = "Firmware is to blame, as --firmware-lie " + l.Kind + " told it: this page is not what the guest was told."
	}
}
