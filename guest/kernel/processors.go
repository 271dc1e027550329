//go:build linux && amd64

package kernel

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/guest/processors"
	snpabi "github.com/tacit-vm/tacit/snp/abi"
	"github.com/tacit-vm/tacit/uefi"
)

// The processors other than the first are started one after another, before the program is. One that does not come within a
// while is given up, and those after it are not asked for.

// maxProcessors is how many processors there can be.
const maxProcessors = 256

// A start is what the kernel knows of processors that are to be started.
type start struct {
	madt       []byte
	mailbox    uint64 // guest-physical; 0 where there is none
	own        uint32 // APIC ID of the first processor
	n          uint64 // how many there are, by the MADT
	trampoline uint64 // guest-physical: the code, and after it a page for the highest page table; 0 where there is none
}

// findProcessors reads the MADT, and takes memory for the code that processors begin in, while firmware answers. Where
// something is missing there is one processor.
func (k *kernel) findProcessors() {
	s := &k.start
	s.n = 1
	rsdp := k.configurationTable(&uefi.ACPI20TableGUID)
	if s.madt = processors.MADT(firmwareMemory, rsdp); s.madt == nil {
		return
	}
	_, ebx, _, _ := cpuid(1, 0)
	s.own = ebx >> 24
	n := uint64(0)
	found := false
	for id := range processors.IDs(s.madt) {
		found = found || id == s.own
		n++
	}
	if !found || n < 2 {
		return
	}
	if k.kind == onTDX {
		if s.mailbox = processors.Mailbox(s.madt); s.mailbox%pageSize != 0 || !k.isReadable(s.mailbox, pageSize) {
			return
		}
	}
	if k.kind != onSNP {
		const pages, below = 2, 1<<20 - 1
		pa, status := k.boot.allocatePagesBelow(below, uefi.LoaderData, pages)
		if status != uefi.Success {
			return
		}
		s.trampoline = pa
		k.use(accept.Range{Start: pa, End: pa + pages*pageSize})
	}
	s.n = min(n, maxProcessors)
}

// firmwareMemory is memory that firmware's map has as accepted, in the direct map.
func firmwareMemory(gpa, n uint64) []byte {
	if !k.isReadable(gpa, n) {
		return nil
	}
	return bytesAt(gpa, n)
}

func (k *kernel) isReadable(gpa, n uint64) bool {
	r := accept.Range{Start: gpa, End: gpa + n}
	return gpa != 0 && r.End > gpa && r.End <= k.limit && k.memoryMap.Readable(r)
}

// A room is the memory of a processor other than the first, from its beginning on.
const (
	roomOrder     = 6 // 256 KiB
	roomProcessor = processorStacks
	roomVMSA      = pageSize<<roomOrder - 2*pageSize
	roomGHCB      = roomVMSA + pageSize
)

const _ = uint64(roomVMSA - roomProcessor - unsafe.Sizeof(processor{})) // a processor fits in

// startProcessors starts the others, and has them wait for the program.
func (k *kernel) startProcessors() {
	s := &k.start
	if s.n == 1 {
		return
	}
	root := k.tables.root
	if s.trampoline != 0 {
		if !k.firmware.mapRange(s.trampoline, s.trampoline, pageSize, size4K, k.encrypted) {
			k.fatal(errNoTables)
		}
		root = s.trampoline + pageSize
		for i := range uint64(512) {
			from := k.firmware.root
			if i >= linkBase>>39 {
				from = k.tables.root
			}
			*at(directMap + root + 8*i) = *at(directMap + from + 8*i)
		}
	}
	for id := range processors.IDs(s.madt) {
		if k.online == s.n {
			return
		}
		if id != s.own && !k.startProcessor(id, root|k.encrypted) {
			return
		}
	}
}

