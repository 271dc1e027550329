package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A request is what a GHCB says, and what it will say.
type request struct {
	gpa   uint64
	page  [abi.GHCBSize]byte            // a copy: the guest's other processors may write to theirs
	valid [abi.GHCBValidBitmapSize]byte // the bitmap as the guest left it

	code                    abi.ExitCode
	info1, info2, scratch   uint64
	rax, rbx, rcx, rdx, rsi uint64 // 0 where the guest did not say
}

// read reads a GHCB. Nothing in it stays valid (KVM, sev_es_sync_from_ghcb).
func (q *request) read(p *Platform, gpa uint64) error {
	q.gpa = gpa
	if err := p.readShared(gpa, q.page[:]); err != nil {
		return err
	}
	copy(q.valid[:], q.page[abi.GHCBValidBitmap:])
	clear(q.page[abi.GHCBValidBitmap : abi.GHCBValidBitmap+len(q.valid)])
	q.code, q.info1, q.info2 = abi.ExitCode(q.get(abi.GHCBSWExitCode)), q.get(abi.GHCBSWExitInfo1), q.get(abi.GHCBSWExitInfo2)
	q.rax, q.rbx, q.rcx, q.rdx = q.ifValid(abi.GHCBRAX), q.ifValid(abi.GHCBRBX), q.ifValid(abi.GHCBRCX), q.ifValid(abi.GHCBRDX)
	q.rsi, q.scratch = q.ifValid(abi.GHCBRSI), q.ifValid(abi.GHCBSWScratch)
	return nil
}

func (q *request) get(at int) uint64 { return binary.LittleEndian.Uint64(q.page[at:]) }

func (q *request) ifValid(at int) uint64 {
	if q.has(at) {
		return q.get(at)
	}
	return 0
}

func (q *request) usage() uint32 { return binary.LittleEndian.Uint32(q.page[abi.GHCBUsage:]) }

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
	q.page[abi.GHCBValidBitmap+bit/8] |= 1 << (bit % 8)
}

// A reply is SW_EXITINFO1 and SW_EXITINFO2 as the host leaves them.
type reply struct{ info1, info2 uint64 }

// success answers with what an event returns.
func success(info2 uint64) reply { return reply{uint64(abi.NoAction), info2} }

// malformed answers what cannot be understood.
func malformed(why abi.InputError) reply { return reply{uint64(abi.MalformedInput), uint64(why)} }

// generalProtection asks the guest to take #GP: a valid event of the type exception, in the form of EVENTINJ (APM
// 15.20).
func generalProtection() reply {
	return reply{uint64(abi.IssueException), abi.EventInjectionValid | abi.EventInjectionException | x86.VectorGP}
}

func (r reply) status() string {
	switch abi.Response(r.info1) {
	case abi.IssueException:
		return "EXCEPTION"
	case abi.MalformedInput:
		return abi.InputError(r.info2).String()
	}
	return "SUCCESS"
}

// answer writes the reply and the registers that the protocol returns (KVM, sev_es_sync_to_ghcb).
func (q *request) answer(r reply) {
	q.set(abi.GHCBSWExitInfo1, r.info1)
	q.set(abi.GHCBSWExitInfo2, r.info2)
	q.set(abi.GHCBRAX, q.rax)
	q.set(abi.GHCBRBX, q.rbx)
	q.set(abi.GHCBRCX, q.rcx)
	q.set(abi.GHCBRDX, q.rdx)
}
