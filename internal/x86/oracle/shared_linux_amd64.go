package oracle

import "unsafe"

// The memory that parent and child share: a few words, the pages of the windows, and the records of a batch of cases.
// The runner's assembly has these constants from here.
const (
	sharedBase         = 0x25_AC3D_0000 // in the child
	sharedCurrent      = 8              // address of the record under way, 0 before the first
	sharedEnd          = 16             // address after the batch's last record
	sharedSegmentBases = 24             // not 0 where user code may use RDFSBASE and its kin
	sharedArena        = pageSize
	sharedCode         = sharedArena + arenaSize
	sharedRecords      = sharedCode + (codePages+1)*pageSize // one page of slack: code may be cut off by the window's end
	sharedSize         = sharedRecords + BatchSize*recordSize
)

// A record is a case on its way in and its outcome on the way out. The first part has the layout of Linux's struct
// sigcontext: R8–R15, DI, SI, BP, BX, DX, AX, CX, SP, IP, flags, selectors, error code, trap number, signal mask, CR2.
// Of these the first 18 words are loaded, all are stored.
const (
	recordLoaded   = 18 * 8
	recordStored   = 23 * 8
	recordCodeAddr = 184 // where the child writes the code
	recordFSBase   = 192
	recordGSBase   = 200
	recordFX       = 256 // the FXSAVE image without its reserved end
	recordCode     = 768
	recordArena    = 1024
	recordSize     = recordArena + arenaSize
)

// Words of the first part.
const (
	wordIP    = 16
	wordFlags = 17
	wordError = 19
	wordTrap  = 20
	wordCR2   = 22
)

// sigcontextOrder lists the register numbers in the order of struct sigcontext.
var sigcontextOrder = [16]int{8, 9, 10, 11, 12, 13, 14, 15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp}

// A record is recordSize bytes of the shared memory.
type record []byte

func (r record) word(i int) *uint64 { return (*uint64)(unsafe.Pointer(&r[8*i])) }

// load writes the case into the record.
func (r record) load(c *Case) {
	for i, n := range sigcontextOrder {
		*r.word(i) = c.In.GPR[n]
	}
	*r.word(wordIP), *r.word(wordFlags) = c.In.RIP, c.In.Flags
	*r.word(recordCodeAddr / 8) = sharedBase + sharedCode + c.In.RIP - codeBase
	c.In.storeFX(r[recordFX : recordFX+fxBytes])
	code := r[recordCode : recordCode+codeBytes]
	for i := copy(code, c.Code); i < codeBytes; i++ {
		code[i] = 0xCC
	}
	c.arena(r[recordArena : recordArena+arenaSize])
}

// outcome reads how the case ended.
func (r record) outcome(o *Outcome) {
	for i, n := range sigcontextOrder {
		o.GPR[n] = *r.word(i)
	}
	o.RIP, o.Flags = *r.word(wordIP), *r.word(wordFlags)
	o.Vector, o.Code, o.CR2 = uint8(*r.word(wordTrap)), uint32(*r.word(wordError)), *r.word(wordCR2)
	o.FSBase, o.GSBase = *r.word(recordFSBase / 8), *r.word(recordGSBase / 8)
	o.loadFX(r[recordFX : recordFX+fxBytes])
	o.Arena = r[recordArena : recordArena+arenaSize]
	o.Err = nil
}