// startProcessor starts one, and waits until it is there.
func (k *kernel) startProcessor(id uint32, cr3 uint64) bool {
	first := k.cpus[0]
	room, ok := k.takeMemory(first, roomOrder)
	if !ok {
		return false
	}
	va := directMap + room
	zero(va, pageSize<<roomOrder)
	p := (*processor)(pointer(va + roomProcessor))
	k.cpus[k.online] = p
	p.index, p.id, p.running = k.online, id, noThread
	p.drivers.prepareLike(&first.drivers)
	p.prepare(&k.idt, va)
	if k.kind == onSNP {
		k.shareGHCB(first, p, room+roomGHCB)
	}
	const syscalls, noExecute = 1 << 0, 1 << 11
	begin := processors.Start{CR3: cr3, Entry: startedAddress(), Stack: p.stack, RBX: p.self, EFER: syscalls}
	if k.noExecute != 0 {
		begin.EFER |= noExecute
	}
	switch k.kind {
	case onTDX:
		processors.PutTrampoline(bytesAt(k.start.trampoline, pageSize), k.start.trampoline, begin)
		mailbox := bytesAt(k.start.mailbox, pageSize)
		processors.WakeUp(mailbox, id, k.start.trampoline+processors.LongEntry)
	case onSNP:
		if !k.createAP(first, room+roomVMSA, id, begin) {
			return false
		}
	default:
		processors.PutTrampoline(bytesAt(k.start.trampoline, pageSize), k.start.trampoline, begin)
		const initialise, startUp = 0x4500, 0x4600
		k.interrupt(id, initialise)
		k.interrupt(id, startUp|uint32(k.start.trampoline/pageSize))
	}
	const patience = 1_000_000_000 // nanoseconds
	for began := k.now(); k.now()-began < patience; pause() {
		if p.there.Load() != 0 {
			k.online++
			return true
		}
	}
	return false
}

// createAP asks the host of an SEV-SNP guest to run a processor.
func (k *kernel) createAP(by *processor, vmsa uint64, id uint32, begin processors.Start) bool {
	status := rdmsr(snpabi.MSRSEVStatus)
	page := bytesAt(vmsa, pageSize)
	processors.PutVMSA(page, begin, status)
	if !processors.MarkVMSA(directMap + vmsa) {
		return false
	}
	d := &by.drivers.snp
	info1, features := processors.CreateAP(id, status)
	d.GHCB.Clear()
	d.GHCB.Set(snpabi.GHCBRAX, features)
	return d.GHCB.Exit(d.Instructions, snpabi.EventAPCreation, info1, vmsa).OK()
}

// shareGHCB makes a page the GHCB of a processor that has not started. It registers the page itself.
func (k *kernel) shareGHCB(by, p *processor, pa uint64) {
	va := sharedPages + p.index*pageSize
	if !k.tables.mapRange(va, pa, pageSize, size4K, writable|k.noExecute) {
		k.fatal(errNoTables)
	}
	if err := by.drivers.snp.MakeShared(accept.Range{Start: pa, End: pa + pageSize}); err != nil {
		k.fatal(err)
	}
	zero(va, pageSize)
	p.drivers.snp.GHCB = snp.GHCB{Page: (*[snpabi.GHCBSize]byte)(pointer(va)), GPA: pa}
}

// arrive is where a processor other than the first goes on, on its own stack and with the kernel's g.
//
//lint:ignore U1000 entry_amd64.s calls it
func arrive(p *processor) {
	writeCR3(k.tables.root | k.encrypted)
	p.load(&k.idt)
	if k.kind == onSNP {
		if err := p.drivers.snp.RegisterGHCB(); err != nil {
			k.fatal(err)
		}
	}
	k.openAPIC()
	p.there.Store(1)
	for k.begun.Load() == 0 {
		pause()
	}
	k.startTicks()
	k.acquire(p)
	k.dispatch(p)
	k.leave(p)
	k.goBack(p)
	_, _, _, resume, _ := addressOf()
	jump(p.stack, resume)
}
