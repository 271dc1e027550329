// Package check says which system calls an ordinary Go program for linux/amd64 contains, and which of them the kernel under
// it ([github.com/tacit-vm/tacit/guest/kernel]) does not serve: before it runs.
//
// It reads the code. A Go program makes a system call through a few functions that take its number, or, in the runtime, by
// the instruction itself; the number is nearly always a constant, which stands just before. The linker has left out what
// nothing refers to, so that what is there may be called, and need not be.
package check

import (
	"bytes"
	"cmp"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// A Call is a system call that a program contains.
type Call struct {
	Number uint64 // of Linux's table for x86-64
	By     string // the function that has the number
	// Path is how the program's own code comes to it, by direct calls: functions from main.main to By, or, where no such way
	// begins there, from another one of package main. It is nil where there is none, as through an interface, or where nothing
	// goes there.
	Path []string

	entry uint64
}

// Calls returns the system calls that a program contains, by their numbers, each function once for each. What is not a Go
// program, or has lost its table of functions, is an error.
func Calls(executable []byte) ([]Call, error) {
	p, err := read(executable)
	if err != nil {
		return nil, err
	}
	found := p.calls()
	p.findPaths(found)
	return found, nil
}

// Unserved returns those that the kernel does not serve, at which it would end the guest; but not what only a child would
// call, since to fork fails.
func Unserved(executable []byte) ([]Call, error) {
	found, err := Calls(executable)
	return slices.DeleteFunc(found, func(c Call) bool {
		_, served := slices.BinarySearch(served, c.Number)
		return served || leadsNowhere(c.By)
	}), err
}

// String names a call and who makes it, as the kernel does when it ends a guest for it. Of a long way it leaves the middle out.
func (c Call) String() string {
	const first, last = 8, 4
	path := slices.Clone(c.Path)
	if path == nil {
		path = []string{c.By}
	}
	slices.Reverse(path)
	if n := len(path) - first - last; n > 1 {
		path = slices.Replace(path, first, first+n, fmt.Sprintf("%d more", n))
	}
	return fmt.Sprintf("%d, called by %s", c.Number, strings.Join(path, " ← "))
}

// A program is the code of an executable, by functions.
type program struct {
	code    []byte
	start   uint64
	table   *gosym.Table
	callees map[uint64][]uint64 // of the function that begins at an address: where those begin that it calls or jumps to
}

func read(executable []byte) (*program, error) {
	f, err := elf.NewFile(bytes.NewReader(executable))
	if err != nil {
		return nil, fmt.Errorf("not an executable: %w", err)
	}
	text, lines := f.Section(".text"), f.Section(".gopclntab")
	if text == nil || lines == nil {
		return nil, errors.New("no Go program, or one without its table of functions")
	}
	p := &program{start: text.Addr, callees: map[uint64][]uint64{}}
	if p.code, err = text.Data(); err != nil {
		return nil, err
	}
	data, err := lines.Data()
	if err != nil {
		return nil, err
	}
	if p.table, err = gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr)); err != nil {
		return nil, err
	}
	return p, nil
}

// calls finds them. A function that hands its own first argument on as the number is looked at from its callers.
func (p *program) calls() (found []Call) {
	wrappers := map[uint64]bool{} // where functions begin that take a number
	sites := p.sites()
	for grown := true; grown; {
		grown = false
		for _, s := range sites {
			if s.target != 0 && !wrappers[s.target] || s.known || wrappers[s.in.Entry] || !takesNumber(s.in.Name) {
				continue
			}
			wrappers[s.in.Entry] = true
			grown = true
		}
	}
	for _, s := range sites {
		if s.known && (s.target == 0 || wrappers[s.target]) {
			found = append(found, Call{Number: s.number, By: s.in.Name, entry: s.in.Entry})
		}
	}
	slices.SortFunc(found, func(a, b Call) int { return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.By, b.By)) })
	return slices.CompactFunc(found, func(a, b Call) bool { return a.Number == b.Number && a.entry == b.entry })
}

