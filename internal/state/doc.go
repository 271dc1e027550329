// Package state carries the state of a machine's parts out to bytes, and back into them.
//
// A part says once, in one method, what its state is:
//
//	func (c *Counter) Carry(s *state.Stream) {
//		state.Numbers(s, &c.count, &c.limit)
//		s.Bool(&c.running)
//	}
//
// The same method writes and reads, so that the two cannot differ. What it reads may be anybody's: each value is checked
// where it could do harm, the first error counts, and what a Stream allocates is bounded by the bytes that it was given.
//
// What a part is wired to (functions, other parts, the configuration) is no state. Neither is what can be made again from
// the rest: decoded code, pointers into memory. Test [statetest.Complete] finds fields of a part that are neither
// carried nor said to be no state.
//
// A [Writer] and a [Reader] put the parts' bytes into a file, in sections with names, versions and checksums.
package state
