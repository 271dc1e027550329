package device

// Timer is a device that acts by itself when time passes, not only when it is accessed.
type Timer interface {
	// NextEvent returns the virtual time in nanoseconds at which Advance must be called. A time that has passed means
	// at once; false means that nothing is due until the guest accesses the device again.
	NextEvent() (ns int64, ok bool)
	// Advance does what is due at virtual time now or before.
	Advance(now int64)
}

// Timers makes one Timer of several. Their order is the order in which they act when they are due together.
type Timers []Timer

// NextEvent returns the earliest event of all timers.
func (t Timers) NextEvent() (ns int64, ok bool) {
	for _, timer := range t {
		if at, due := timer.NextEvent(); due && (!ok || at < ns) {
			ns, ok = at, true
		}
	}
	return ns, ok
}

// Advance advances all timers in order.
func (t Timers) Advance(now int64) {
	for _, timer := range t {
		timer.Advance(now)
	}
}
