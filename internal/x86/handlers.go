package x86

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A handler executes a micro-operation of the table. It returns false where the instruction did not complete: an
// exception was raised or the run was stopped.
type handler func(c *CPU, u *uop.Uop) bool

var handlers [uop.OpCount]handler

func init() {
	for _, table := range []map[uop.Op]handler{
		integerHandlers, bitHandlers, stackHandlers, stringHandlers, systemHandlers, msrHandlers, ioHandlers, debugHandlers, sseHandlers, x87Handlers,
		linearHandlers, nearHandlers, legacyHandlers,
	} {
		for op, h := range table {
			if handlers[op] != nil {
				panic(fmt.Sprintf("BUG: operation %#x has two handlers", uint16(op)))
			}
			handlers[op] = h
		}
	}
}
