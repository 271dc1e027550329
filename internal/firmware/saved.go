package firmware

import (
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/pefile"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/uefi"
)

// StateVersion changes with what [Firmware.Carry] carries.
const StateVersion = 5

// Bounds of texts, in bytes. Names of images and their options come from the configuration.
const (
	maxSections    = 1024
	maxSectionName = 64
	maxText        = 1 << 20
)

// Carry carries firmware's state, as it is when no service is under way in Go: between two calls of [Firmware.Boot] and
// [Firmware.Call]. A firmware that reads has to be new, with the same Config, and is not to be booted.
func (f *Firmware) Carry(s *state.Stream) {
	state.Numbers(s, &f.from, &f.ret, &f.trap, &f.pageTables, &f.systemTable, &f.runtimeTable, &f.bootTable, &f.configTable, &f.tpl, &f.eventSeq, &f.monotonic, &f.unaccepted)
	state.Numbers(s, &f.wakeup.mailbox, &f.wakeup.pageTables)
	f.jobs.carry(s)
	state.Numbers(s, &f.clockOffset)
	state.Numbers(s, &f.exiting)
	s.Bool(&f.exited, &f.virtual)
	s.Check(f.exiting <= exitAgreed, "ExitBootServices at no stage that there is")
	s.Check(f.clockOffset >= -lastSecond && f.clockOffset <= lastSecond, "a clock that has been set too far")
	state.Numbers(s, &f.work.calls, &f.work.bytes, &f.work.charged)
	f.carryUnfinished(s, &f.unfinished)

	state.Slice(s, &f.tables, maxTables, func(t *ConfigurationTable) {
		s.Raw(t.GUID[:])
		state.Numbers(s, &t.Address)
	})
	f.memory.carry(s)
	f.pool.carry(s)
	f.handles.carry(s)
	state.Numbers(s, &f.registrationSeq)
	state.Slice(s, &f.registrations, maxRegistrations, func(r *registration) {
		state.Numbers(s, &r.id, &r.event, &r.seen)
		s.Raw(r.protocol[:])
	})
	state.Slice(s, &f.images, maxImages, func(im *image) { im.carry(s) })
	state.Slice(s, &f.frames, maxFrames, func(fr *frame) { f.carryFrame(s, fr) })
	state.Slice(s, &f.events, maxEvents+ownEvents, func(e *event) { e.carry(s) })
	state.Slice(s, &f.queue, maxEvents+ownEvents, func(id *uint64) { state.Numbers(s, id) })
	state.Numbers(s, &f.console.mode)
	state.Numbers(s, &f.console.attribute, &f.console.column, &f.console.row)
	s.Bool(&f.console.visible)
	state.Bytes(s, &f.keyboard.bytes, maxTyped)
	state.Slice(s, &f.keyboard.notify, maxKeyNotify, func(n *keyNotify) {
		state.Numbers(s, &n.event, &n.data)
		state.Numbers(s, &n.scan, &n.char)
		s.Bool(&n.control)
	})
	state.Numbers(s, &f.keyboard.forKey, &f.keyboard.forEx)
	state.Numbers(s, &f.retry, &f.watchdog)
	state.Numbers(s, &f.packageSeq)
	state.Slice(s, &f.packages, maxPackages, func(l *packageList) {
		state.Numbers(s, &l.handle, &l.driver)
		s.Raw(l.guid[:])
		state.Bytes(s, &l.bytes, maxPackageList)
		s.Check(len(l.bytes) >= listHeader, "a list of packages without its header")
	})
	f.carryRandom(s)
	f.variables.carry(s)
	f.carryDisks(s)
	f.carryFunctions(s)
	f.carryDMA(s)
	f.carryPath(s)
	state.Slice(s, &f.converting, maxRegions, func(d *uefi.MemoryDescriptor) {
		state.Numbers(s, &d.Type)
		state.Numbers(s, &d.PhysicalStart, &d.VirtualStart, &d.NumberOfPages, &d.Attribute)
	})
	f.carryNegotiation(s)
	state.Numbers(s, &f.told.Times)
	carryRange(s, &f.told.About)
	carryRange(s, &f.lieAbout)
	state.Slice(s, &f.missed, maxMissed, func(g *uefi.GUID) { s.Raw(g[:]) })
	s.Check(f.consistent(), "firmware's books contradict one another")
}

