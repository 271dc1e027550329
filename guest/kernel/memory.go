//go:build linux && amd64

package kernel

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/alloc"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

// memory is what the kernel does with the memory that firmware has left: a bitmap for what is unaccepted, which lies in
// the table that all systems share, and an allocator on it.
type memory struct {
	tracker    accept.Tracker
	claims     [maxProcessors]accept.Range
	lock       spinLock
	allocator  alloc.Allocator
	allocating bool // the allocator is ready

	reserve uint64 // bytes of accepted memory that the allocator keeps for the next who needs some, at most

	ram []accept.Range // what the allocator has

	total      uint64 // bytes, accepted or not, by the final map
	unaccepted uint64 // of them
	upFront    uint64 // of these, what no bit can stand for, and was accepted at once
	tookOver   bool   // the table was there before

	// Units of the bitmap of which a page was ever handed out: a bit each, in memory beside the allocator's books.
	handedOut []uint64
	touched   uint64 // how many they are
}

// ownMemory makes an allocator of what the memory map says is free, and accepts what has to be accepted at once.
func (k *kernel) ownMemory(p *processor) {
	m := &k.memory
	for d := range k.memoryMap.All() {
		// To a system that has never heard of unaccepted memory that is no memory.
		if isMemory(d) && (d.Type != uefi.UnacceptedMemory || k.acceptance != acceptUnknown) {
			m.total += d.End() - d.PhysicalStart
		}
	}
	if k.acceptance != acceptUnknown {
		k.openTable(p)
	}
	k.listRAM()
	if k.acceptance != acceptUnknown {
		for r := range k.memoryMap.Unaccepted() {
			m.unaccepted += r.Len()
		}
	}
	if k.acceptance == acceptEagerly {
		if err := m.tracker.Accept(m.tracker.Bitmap.Span(), p.driver()); err != nil {
			k.fatal(err)
		}
	}
	books, touched := k.carveBooks(p)
	m.handedOut = touched
	// Enough that a program seldom waits, and little beside what it uses.
	m.reserve = max(16<<20, m.total/128)
	err := m.allocator.Init(alloc.Config{RAM: m.ram, Books: books, Tracker: &m.tracker, High: m.reserve})
	if err != nil {
		k.fatal(err)
	}
	m.allocating = true
}

// listRAM lists the memory that the allocator gets, in as much memory as that takes, whatever the map is like.
func (k *kernel) listRAM() {
	n := uint64(0)
	k.eachRAM(func(accept.Range) { n++ })
	pa, ok := k.takeArena(up(n * uint64(unsafe.Sizeof(accept.Range{}))))
	if !ok {
		k.fatal(errMapSize)
	}
	ram := unsafe.Slice((*accept.Range)(pointer(directMap+pa)), n)
	n = 0
	k.eachRAM(func(r accept.Range) {
		ram[n] = r
		n++
	})
	k.memory.ram = ram
}

// eachRAM yields what the map has for the allocator: what is free, and, to a system that knows it, what is unaccepted.
func (k *kernel) eachRAM(yield func(accept.Range)) {
	const low = 1 << 20 // left to those who start processors
	add := func(r accept.Range) {
		if r.Start = max(r.Start, low); !r.Empty() {
			yield(r)
		}
	}
	for r := range k.memoryMap.Free() {
		add(r)
	}
	if k.acceptance == acceptUnknown {
		return
	}
	for r := range k.memoryMap.Unaccepted() {
		add(r)
	}
}

// openTable fills in the table of unaccepted memory, or takes over the one that is there.
func (k *kernel) openTable(p *processor) {
	m := &k.memory
	m.tracker.Lock, m.tracker.Claims = &m.lock, m.claims[:k.start.n]
	if k.table == 0 {
		// No table was needed when firmware was asked; what has come since is accepted at once.
		if err := k.memoryMap.Fill(accept.Bitmap{}, p.driver()); err != nil {
			k.fatal(err)
		}
		return
	}
	size := uint64(accept.HeaderSize)
	k.checkTablePlace(size)
	header, ok := accept.ReadHeader(bytesAt(k.table, size))
	if ok {
		size += header.Size
	}
	k.checkTablePlace(size)
	table := bytesAt(k.table, size)
	if m.tookOver {
		bitmap, err := k.memoryMap.TakeOver(table)
		if err != nil {
			k.fatal(err)
		}
		m.tracker.Bitmap = bitmap
		return
	}
	bitmap, ok := accept.ReadTable(table)
	if !ok {
		k.fatal(negotiate.ErrTableFormat)
	}
	if err := k.memoryMap.Fill(bitmap, p.driver()); err != nil {
		k.fatal(err)
	}
	m.tracker.Bitmap = bitmap
	for r := range k.memoryMap.Unaccepted() {
		m.upFront += r.Len()
	}
	m.upFront -= bitmap.Count(bitmap.Span()) * accept.UnitSize
}

