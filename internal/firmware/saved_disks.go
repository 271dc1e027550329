package firmware

import (
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// carryDisks carries what firmware knows of its disks, not what is on them.
func (f *Firmware) carryDisks(s *state.Stream) {
	state.Slice(s, &f.media, maxMedia, func(m *medium) {
		m.carry(s)
		s.Check(m.disk >= 0 && m.disk < len(f.cfg.Disks), "a disk that there is not")
	})
	state.Slice(s, &f.files, maxFiles, func(o *fileHandle) {
		o.carry(s)
		s.Check(o.medium >= 0 && o.medium < len(f.media), "a file on a disk that there is not")
	})
	state.Slice(s, &f.options, maxBootOptions+maxMedia, func(o *bootOption) {
		o.carry(s)
		s.Check(o.medium >= 0 && o.medium < len(f.media), "something to start on a disk that there is not")
	})
	state.Slice(s, &f.refused, maxBootOptions+maxMedia, func(text *string) { state.String(s, text, maxText) })
}

func (m *medium) carry(s *state.Stream) {
	state.Numbers(s, &m.disk, &m.partition)
	state.Numbers(s, &m.start, &m.size)
	s.Bool(&m.esp, &m.fat)
	state.Bytes(s, &m.path, maxPath)
	state.Numbers(s, &m.handle, &m.blockIO, &m.diskIO, &m.fileSystem)
	s.Check(m.start >= 0 && m.size >= 0 && len(m.path) >= pathNodeSize, "a disk that begins before itself")
}

func (o *fileHandle) carry(s *state.Stream) {
	state.Numbers(s, &o.address, &o.position)
	state.Numbers(s, &o.medium)
	state.String(s, &o.path, maxWay)
}

func (o *bootOption) carry(s *state.Stream) {
	state.String(s, &o.name, maxVariable)
	state.String(s, &o.path, maxText)
	state.Bytes(s, &o.options, maxVariable)
	state.Numbers(s, &o.medium)
}

// carryFile carries where the bytes of an image come from, and returns how many there are.
func (f *Firmware) carryFile(s *state.Stream, r *sizedReader) int64 {
	guest, ofGuest := (*r).(*guestFile)
	disk, ofDisk := (*r).(*diskFile)
	if s.Bool(&ofDisk); s.Reading() {
		guest, disk = &guestFile{f: f}, &diskFile{f: f}
		if *r = guest; ofDisk {
			*r = disk
		}
		ofGuest = !ofDisk
	}
	if ofGuest {
		state.Numbers(s, &guest.at)
		state.Numbers(s, &guest.size)
		return guest.size
	}
	state.Numbers(s, &disk.medium)
	state.String(s, &disk.path, maxText)
	state.Numbers(s, &disk.size)
	s.Check(disk.medium >= 0 && disk.medium < len(f.media), "an image on a disk that there is not")
	return disk.size
}

// carryPath carries who has come along.
func (f *Firmware) carryPath(s *state.Stream) {
	state.Slice(s, &f.path.Images, maxPathImages, func(p *record.PathImage) {
		for _, text := range []*string{&p.Name, &p.By, &p.Linux} {
			state.String(s, text, maxText)
		}
		s.Bool(&p.Outside)
		p.Stamp.Carry(s)
		state.Numbers(s, &p.Calls)
		state.Numbers(s, &p.Maps)
		state.Optional(s, &p.Map, func(m *record.SeenMap) {
			m.Stamp.Carry(s)
			state.Numbers(s, &m.Usable, &m.Unaccepted, &m.Kept)
		})
	})
	state.Slice(s, &f.travellers, maxTravellers, func(t *traveller) {
		state.Numbers(s, &t.handle)
		carryRange(s, &t.memory)
		state.Numbers(s, &t.index)
		s.Check(t.index >= 0 && t.index < len(f.path.Images), "a program that is not known")
	})
	carryRange(s, &f.leaver)
	state.Numbers(s, &f.path.More)
	state.String(s, &f.path.LeftBy, maxText)
}
