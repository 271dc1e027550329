//go:build linux && amd64

package kernel

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

// boot takes the machine over from firmware and starts the program. It is called once, on the boot processor, with the
// program mapped where it is linked and firmware's boot services still there.
//
//lint:ignore U1000 entry_amd64.s calls it
func boot() {
	p := &k.first
	k.cpus[0] = p
	k.meetFirmware()
	k.loadOptions()
	k.identify()
	k.calibrate()
	k.readClock()
	buffer := k.prepareExit()
	k.leaveFirmware(buffer)
	k.ownPageTables()
	k.ownProcessor(p)
	k.ownMemory(p)
	if k.embedded() || k.start.n > 1 {
		k.openTimer()
	}
	if k.timer.perMS != 0 {
		k.startProcessors()
	}
	k.startProgram(p)
}

// meetFirmware notes what the first instructions have found out.
func (k *kernel) meetFirmware() {
	k.systemTable = contact.systemTable
	k.boot = bootServices{contact.handle, *at(contact.systemTable + uefi.SystemTableBootServices)}
	k.encrypted = contact.encrypted
	k.arena, k.arenaEnd = contact.next, contact.arena+arenaSize
	k.tables.encrypted = contact.encrypted
	k.tables.take = takeTable
	k.firmware = k.tables
	k.use(accept.Range{Start: contact.imageBase, End: contact.imageBase + endLinked - linkBase})
	k.use(accept.Range{Start: contact.arena, End: contact.arena + arenaSize})
	k.findPayload()
	root := contact.firmwareCR3 & addressMask &^ contact.encrypted
	k.use(accept.Range{Start: root, End: root + pageSize})
}

// use notes memory that the kernel has in use, which no memory map may call unaccepted, and which is not free.
func (k *kernel) use(r accept.Range) {
	k.inUse[k.inUseN] = r
	k.inUseN++
}

// takeArena takes n bytes, a multiple of the page size, of what is left of the arena, and clears them.
func (k *kernel) takeArena(n uint64) (pa uint64, ok bool) {
	if n > k.arenaEnd-k.arena {
		return 0, false
	}
	pa = k.arena
	k.arena += n
	zero(directMap+pa, n)
	return pa, true
}

// bytes is memory in the direct map.
func bytesAt(pa, n uint64) []byte {
	return unsafe.Slice((*byte)(pointer(directMap+pa)), n)
}

// prepareExit makes all that firmware has to be asked for while it still answers: room for the memory map, the table of
// unaccepted memory, memory for page tables. It returns the buffer for the final map.
func (k *kernel) prepareExit() []byte {
	room, err := negotiate.Room(&k.boot)
	if err != nil {
		k.refuse(err)
	}
	pa, ok := k.takeArena(up(room))
	if !ok {
		k.refuse(errMapSize)
	}
	buffer := bytesAt(pa, up(room))
	info, status := k.boot.GetMemoryMap(buffer)
	if status != uefi.Success {
		k.refuse(negotiate.ErrNoMap)
	}
	if err := k.memoryMap.Check(buffer, info, k.bounds()); err != nil {
		k.refuse(err)
	}

	k.findProcessors()
	if !k.bigPages {
		// A page of tables for each GiB of the direct map, and a few.
		n := k.top()/size1G + 16
		pa, status := k.boot.allocatePages(uefi.LoaderData, n)
		if status != uefi.Success {
			k.refuse(errNoTables)
		}
		k.use(accept.Range{Start: pa, End: pa + n*pageSize})
		k.moreTables = accept.Range{Start: pa, End: pa + n*pageSize}
	}
	if k.acceptance == acceptUnknown {
		return buffer
	}
	k.table = k.configurationTable(&uefi.LinuxUnacceptedMemTableGUID)
	if k.memory.tookOver = k.table != 0; k.memory.tookOver {
		k.keepTable()
	}
	if header := k.memoryMap.Header(); k.table == 0 && header.Size != 0 {
		n := up(accept.HeaderSize + header.Size)
		pa, status := k.boot.allocatePages(uefi.ACPIReclaimMemory, n/pageSize)
		if status != uefi.Success {
			k.refuse(errNoTable)
		}
		zero(directMap+pa, n)
		header.Put(bytesAt(pa, n))
		if status := k.boot.install(&uefi.LinuxUnacceptedMemTableGUID, pa); status != uefi.Success {
			k.refuse(errNoTable)
		}
		k.table, k.tableMemory = pa, accept.Range{Start: pa, End: pa + n}
		k.use(k.tableMemory)
	}

	k.answer = negotiate.Announce(&k.boot)
	return buffer
}

