package snp

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A message is what is kept of one that the guest has sent the secure processor.
type message struct {
	some   bool
	number uint64
	sum    [sha256.Size]byte // of header and payload
}

// guestRequest is a message to the secure processor, of which there is none: its answer is SEV_RET_UNSUPPORTED (Linux,
// include/uapi/linux/psp-sev.h). Linux's sev-guest driver returns EIO for it, tells the code, and asks no more.
func guestRequest(p *Platform, _ *x86.CPU, q *request) (reply, error) {
	const unsupported = 21
	if (q.info1|q.info2)%mem.PageSize != 0 || q.info1 == q.info2 {
		return malformed(abi.MissingInput), nil
	}
	p.readMessage(q.info1)
	return success(unsupported), nil
}

// readMessage looks whether a message has a number of its own. The cipher is a stream cipher (AES-GCM), and the number the only
// thing that differs from one message to the next: of two under one number the host learns what they differ in, and can forge
// (Linux 47894e0fa6a5, "Prevent IV reuse in the SNP guest driver"). The same message may be sent again.
func (p *Platform) readMessage(gpa uint64) {
	var page [mem.PageSize]byte
	if p.readShared(gpa, page[:]) != nil || page[abi.MessageKey] >= abi.MessageKeys {
		return
	}
	size := min(abi.MessageHeader+int(binary.LittleEndian.Uint16(page[abi.MessagePayloadSize:])), len(page))
	is := message{true, binary.LittleEndian.Uint64(page[abi.MessageNumber:]), sha256.Sum256(page[:size])}
	last := &p.messages[page[abi.MessageKey]]
	if last.some && is.number <= last.number {
		if is != *last {
			p.log.NumberAgain()
		}
		return
	}
	*last = is
}
