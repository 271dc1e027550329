//go:build linux && amd64

package kernel

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is what an SEV-SNP guest needs beyond the driver: a GHCB, and #VC.

// meetSNP prepares the driver and finds the CPUID page, by what CPUID says of memory encryption in EBX.
func (k *kernel) meetSNP(ebx uint32) {
	k.kind = onSNP
	d := &k.first.drivers.snp
	d.Instructions = snp.Processor{}
	d.DirectMap = directMap
	d.EvictCaches = ebx&abi.CPUIDCoherencySFWNo == 0
	k.limit = 1 << (ebx & abi.CPUIDCBit)
	if k.encrypted != k.limit {
		k.refuse(errEncryption)
	}
	blob := k.configurationTable(&uefi.CCBlobGUID)
	if blob == 0 || *at(blob)&0xFFFF_FFFF != abi.CCBlobMagic {
		k.refuse(errNoBlob)
	}
	k.cpuidPage = *at(blob + abi.CCBlobCPUID)
	k.use(accept.Range{Start: k.cpuidPage, End: k.cpuidPage + pageSize})
}

// protocol is the version of the GHCB's that is spoken, the first for SEV-SNP.
const protocol = 2

// openGHCB makes the processor's GHCB: a page that is shared with the host, mapped without C-bit where nothing else is. The host has
// to know the protocol, which it says here, and nothing that it says of encryption is believed.
func (k *kernel) openGHCB(p *processor) {
	d := &p.drivers.snp
	info := snp.Request(d.Instructions, uint64(abi.CodeSEVInfoRequest))
	if info&abi.CodeMask != uint64(abi.CodeSEVInfo) || info>>abi.SEVInfoMin&0xFFFF > protocol || info>>abi.SEVInfoMax < protocol {
		k.fatal(errProtocol)
	}
	pa, ok := k.takeArena(pageSize)
	va := sharedPages + p.index*pageSize
	if !ok || !k.tables.mapRange(va, pa, pageSize, size4K, writable|k.noExecute) {
		k.fatal(errNoTables)
	}
	if err := d.MakeShared(accept.Range{Start: pa, End: pa + pageSize}); err != nil {
		k.fatal(err)
	}
	zero(va, pageSize)
	d.GHCB = snp.GHCB{Page: (*[abi.GHCBSize]byte)(pointer(va)), GPA: pa}
	if err := d.RegisterGHCB(); err != nil {
		k.fatal(err)
	}
}

// serveVC serves #VC: CPUID, from the page that the secure processor has checked (APM vol. 2, 15.36.13). What is not in
// there is zeros. The exit code is the exception's error code.
//
// A host can raise any exception at any instruction (without restricted injection, APM vol. 2, 15.36.15). One that claims
// CPUID where there is none would change registers of its choice of moment, so the instruction is looked at, as Linux
// does (vc_check_opcode_bytes).
func (k *kernel) serveVC(f *frame) bool {
	if abi.ExitCode(f.code) != abi.ExitCPUID || !isCPUID(f.ip) {
		return false
	}
	leaf, subleaf := uint32(f.ax), uint32(f.cx)
	f.ax, f.bx, f.cx, f.dx = 0, 0, 0, 0
	page := directMap + k.cpuidPage
	for i := range min(*at(page + abi.CPUIDPageCount)&0xFFFF_FFFF, abi.CPUIDPageMax) {
		entry := page + abi.CPUIDPageEntries + i*abi.CPUIDPageEntrySize
		if in := *at(entry); uint32(in) == leaf && (uint32(in>>32) == subleaf || !hasSubleaves(leaf)) {
			axbx, cxdx := *at(entry + abi.CPUIDEntryEAX), *at(entry + abi.CPUIDEntryEAX + 8)
			f.ax, f.bx, f.cx, f.dx = axbx&0xFFFF_FFFF, axbx>>32, cxdx&0xFFFF_FFFF, cxdx>>32
			break
		}
	}
	const length = 2 // 0F A2
	f.ip += length
	return true
}

// isCPUID says whether the program's or the kernel's code has the instruction at an address.
func isCPUID(ip uint64) bool {
	return (ip >= linkBase && ip < textEnd-1 || k.embedded() && k.reach(ip, 2, canRun)) && *(*[2]byte)(pointer(ip)) == [2]byte{0x0F, 0xA2}
}

// hasSubleaves says whether ECX matters for a leaf.
func hasSubleaves(leaf uint32) bool {
	switch leaf {
	case 0x4, 0x7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1E, 0x1F, 0x20, 0x23, 0x8000_001D, 0x8000_0020, 0x8000_0026:
		return true
	}
	return false
}
