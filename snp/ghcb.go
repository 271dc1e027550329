package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/mem"
)

// The GHCB (GHCB, table 3; Linux, arch/x86/include/asm/svm.h, struct ghcb_save_area and struct ghcb).
const (
	ghcbSize = mem.PageSize

	offCPL      = 0xCB
	offRAX      = 0x1F8
	offRCX      = 0x308
	offRDX      = 0x310
	offRBX      = 0x318
	offRSI      = 0x330
	offExitCode = 0x390
	offInfo1    = 0x398
	offInfo2    = 0x3A0
	offScratch  = 0x3A8
	offXCR0     = 0x3E8
	offValid    = 0x3F0 // a bit for each 8 bytes before it
	offBuffer   = 0x800 // the shared buffer
	offReserved = 0xFF0 // behind it
	offUsage    = 0xFFC
)

// A request is what a GHCB says, and what it will say.
type request struct {
	gpa   uint64
	page  [ghcbSize]byte // a copy: the guest's other processors may write to theirs
	valid [16]byte       // the bitmap as the guest left it

	code, info1, info2, scratch uint64
	rax, rbx, rcx, rdx, rsi     uint64 // 0 where the guest did not say
}

// read reads a GHCB. Nothing in it stays valid (KVM, sev_es_sync_from_ghcb).
func (q *request) read(p *Platform, gpa uint64) error {
	q.gpa = gpa
	if err := p.readShared(gpa, q.page[:]); err != nil {
		return err
	}
	copy(q.valid[:], q.page[offValid:])
	clear(q.page[offValid : offValid+len(q.valid)])
	q.code, q.info1, q.info2 = q.get(offExitCode), q.get(offInfo1), q.get(offInfo2)
	q.rax, q.rbx, q.rcx, q.rdx = q.ifValid(offRAX), q.ifValid(offRBX), q.ifValid(offRCX), q.ifValid(offRDX)
	q.rsi, q.scratch = q.ifValid(offRSI), q.ifValid(offScratch)
	return nil
}

func (q *request) get(at int) uint64 { return binary.LittleEndian.Uint64(q.page[at:]) }

func (q *request) ifValid(at int) uint64 {
	if q.has(at) {
		return q.get(at)
	}
	return 0
}

func (q *request) usage() uint32 { return binary.LittleEndian.Uint32(q.page[offUsage:]) }

// has says whether the guest has marked fields as valid.
func (q *request) has(fields ...int) bool {
	for _, at := range fields {
		if bit := at / 8; q.valid[bit/8]>>(bit%8)&1 == 0 {
			return false
		}
	}
	return true
}

// set stores a field and marks it as valid.
func (q *request) set(at int, v uint64) {
	binary.LittleEndian.PutUint64(q.page[at:], v)
	bit := at / 8
	q.page[offValid+bit/8] |= 1 << (bit % 8)
}

// A reply is SW_EXITINFO1 and SW_EXITINFO2 as the host leaves them.
type reply struct{ info1, info2 uint64 }

// Values of SW_EXITINFO1[31:0] (GHCB, "Response to VMGEXIT"; Linux, GHCB_HV_RESP_*).
const (
	respNoAction       = 0
	respIssueException = 1
	respMalformedInput = 2
)

// Why input is malformed, in SW_EXITINFO2 (Linux, GHCB_ERR_*).
const (
	errInvalidUsage       = 2
	errInvalidScratchArea = 3
	errMissingInput       = 4
	errInvalidInput       = 5
	errInvalidEvent       = 6
)

// success answers with what an event returns.
func success(info2 uint64) reply { return reply{respNoAction, info2} }

// malformed answers what cannot be understood.
func malformed(why uint64) reply { return reply{respMalformedInput, why} }

// generalProtection asks the guest to take #GP: a valid event of the type exception, in the form of EVENTINJ (APM
// 15.20).
func generalProtection() reply {
	const valid, exception, gp = 1 << 31, 3 << 8, 13
	return reply{respIssueException, valid | exception | gp}
}

func (r reply) status() string {
	switch r.info1 {
	case respIssueException:
		return "EXCEPTION"
	case respMalformedInput:
		return [...]string{
			errInvalidUsage: "INVALID_USAGE", errInvalidScratchArea: "INVALID_SCRATCH_AREA", errMissingInput: "MISSING_INPUT",
			errInvalidInput: "INVALID_INPUT", errInvalidEvent: "INVALID_EVENT",
		}[r.info2]
	}
	return "SUCCESS"
}

// answer writes the reply and the registers that the protocol returns (KVM, sev_es_sync_to_ghcb).
func (q *request) answer(r reply) {
	q.set(offInfo1, r.info1)
	q.set(offInfo2, r.info2)
	q.set(offRAX, q.rax)
	q.set(offRBX, q.rbx)
	q.set(offRCX, q.rcx)
	q.set(offRDX, q.rdx)
}
