package accepttest_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
)

// A driver that is content with a page that has been accepted before, as if that were no harm, does not pass.
func ExampleTestDriver() {
	err := accepttest.TestDriver(func() (accept.Driver, func(gpa uint64) bool) {
		platform := accepttest.NewMemory(nil, []accept.Range{accepttest.DriverMemory})
		careless := accept.DriverFunc(func(r accept.Range) error {
			if platform.Accepted(r.Start) {
				return nil
			}
			return platform.Accept(r)
		})
		return careless, platform.Accepted
	})
	fmt.Println(err)
	// Output:
	// [0x100000000, 0x104000000) was accepted, and accepting [0x100000000, 0x104000000) again is no error
}

// Memory says what would end a real guest.
func ExampleMemory() {
	m := accepttest.NewMemory(
		[]accept.Range{{Start: 0, End: 0x400000}},        // accepted
		[]accept.Range{{Start: 0x400000, End: 0x800000}}, // unaccepted
	)
	unit := accept.Range{Start: 0x400000, End: 0x600000}
	fmt.Println(m.Touch(unit))
	fmt.Println(m.Accept(unit))
	fmt.Println(m.Touch(unit))
	fmt.Println(m.Accept(unit))
	// Output:
	// touching [0x400000, 0x600000): page 0x400000 is accepted false, being accepted false, in use false, foreign false
	// <nil>
	// <nil>
	// accepting [0x400000, 0x600000): page 0x400000 is accepted true, being accepted false, in use false, foreign false
}
