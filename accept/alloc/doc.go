// Package alloc hands out the pages of a guest's memory, and has them accepted when they are needed: a page allocator
// of three states.
//
//	 ____________                                       __________             ______
//	|            |                                     |          |           |      |
//	|   free,    | Alloc, where nothing accepted fits  |  free,   |   Alloc   |      |
//	| unaccepted | ----------------------------------> | accepted | --------> | used |
//	|            | Background, for the reserve         |          | <-------- |      |
//	|____________|                                     |__________|   Free    |______|
//
// A system gives it all memory that it has, accepted or not, once (the driver is this processor's):
//
//	var a alloc.Allocator
//	err := a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram)), Tracker: &tracker})
//	page, err := a.Alloc(0, driver) // 4 KiB << 0; accepted, and aligned to its size
//	err = a.Free(page, 0)
//	more, err := a.Background(driver) // when there is time: accepts a unit ahead of need
//
// Memory is accepted in units of 2 MiB, once, and stays accepted. What is handed out is dense: a block comes from the
// fullest unit that has one; then from an accepted unit that is not in use; and only then from unaccepted memory; and
// of units that are alike from the lowest. So no more is accepted than a tenth above what was ever in use, and the
// reserve, and a unit for the guard.
//
// The rules of acceptance:
//
//   - Several processors accept at once, different units, each with its own driver and without the allocator's lock
//     (see [accept.Tracker]). Who needs no unaccepted memory waits for none of them.
//   - Those who wait do not each have a unit accepted. Only so many are under way for them as hold what all of them
//     want; a newcomer for whom that is enough waits for it, or for what others free.
//   - A load of a word may begin in a page and end after it, and must not meet unaccepted memory there
//     (see [accept.Guard]). So the last page of a unit is held back while the unit after it is unaccepted, and a run of
//     whole units is handed out when the unit after it has been accepted, too.
//   - When a driver fails its unit is lost, and nothing can be accepted any more. The call returns the error, others
//     that need unaccepted memory [accept.ErrBroken]; what is accepted is handed out as before.
//
// The allocator runs on bare metal, in a handler of page faults, too. It imports nothing but accept. After Init it
// allocates no Go memory and stores no pointer: units are numbers, and the books are words in memory of the caller's, a
// bit for each page, a byte for each unit, and a few sets. They need zeros to begin with, and where nothing was handed
// out they stay zeros: the books of 4 TiB take 133 MiB of addresses, and little memory until they are needed.
package alloc
