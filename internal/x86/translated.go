package x86

import (
	"cmp"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86/codemem"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// machineCode is what a block has of machine code.
type machineCode struct {
	code   uintptr // address of its head, or of what says that there is none
	resume []int32 // by micro-operation: offset at which the code can be entered in front of it; 0 for none
	unled  []int32 // by link: offset of where it leads as long as there is nothing better
	runs   uint32  // how often it is still to be interpreted before it is translated; 0 if it never will be, or has been
	links  int     // number of its first link
}

// A generator makes machine code for the host. What it returns is valid until it makes more.
type generator interface {
	// NoCode returns the code that blocks without code of their own have.
	NoCode() []byte
	// Translate makes code of a block of at most hostcode.MaxUops micro-operations and 127 instructions.
	Translate(*hostcode.Block, hostcode.Place) hostcode.Code
}

// translated is the machine code of a memory's blocks. It has a fixed amount of memory: links first, 8 bytes each, then
// code. When that is full, all of it is thrown away and blocks become hot again.
type translated struct {
	memory *codemem.Memory
	gen    generator
	hot    uint32
	noCode uintptr

	blocks []*block // by their numbers
	room   int      // for so many links
	begin  int      // where code begins
	code   int      // where the next block's code goes
	links  int      // links in use
	resets int      // how often all code has been thrown away
}

// interpretedFor is how many micro-operations the interpreter does in the time that it takes to enter code and to leave it. A
// block that leaves more often than that is interpreted, unless all are to be translated, as tests want it.
const interpretedFor = 8

// linkShare is the part of the memory that is for links, or a little more.
const linkShare = 16

// newTranslated returns room for the machine code that goes with decoded code: a quarter of most bytes, which both may
// take. A whole boot of a kernel takes a tenth of what a machine has that nothing else is said of.
func newTranslated(most int) (*translated, error) {
	const page = codemem.Page
	size := min(max(most/4&^(page-1), 4*page), codemem.Max)
	links := (size/linkShare + page - 1) &^ (page - 1)
	m, err := codemem.New(size, links)
	if err != nil {
		return nil, err
	}
	t := &translated{memory: m, gen: newGenerator(), room: links / 8, begin: links}
	none := t.gen.NoCode()
	t.noCode = m.Address(t.begin)
	if err := m.Write(t.begin, none); err != nil {
		return nil, err
	}
	t.begin = align(t.begin + len(none))
	t.code = t.begin
	return t, nil
}

func (t *translated) close() error {
	if t == nil {
		return nil
	}
	return t.memory.Close()
}

// align returns where the next code may begin.
func align(n int) int { return (n + 31) &^ 31 }

func (t *translated) hotAfter(n int) { t.hot = uint32(cmp.Or(n, DefaultHotAfter)) }

// admit makes b one that is translated when it has run often enough. Those that a debugger looks into are not.
func (t *translated) admit(b *block) {
	if t == nil {
		return
	}
	b.made = machineCode{code: t.noCode}
	if len(b.uops) > hostcode.MaxUops {
		return
	}
	for i := range b.uops {
		if b.uops[i].Op == uop.Stop {
			return
		}
	}
	b.made.runs = t.hot
}

// reset throws all code away. Blocks that had some are translated again when they have run often again.
func (t *translated) reset() {
	if t == nil {
		return
	}
	for _, b := range t.blocks {
		if b.valid {
			b.made = machineCode{code: t.noCode, runs: t.hot}
		}
	}
	clear(t.blocks)
	t.resets++
	t.blocks, t.code, t.links = t.blocks[:0], t.begin, 0
}

// has says whether b has code.
func (t *translated) has(b *block) bool { return b.made.code != t.noCode && b.made.code != 0 }

// translate makes code of b, and throws all other away if there is no room.
func (t *translated) translate(b *block) error {
	for again := false; ; again = true {
		id := len(t.blocks)
		linksFit := t.links+len(b.link) <= t.room
		if id < hostcode.MaxBlocks && linksFit {
			code := t.gen.Translate(
				&hostcode.Block{
					Uops: b.uops, Instructions: int(b.n), Links: len(b.link), ID: uint32(id), Crosses: b.cross, Second: uint64(b.second),
					Wide: b.mode&decode.ModeLegacy == 0,
				},
				hostcode.Place{Code: uint64(t.memory.Address(t.code)), Links: uint64(t.memory.Address(t.links * 8))},
			)
			if t.hot > 1 && code.Leaves*interpretedFor > len(b.uops) {
				return nil
			}
			if len(code.Bytes) <= t.memory.Size()-t.code {
				return t.keep(b, &code)
			}
		}
		if again {
			return nil // it fits nowhere, and is interpreted
		}
		t.reset()
		b.made.runs = 0
	}
}

// keep puts code where it was made for.
func (t *translated) keep(b *block, code *hostcode.Code) error {
	if err := t.memory.Write(t.code, code.Bytes); err != nil {
		return err
	}
	b.made = machineCode{
		code: t.memory.Address(t.code), resume: offsets(code.Resume), unled: offsets(code.Links), links: t.links,
	}
	t.blocks = append(t.blocks, b)
	t.code = align(t.code + len(code.Bytes))
	t.links += len(code.Links)
	return t.unlinkBlock(b)
}

func offsets(all []int) []int32 {
	v := make([]int32, len(all))
	for i, offset := range all {
		v[i] = int32(offset)
	}
	return v
}

// unlinkBlock makes b's links lead out of the code.
func (t *translated) unlinkBlock(b *block) error {
	for k, offset := range b.made.unled {
		if err := t.setLink(b.made.links+k, b.made.code+uintptr(offset)); err != nil {
			return err
		}
	}
	return nil
}

func (t *translated) setLink(link int, to uintptr) error {
	return t.memory.Write(link*8, binary.LittleEndian.AppendUint64(nil, uint64(to)))
}

// unlink takes all links back: blocks have been retired that others go to.
func (t *translated) unlink() {
	if t == nil {
		return
	}
	for _, b := range t.blocks {
		if b.valid && !t.unlinks(b) {
			return
		}
	}
}

// unlinkPage takes the links of a page's blocks back: one of them has been retired.
func (t *translated) unlinkPage(p *codePage) {
	if t == nil || p == nil {
		return
	}
	for _, b := range p.start {
		for ; b != nil; b = b.sibling {
			if b.valid && !t.unlinks(b) {
				return
			}
		}
	}
}

// unlinks is unlinkBlock. Where that cannot be done no code is entered any more; the error comes again when some is made.
func (t *translated) unlinks(b *block) bool {
	if t.unlinkBlock(b) != nil {
		t.reset()
		return false
	}
	return true
}