// findPaths looks for the shortest ways from main.main, and from those of package main to which none leads from there.
func (p *program) findPaths(found []Call) {
	from := map[uint64]uint64{} // the function that one was come to from; 0 for a first one
	for _, isFirst := range []func(name string) bool{
		func(name string) bool { return name == "main.main" },
		func(name string) bool { return strings.HasPrefix(name, "main.") },
	} {
		var next []uint64
		for _, f := range p.table.Funcs {
			if _, ok := from[f.Entry]; !ok && isFirst(f.Name) {
				from[f.Entry] = 0
				next = append(next, f.Entry)
			}
		}
		p.follow(from, next)
	}
	for i := range found {
		c := &found[i]
		if _, ok := from[c.entry]; !ok {
			continue
		}
		for at := c.entry; at != 0; at = from[at] {
			if f := p.table.PCToFunc(at); f != nil {
				c.Path = append(c.Path, f.Name)
			}
		}
		slices.Reverse(c.Path)
	}
}

// follow notes of all functions to which ways lead from those in next where the shortest one comes from.
func (p *program) follow(from map[uint64]uint64, next []uint64) {
	for len(next) > 0 {
		here := next[0]
		next = next[1:]
		if f := p.table.PCToFunc(here); f != nil && leadsNowhere(f.Name) {
			continue
		}
		for _, to := range p.callees[here] {
			if _, ok := from[to]; !ok {
				from[to] = here
				next = append(next, to)
			}
		}
	}
}

// leadsNowhere says of a function by name whether what it calls is not to be called the program's own doing: each function
// calls for more stack, and in that the runtime does what it has to do anyway; and to fork fails, so that there is no child.
func leadsNowhere(name string) bool {
	return strings.HasPrefix(name, "runtime.morestack") || name == "syscall.forkAndExecInChild1"
}

// takesNumber says whether a function's first argument may be the number of a system call, by its name: as syscall.Syscall,
// syscall.rawVforkSyscall, internal/runtime/syscall/linux.Syscall6.
func takesNumber(name string) bool {
	return strings.Contains(strings.ToLower(name[strings.LastIndexByte(name, '/')+1:]), "syscall")
}

// A site is a SYSCALL, or a call of a function: with what is in RAX then, where that is a constant.
type site struct {
	in     *gosym.Func
	target uint64 // 0 for SYSCALL
	number uint64
	known  bool
}

// sites goes through the code once.
func (p *program) sites() (all []site) {
	for i := range p.table.Funcs {
		f := &p.table.Funcs[i]
		if f.Entry < p.start || f.End > p.start+uint64(len(p.code)) || f.Entry > f.End {
			continue
		}
		number, known := uint64(0), false
		for at := f.Entry; at < f.End; {
			in, err := x86asm.Decode(p.code[at-p.start:f.End-p.start], 64)
			if err != nil || in.Len == 0 {
				at++
				known = false
				continue
			}
			next := at + uint64(in.Len)
			switch to, direct := in.Args[0].(x86asm.Rel); {
			case in.Op == x86asm.SYSCALL:
				all = append(all, site{in: f, number: number, known: known})
				known = false
			case in.Op == x86asm.CALL || in.Op == x86asm.JMP:
				if direct {
					if target := next + uint64(int64(to)); target < f.Entry || target >= f.End {
						all = append(all, site{in: f, target: target, number: number, known: known})
						p.callees[f.Entry] = append(p.callees[f.Entry], target)
					}
				}
				known = false
			default:
				if n, sets, constant := setsRAX(in); sets {
					number, known = n, constant
				}
			}
			at = next
		}
	}
	return all
}

// setsRAX says whether an instruction changes RAX, and to which constant.
func setsRAX(in x86asm.Inst) (n uint64, sets, constant bool) {
	isRAX := func(a x86asm.Arg) bool {
		switch a {
		case x86asm.RAX, x86asm.EAX, x86asm.AX, x86asm.AL, x86asm.AH:
			return true
		}
		return false
	}
	switch in.Op {
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.BT:
		return 0, false, false
	case x86asm.MUL, x86asm.IMUL, x86asm.DIV, x86asm.IDIV, x86asm.CPUID, x86asm.RDTSC, x86asm.CMPXCHG, x86asm.XGETBV, x86asm.CDQE, x86asm.CWDE:
		return 0, true, false
	}
	if !isRAX(in.Args[0]) && !(in.Op == x86asm.XCHG && isRAX(in.Args[1])) {
		return 0, false, false
	}
	imm, isImm := in.Args[1].(x86asm.Imm)
	switch {
	case in.Op == x86asm.MOV && isImm && (in.Args[0] == x86asm.RAX || in.Args[0] == x86asm.EAX):
		return uint64(imm), true, true
	case in.Op == x86asm.XOR && in.Args[1] == in.Args[0] && (in.Args[0] == x86asm.RAX || in.Args[0] == x86asm.EAX):
		return 0, true, true
	}
	return 0, true, false
}