// checkTablePlace ends the guest unless so many bytes of the table are accepted memory that is kept for it.
func (k *kernel) checkTablePlace(size uint64) {
	r := accept.Range{Start: k.table, End: k.table + size}
	if r.Empty() || !r.In(k.tableMemory) || !k.memoryMap.Readable(r) {
		k.fatal(errTablePlace)
	}
}

// carveBooks takes memory for the allocator's books and for a bit for each unit of the bitmap: from the end of the
// largest accepted range, or, where that is too small, from unaccepted memory, which is accepted for it.
func (k *kernel) carveBooks(p *processor) (books, touched []uint64) {
	m := &k.memory
	words := alloc.Words(m.ram)
	bits := (m.tracker.Bitmap.Span().Len()/accept.UnitSize + 63) / 64
	n := up(8 * (words + bits))
	best, bestAccepted := -1, false
	for i, r := range m.ram {
		accepted := !m.tracker.Bitmap.Any(r)
		if r.Len() < n || bestAccepted && !accepted {
			continue
		}
		if best < 0 || accepted && !bestAccepted || r.Len() > m.ram[best].Len() {
			best, bestAccepted = i, accepted
		}
	}
	if best < 0 {
		k.fatal(errNoMemory)
	}
	r := &m.ram[best]
	place := accept.Range{Start: (r.End - n) &^ pageMask, End: r.End}
	r.End = place.Start
	if err := m.tracker.Accept(accept.Guard(place), p.driver()); err != nil {
		k.fatal(err)
	}
	zero(directMap+place.Start, n)
	all := unsafe.Slice((*uint64)(pointer(directMap+place.Start)), words+bits)
	return all[:words], all[words:]
}

// takeMemory takes a block of the allocator. Page faults need its books, so it is called from those, too.
func (k *kernel) takeMemory(p *processor, order int) (pa uint64, ok bool) {
	if pa, ok = k.allocate(p, order); ok {
		k.note(pa)
	}
	return pa, ok
}

// allocate is takeMemory for those who do not have the kernel's lock: they note afterwards what they have taken.
func (k *kernel) allocate(p *processor, order int) (pa uint64, ok bool) {
	pa, err := k.memory.allocator.Alloc(order, p.driver())
	switch err {
	case nil:
	case alloc.ErrNoMemory:
		return 0, false
	default:
		k.fatal(err)
	}
	return pa, true
}

// note counts the units of which a page was ever handed out.
func (k *kernel) note(pa uint64) {
	m := &k.memory
	if span := m.tracker.Bitmap.Span(); pa >= span.Start && pa < span.End {
		unit := (pa - span.Start) / accept.UnitSize
		if bit := uint64(1) << (unit % 64); m.handedOut[unit/64]&bit == 0 {
			m.handedOut[unit/64] |= bit
			m.touched++
		}
	}
}

// giveMemory gives a block back.
func (k *kernel) giveMemory(pa uint64, order int) {
	if err := k.memory.allocator.Free(pa, order); err != nil {
		k.fatal(err)
	}
}

// idle uses a processor's time to accept memory ahead of use, and says whether there is more to do.
func (k *kernel) idle(p *processor) bool {
	more, err := k.memory.allocator.Background(p.driver())
	if err != nil {
		k.fatal(err)
	}
	return more
}

func (k *kernel) readMemory(to *Memory) {
	m := &k.memory
	i := m.allocator.Meminfo()
	*to = Memory{
		Total: i.Total, Used: i.Used, FreeAccepted: i.FreeAccepted + i.Held, FreeUnaccepted: i.FreeUnaccepted,
		Unaccepted: m.tracker.Unaccepted(m.tracker.Bitmap.Span()), Touched: m.touched * accept.UnitSize, Reserve: m.reserve,
		ByWaiting: i.ByWaiters, ByBackground: i.ByBackground,
		Faults: k.faults, SystemCalls: k.syscalls,
	}
}
