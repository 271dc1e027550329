package record

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A Stack is the functions under way in the guest, the innermost first, as "function+0x12": where the processor stood, and
// the return addresses after it. Two events with the same Stack have it at the same address.
type Stack []string

// Stacks finds out who in the guest asked. Its functions are the machine's.
type Stacks struct {
	Addresses func() []uint64             // of the functions under way now, the innermost first
	Name      func(address uint64) string // of a function and the place in it
}

// A Caller is what was accepted for one stack.
type Caller struct {
	Stack Stack `json:"stack"`
	Count
	VirtualNS int64 `json:"virtual_ns"` // that it took, the host's part included
	AfterInit bool  `json:"after_init"` // after the first instruction at privilege level 3
}

// maxStacks bounds how many stacks a Log tells apart; what has another is counted with the stack "other". A boot of Linux
// has some three hundred.
const maxStacks = 4096

// callers are the totals of each stack.
type callers struct {
	find  *Stacks // nil: not wanted
	known map[string]*caller
	other caller // those for whom there was no room
}

// FindStacks makes the log ask for the guest's stack at each acceptance of the guest's.
func (l *Log) FindStacks(s Stacks) {
	l.callers = callers{find: &s, known: map[string]*caller{}, other: caller{stack: &Stack{"other"}}}
}

type caller struct {
	stack *Stack
	count [2]Count // before init, and after it
	ns    [2]int64
}

// take returns the stack of the event that is being taken, after it has been counted.
func (c *callers) take(bytes, operations uint64, ns int64, afterInit bool) *Stack {
	if c.find == nil {
		return nil
	}
	addresses := c.find.Addresses()
	key := make([]byte, 0, 8*len(addresses))
	for _, a := range addresses {
		key = binary.LittleEndian.AppendUint64(key, a)
	}
	k := c.known[string(key)]
	switch {
	case k != nil:
	case len(c.known) < maxStacks:
		stack := make(Stack, len(addresses))
		for i, a := range addresses {
			stack[i] = c.find.Name(a)
		}
		k = &caller{stack: &stack}
		c.known[string(key)] = k
	default:
		k = &c.other
	}
	i := 0
	if afterInit {
		i = 1
	}
	k.count[i].add(bytes, operations)
	k.ns[i] = addNS(k.ns[i], ns)
	return k.stack
}

// all returns who asked for how much, most first.
func (c *callers) all() []Caller {
	var all []Caller
	add := func(k *caller) {
		for i, after := range []bool{false, true} {
			if k.count[i].Operations > 0 {
				all = append(all, Caller{*k.stack, k.count[i], k.ns[i], after})
			}
		}
	}
	for _, k := range c.known {
		add(k)
	}
	if c.find != nil {
		add(&c.other)
	}
	slices.SortFunc(all, func(a, b Caller) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), slices.Compare(a.Stack, b.Stack), compareBool(a.AfterInit, b.AfterInit))
	})
	return all
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