// consistent says whether what services rely on is so: identifiers ascend, and what runs is loaded.
func (f *Firmware) consistent() bool {
	for i, e := range f.events {
		if i > 0 && f.events[i-1].id >= e.id || e.id > eventBase+f.eventSeq || e.period < 0 {
			return false
		}
	}
	for i, fr := range f.frames {
		if fr.kind == frameImage && f.image(fr.image) == nil || i == 0 && fr.kind != frameImage {
			return false
		}
	}
	return len(f.frames) > 0 && f.trap != 0 && f.trap&pageMask == 0
}

func carryRange(s *state.Stream, r *accept.Range) {
	state.Numbers(s, &r.Start, &r.End)
	s.Check(r.Start <= r.End, "a range that ends before it begins")
}

func (m *memoryMap) carry(s *state.Stream) {
	at := uint64(0)
	state.Slice(s, &m.regions, maxRegions, func(g *region) {
		state.Numbers(s, &g.start, &g.end)
		state.Numbers(s, &g.kind)
		s.Check(g.start >= at && g.start < g.end && (g.start|g.end)&pageMask == 0, "a memory map that overlaps")
		at = g.end
	})
	state.Numbers(s, &m.key)
}

func (p *pool) carry(s *state.Stream) {
	state.Slice(s, &p.chunks, maxRegions, func(c *chunk) {
		carryRange(s, &c.Range)
		state.Numbers(s, &c.kind)
		at := c.Start
		state.Slice(s, &c.used, maxPieces, func(u *accept.Range) {
			carryRange(s, u)
			s.Check(u.Start >= at && u.End <= c.End, "pool memory that overlaps")
			at = u.End
		})
	})
	if s.Reading() {
		p.pieces = 0
		for i := range p.chunks {
			p.pieces += len(p.chunks[i].used)
		}
	}
}

func (d *handleDatabase) carry(s *state.Stream) {
	state.Numbers(s, &d.created, &d.installed)
	last := uint64(0)
	state.Slice(s, &d.handles, maxInterfaces, func(h *handle) {
		state.Numbers(s, &h.id)
		s.Check(h.id > last && h.id <= handleBase+d.created, "handles that do not ascend")
		last = h.id
		state.Slice(s, &h.interfaces, maxInterfaces, func(p *installed) {
			s.Raw(p.protocol[:])
			state.Numbers(s, &p.address, &p.serial)
			state.Slice(s, &p.opened, maxOpenings, func(o *opening) {
				state.Numbers(s, &o.agent, &o.controller)
				state.Numbers(s, &o.attributes, &o.count)
			})
		})
	})
	if s.Reading() {
		d.pieces, d.openings = 0, 0
		for i := range d.handles {
			d.pieces += len(d.handles[i].interfaces)
			for k := range d.handles[i].interfaces {
				d.openings += len(d.handles[i].interfaces[k].opened)
			}
		}
	}
}

func (im *image) carry(s *state.Stream) {
	state.Numbers(s, &im.handle, &im.entry, &im.loaded, &im.filePath, &im.options)
	state.String(s, &im.name, maxText)
	carryRange(s, &im.memory)
	state.Numbers(s, &im.subsystem)
	s.Bool(&im.started)
	state.String(s, &im.linux, maxText)
}

func (e *event) carry(s *state.Stream) {
	state.Numbers(s, &e.id, &e.tpl, &e.notify, &e.context, &e.argument)
	state.Numbers(s, &e.kind)
	s.Raw(e.group[:])
	s.Bool(&e.signalled, &e.armed)
	state.Numbers(s, &e.due, &e.period)
}

func (f *Firmware) carryFrame(s *state.Stream, fr *frame) {
	state.Numbers(s, &fr.kind)
	s.Check(fr.kind <= frameQuestion, "a frame of no kind")
	state.Array(s, fr.saved.gpr[:])
	for i := range fr.saved.xmm {
		state.Array(s, fr.saved.xmm[i][:])
	}
	state.Numbers(s, &fr.saved.rip, &fr.saved.flags, &fr.tpl, &fr.image, &fr.dataSize, &fr.data)
	f.carryUnfinished(s, &fr.unfinished)
}

// loadInitrdSlot is where the initrd is served, of which the part that is done is looked up.
var loadInitrdSlot uint64