// keepTable has the memory of a table that was there before in use, of whatever type it is: who installs one may leave it
// in memory that is free after ExitBootServices (UEFI 2.10, section 7.5.6, leaves the type open), and an allocator that
// hands out its own bitmap is lost. Where that cannot be, no memory is kept, which openTable finds wrong.
func (k *kernel) keepTable() {
	r := accept.Range{Start: k.table, End: k.table + accept.HeaderSize}
	if k.table >= k.limit || !k.memoryMap.Readable(r) {
		return
	}
	if header, ok := accept.ReadHeader(bytesAt(k.table, accept.HeaderSize)); ok {
		r.End += header.Size
	}
	for _, used := range k.inUse[:k.inUseN] {
		if !used.Intersect(r).Empty() {
			return
		}
	}
	k.tableMemory = r
	k.use(r)
}

// top returns where the highest memory ends.
func (k *kernel) top() (top uint64) {
	for d := range k.memoryMap.All() {
		if d.Type != uefi.ReservedMemoryType && d.Type != uefi.MemoryMappedIO && d.Type != uefi.MemoryMappedIOPortSpace {
			top = max(top, d.End())
		}
	}
	return top
}

// leaveFirmware is ExitBootServices. After it there is no firmware to return to.
func (k *kernel) leaveFirmware(buffer []byte) {
	var err error
	if k.exit, err = negotiate.Leave(&k.boot, buffer); err != nil {
		k.refuse(err)
	}
	cli() // boot services switch interrupts on as they like, and their handlers are about to be gone
	k.left = true
	if k.kind != onSNP { // which needs a GHCB for port I/O
		k.openPorts()
	}
	// That can wait until it can be said.
	k.broken = k.memoryMap.Check(buffer, k.exit.Map, k.bounds())
}

func (k *kernel) bounds() negotiate.Bounds {
	// What the direct map cannot reach would have to be left out of everything: firmware's word for it is not worth that.
	return negotiate.Bounds{Limit: min(k.limit, sharedPages-directMap), InUse: k.inUse[:k.inUseN]}
}

// ownPageTables replaces firmware's page tables.
func (k *kernel) ownPageTables() {
	root, ok := k.takeArena(2 * pageSize)
	if !ok {
		k.fatal(errNoTables)
	}
	t := &k.tables
	t.root, k.firmware.root = root, root+pageSize
	who := uint64(user)
	if k.embedded() {
		who = 0 // the program is another
	}
	most := uint64(size2M)
	if k.bigPages {
		most = size1G
	}
	top := (max(k.top(), 1<<32) + size1G - 1) &^ (size1G - 1)
	data := k.encrypted | k.noExecute | writable
	ok = t.mapRange(directMap, 0, top, most, data)
	for _, s := range [...]struct{ start, end, bits uint64 }{
		{linkBase, textEnd, k.encrypted | who},
		{up(textEnd), dataStart, k.encrypted | who | k.noExecute},
		{dataStart &^ pageMask, endLinked, data | who},
	} {
		ok = ok && t.mapRange(s.start, contact.imageBase+s.start-linkBase, up(s.end)-s.start, size4K, s.bits)
	}
	for d := range k.memoryMap.All() {
		if d.Attribute&uefi.MemoryRuntime == 0 || d.End() > linkBase {
			continue
		}
		bits := k.encrypted | writable
		if d.Type == uefi.MemoryMappedIO {
			bits = writable
		}
		ok = ok && k.firmware.mapRange(d.PhysicalStart, d.PhysicalStart, d.End()-d.PhysicalStart, size2M, bits)
	}
	if !ok {
		k.fatal(errNoTables)
	}
	writeCR3(t.root | k.encrypted)
}

// Where the linker has put things (entry_amd64.s).
var textEnd, dataStart uint64

// ownProcessor replaces firmware's descriptor tables. Now everything can be said, also what was wrong with the map.
func (k *kernel) ownProcessor(p *processor) {
	stacks, ok := k.takeArena(processorStacks)
	if !ok {
		k.fatal(errNoTables)
	}
	p.prepare(&k.idt, directMap+stacks)
	p.load(&k.idt)
	k.loaded = true
	if k.kind == onSNP {
		k.openGHCB(p)
		k.openPorts()
	}
	if k.broken != nil {
		k.fatal(k.broken)
	}
}

// takeTable takes a page for page tables: from the arena until there is an allocator.
func takeTable() (pa uint64, ok bool) {
	if k.memory.allocating {
		return k.takeMemory(processorHere(), order4K)
	}
	if !k.moreTables.Empty() {
		pa = k.moreTables.Start
		k.moreTables.Start += pageSize
		return pa, true
	}
	return k.takeArena(pageSize)
}
