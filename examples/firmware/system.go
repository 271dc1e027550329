package main

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
)

// A system is what an operating system knows when it has left boot services.
type system struct {
	exit  negotiate.Exit
	free  uint64 // bytes that it can use at once
	later uint64 // that it accepts when it needs them
	lost  uint64 // that are there, and that it cannot use
}

// start is a system that knows how to accept memory, or one that does not: all that tells them apart is one call before
// they leave boot services, and what they see in memory of type EfiUnacceptedMemoryType.
func start(bs negotiate.BootServices, accepts bool) (s system, err error) {
	if accepts {
		negotiate.Announce(bs)
	}
	room, err := negotiate.Room(bs)
	if err != nil {
		return s, err
	}
	buf := make([]byte, room)
	if s.exit, err = negotiate.Leave(bs, buf); err != nil {
		return s, err
	}
	var m negotiate.Map
	if err := m.Check(buf, s.exit.Map, negotiate.Bounds{}); err != nil {
		return s, err
	}
	s.free = total(m.Free())
	if unaccepted := total(m.Unaccepted()); accepts {
		s.later = unaccepted
	} else {
		s.lost = unaccepted
	}
	return s, nil
}

func total(ranges func(yield func(accept.Range) bool)) (n uint64) {
	for r := range ranges {
		n += r.Len()
	}
	return n
}