func (f *Firmware) carryUnfinished(s *state.Stream, u *unfinished) {
	state.Numbers(s, &u.slot, &u.from, &u.sp, &u.done)
	state.Numbers(s, &u.sum)
	s.Bool(&u.going, &u.started, &u.polled)
	s.Check(u.slot < uint64(len(entries)), "a service that does not exist")
	s.Check(u.done <= uint64(len(f.cfg.Initrd)) || u.slot != loadInitrdSlot, "a service that has done more than there is")
	state.Optional(s, &u.loading, func(l *loading) { f.carryLoading(s, l) })
	state.Optional(s, &u.driving, func(d *driving) { d.carry(s) })
	state.Numbers(s, &u.answer)
}

// carryLoading carries an image that LoadImage is putting into memory.
func (f *Firmware) carryLoading(s *state.Stream, l *loading) {
	if s.Reading() {
		l.file = new(peFile)
	}
	size := f.carryFile(s, &l.file.r)
	l.file.carry(s, size)

	o := &l.origin
	state.String(s, &o.name, maxText)
	state.Bytes(s, &o.options, maxText)
	state.Bytes(s, &o.path, maxText)
	state.Numbers(s, &o.parent, &o.device)
	carryRange(s, &l.memory)
	state.Numbers(s, &l.part)
	state.Numbers(s, &l.done, &l.page)
	s.Bool(&l.read)
	state.Bytes(s, &l.relocations, maxRelocs)
	state.Bytes(s, &l.list, maxRelocs)
	s.Check(l.part >= 0 && l.part <= 2+len(l.file.sections) && l.memory.Len() >= uint64(l.file.sizeOfImage), "an image that is loaded no further than it goes")
	if s.Err() == nil && l.part < 2+len(l.file.sections) {
		_, _, _, n := l.file.part(l.part)
		s.Check(l.done <= n, "a section that is loaded further than it goes")
	}
}

func (p *peFile) carry(s *state.Stream, size int64) {
	state.Slice(s, &p.sections, maxSections, func(c *pefile.Section) {
		state.String(s, &c.Name, maxSectionName)
		state.Numbers(s, &c.VirtualAddress, &c.VirtualSize, &c.Offset, &c.Size)
	})
	state.Numbers(s, &p.sizeOfImage, &p.sizeOfHeaders, &p.alignment, &p.entry, &p.relocations.VirtualAddress, &p.relocations.Size)
	state.Numbers(s, &p.subsystem)
	state.Numbers(s, &p.base)
	s.Bool(&p.fixed)
	if s.Reading() && s.Err() == nil {
		if err := p.check(pefile.PE32Plus, size); err != nil {
			s.Fail("an image that is being loaded: %w", err)
		}
	}
}

func (f *Firmware) carryRandom(s *state.Stream) {
	const most = 1 << 10
	var b []byte
	if !s.Reading() {
		b, _ = f.random.MarshalBinary() // it never fails
	}
	if state.Bytes(s, &b, most); !s.Reading() || s.Err() != nil {
		return
	}
	f.random = new(rand.ChaCha8)
	if err := f.random.UnmarshalBinary(b); err != nil {
		s.Fail("the random number generator: %w", err)
	}
}

func (v *variableStore) carry(s *state.Stream) {
	state.Slice(s, &v.list, maxStore/overhead, func(v *variable) {
		s.Raw(v.vendor[:])
		state.Slice(s, &v.name, maxName, func(c *uint16) { state.Numbers(s, c) })
		state.Numbers(s, &v.attributes)
		state.Bytes(s, &v.data, maxVariable)
	})
	if s.Reading() {
		v.size = 0
		for i := range v.list {
			v.size += v.list[i].size()
		}
		s.Check(v.size <= maxStore, "more variables than there is room for")
	}
}

func (f *Firmware) carryNegotiation(s *state.Stream) {
	n := &f.negotiation
	for _, callers := range []struct {
		names []string
		add   func(string)
	}{{n.LookedUpBy.Names(), n.LookUp}, {n.AllowedBy.Names(), n.Allow}} {
		state.Slice(s, &callers.names, maxImages, func(name *string) {
			if state.String(s, name, maxText); s.Reading() {
				callers.add(*name)
			}
		})
	}
	state.Numbers(s, &n.AcceptedLate)
	state.Numbers(s, &n.ExitAttempts)
	s.Bool(&n.Offered, &n.Settled)
}

// Carry carries a fault, which may be how a run has ended.
func (f *Fault) Carry(s *state.Stream) {
	state.Numbers(s, &f.Vector)
	state.Numbers(s, &f.Code, &f.RIP, &f.Address)
	state.String(s, &f.Image, maxText)
	s.Bool(&f.Protected)
}
