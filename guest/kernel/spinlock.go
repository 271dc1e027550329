//go:build linux && amd64

package kernel

import "sync/atomic"

// A spinLock is an [accept.Monitor] for processors that have nothing else to do. Those that want it get it in the order in
// which they came: whoever had it last would be the first to find it free again, and who has it often would keep out others
// for ever. Interrupts are off where it is held.
type spinLock struct {
	next, now atomic.Uint32 // the number for who comes next, and of who has its turn
	changes   atomic.Uint32 // what Broadcast counts
}

func (s *spinLock) Lock() {
	mine := s.next.Add(1) - 1
	for s.now.Load() != mine {
		pause()
	}
}

func (s *spinLock) Unlock() { s.now.Add(1) }

// Wait lets go of the lock until the next Broadcast.
func (s *spinLock) Wait() {
	before := s.changes.Load()
	s.Unlock()
	for s.changes.Load() == before {
		pause()
	}
	s.Lock()
}

// Broadcast is called with the lock.
func (s *spinLock) Broadcast() { s.changes.Add(1) }
