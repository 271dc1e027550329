package processors

import "github.com/tacit-vm/tacit/snp/abi"

// Offsets in a VMSA (APM vol. 2, table B-4), and of what is in a segment register there.
const (
	vmsaES, vmsaCS, vmsaSS, vmsaDS, vmsaFS, vmsaGS = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
	vmsaGDTR, vmsaLDTR, vmsaIDTR, vmsaTR           = 0x60, 0x70, 0x80, 0x90

	vmsaEFER, vmsaCR4, vmsaCR3, vmsaCR0, vmsaDR7, vmsaDR6 = 0xD0, 0x148, 0x150, 0x158, 0x160, 0x168
	vmsaRFLAGS, vmsaRIP, vmsaRSP, vmsaPAT, vmsaRBX        = 0x170, 0x178, 0x1D8, 0x268, 0x318
	vmsaSEVFeatures, vmsaXCR0, vmsaMXCSR, vmsaFTW         = 0x3B0, 0x3E8, 0x408, 0x40C
	vmsaFCW                                               = 0x410

	segmentAttributes, segmentLimit, segmentBase = 2, 4, 8
)

// PutVMSA writes a VMSA for a processor that begins in 64-bit mode at VMPL0, into a page that is all zeros. EFER.SVME is set
// beside what s has, as VMRUN wants it. status is the guest's SEV_STATUS, which says what features its processors have.
func PutVMSA(page []byte, s Start, status uint64) {
	const (
		code, data, system = 0xA9B, 0xC93, 0x8B // attributes: descriptor bits 55:52 and 47:40
		lme, lma, svme     = 1 << 8, 1 << 10, 1 << 12
		pae, mce           = 1 << 5, 1 << 6
		cr0                = 0x8001_0033 // PG, WP, NE, ET, MP, PE
		pat                = 0x0007_0406_0007_0406
		fcw, ftw, mxcsr    = 0x37F, 0xFFFF, 0x1F80
		statusToFeatures   = 2 // SEV_FEATURES is SEV_STATUS without its lowest bits
	)
	for _, at := range [...]int{vmsaES, vmsaSS, vmsaDS, vmsaFS, vmsaGS} {
		putSegment(page[at:], 0x10, data, 0xFFFF_FFFF)
	}
	putSegment(page[vmsaCS:], trampolineCode, code, 0xFFFF_FFFF)
	putSegment(page[vmsaTR:], 0, system, 0xFFFF)
	putSegment(page[vmsaLDTR:], 0, 0x82, 0xFFFF)
	put32(page[vmsaGDTR+segmentLimit:], 0xFFFF)
	put32(page[vmsaIDTR+segmentLimit:], 0xFFFF)
	put64(page[vmsaEFER:], s.EFER|lme|lma|svme)
	put64(page[vmsaCR4:], pae|mce)
	put64(page[vmsaCR3:], s.CR3)
	put64(page[vmsaCR0:], cr0)
	put64(page[vmsaDR7:], 0x400)
	put64(page[vmsaDR6:], 0xFFFF_0FF0)
	put64(page[vmsaRFLAGS:], 2)
	put64(page[vmsaRIP:], s.Entry)
	put64(page[vmsaRSP:], s.Stack)
	put64(page[vmsaRBX:], s.RBX)
	put64(page[vmsaPAT:], pat)
	put64(page[vmsaSEVFeatures:], status>>statusToFeatures)
	put64(page[vmsaXCR0:], 1)
	put32(page[vmsaMXCSR:], mxcsr)
	put16(page[vmsaFTW:], ftw)
	put16(page[vmsaFCW:], fcw)
}

func putSegment(b []byte, selector, attributes uint16, limit uint32) {
	put16(b, selector)
	put16(b[segmentAttributes:], attributes)
	put32(b[segmentLimit:], limit)
}

// CreateAP are the operands of the exit that has the host run a processor from a VMSA (GHCB specification, SNP AP Creation,
// [abi.EventAPCreation]): SW_EXITINFO1 for an APIC ID. SW_EXITINFO2 is the VMSA's guest-physical address, which is no
// multiple of 2 MiB, and RAX its SEV_FEATURES.
func CreateAP(id uint32, status uint64) (info1, rax uint64) {
	return uint64(id)<<abi.APID | abi.APCreate, status >> 2
}
