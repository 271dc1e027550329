package code

import (
	"encoding/binary"
	"slices"

	"github.com/tacit-vm/tacit/internal/disasm"
)

// walk follows a program. Every instruction is read once, in the state in which it was met first; after a call of
// LocateProtocol some are read again, to see what is done with the result.
type walk struct {
	p         Program
	facts     Facts
	seen      []uint64 // a bit for each byte of the file at which an instruction has been read
	functions []uint64 // addresses of functions yet to be read
	taken     []uint64 // addresses that may be of functions: the code stores them, or passes them on
	guessing  bool     // those are being read
	known     map[uint64]bool
	calls     []constantCall
	returning map[uint64]bool  // whether a function comes back; see returns.go
	looked    int              // instructions, for that
	variables map[uint64]value // of firmware, by address: those that hold pointers to tables
}

// A constantCall is a direct call with a constant as its first argument (System V ABI: EDI; UEFI: ECX).
type constantCall struct {
	at       int
	target   uint64
	argument uint32
}

// A place is where to go on reading, and what is known there.
type place struct {
	address uint64
	state   *state
}

func newWalk(p Program) *walk {
	return &walk{p: p, seen: make([]uint64, len(p.File)/64+1), known: map[uint64]bool{}, returning: map[uint64]bool{}}
}

// enter remembers a function to be read.
func (w *walk) enter(address uint64) {
	if !w.known[address] {
		w.known[address] = true
		w.functions = append(w.functions, address)
	}
}

// take remembers an address that the code does something with other than to read there.
func (w *walk) take(v value) {
	if v.kind == data && !w.known[uint64(v.n)] {
		w.taken = append(w.taken, uint64(v.n))
	}
}

// run reads all functions: first those that are called, then those whose address is taken. The latter may be data: what
// cannot be read there is no gap.
func (w *walk) run() {
	for _, entry := range w.p.Entries {
		w.enter(entry)
	}
	for {
		for len(w.functions) > 0 {
			address := w.functions[len(w.functions)-1]
			w.functions = w.functions[:len(w.functions)-1]
			w.function(place{address, atEntry()})
		}
		if len(w.taken) == 0 {
			return
		}
		w.guessing = true
		address := w.taken[0]
		w.taken = w.taken[1:]
		if w.plausible(address) {
			w.enter(address)
		}
	}
}

// result puts the facts into the order of the file.
func (w *walk) result() Facts {
	for _, c := range w.calls {
		if at, ok := w.tdcall(c.target); ok {
			w.facts.Leaves = append(w.facts.Leaves, Leaf{c.at, at, c.argument})
		}
	}
	slices.SortFunc(w.facts.Leaves, func(a, b Leaf) int { return a.At - b.At })
	slices.SortFunc(w.facts.Services, func(a, b ServiceCall) int { return a.At - b.At })
	slices.SortFunc(w.facts.Special, func(a, b Special) int { return a.At - b.At })
	slices.SortFunc(w.facts.Checks, func(a, b Bound) int { return a.At - b.At })
	slices.SortFunc(w.facts.Marks, func(a, b Bound) int { return a.At - b.At })
	slices.SortFunc(w.facts.Gaps, func(a, b Gap) int { return a.At - b.At })
	return w.facts
}

// function reads from a place on what has not been read, the branches of jumps included.
func (w *walk) function(from place) {
	todo := []place{from}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		todo = w.straight(at, todo)
	}
}

// straight reads from a place to the next instruction that does not go on to the one after it. It adds where jumps go
// to todo.
func (w *walk) straight(from place, todo []place) []place {
	s, address := from.state, from.address
	last := 0
	for {
		offset, rest := w.bytes(address)
		if len(rest) == 0 {
			w.gap(last, "an instruction after which no code is loaded")
			return todo
		}
		if w.seen[offset/64]&(1<<(offset%64)) != 0 {
			return todo
		}
		if w.facts.Instructions == maxInstructions {
			w.gap(offset, "more code than is read")
			w.functions = nil
			return nil
		}
		in, ok := disasm.Decode(rest)
		if !ok {
			w.gap(offset, "bytes that are no instruction")
			return todo
		}
		w.seen[offset/64] |= 1 << (offset % 64)
		w.facts.Instructions++
		next := address + uint64(in.Len)
		last = offset
		if confidential(in) {
			w.facts.Special = append(w.facts.Special, Special{offset, in.Name})
		}
		switch flow(in) {
		case onward:
			w.step(s, in, offset, next)
		case calls:
			w.call(s, in, offset, next)
			if function, ok := target(in, next); ok && !w.returns(function, 0) {
				return todo
			}
		case branches:
			todo = append(todo, w.branch(s, in, next))
		case jumps:
			return append(todo, w.jump(s, in, offset, next)...)
		case leaves:
			return append(todo, w.leave(s)...)
		case ends:
			return todo
		}
		address = next
	}
}

// bytes returns where in the file an address is, and the file from there to the end of its segment.
func (w *walk) bytes(address uint64) (offset int, rest []byte) {
	for _, s := range w.p.Segments {
		if address >= s.Address && address-s.Address < uint64(s.Size) {
			offset := s.Offset + int(address-s.Address)
			return offset, w.p.File[offset : s.Offset+s.Size]
		}
	}
	return 0, nil
}

// constant is the number of size bytes that the file has at an address.
func (w *walk) constant(address, size int64) value {
	offset, rest := w.bytes(uint64(address))
	switch {
	case size == 8 && len(rest) >= 8:
		return value{number, int64(binary.LittleEndian.Uint64(rest)), offset}
	case size == 4 && len(rest) >= 4:
		return value{number, int64(binary.LittleEndian.Uint32(rest)), offset}
	}
	return value{}
}

func (w *walk) gap(offset int, why string) {
	if !w.guessing {
		w.facts.Gaps = append(w.facts.Gaps, Gap{offset, why})
	}
}
