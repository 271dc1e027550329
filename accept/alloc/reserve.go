package alloc

import "github.com/tacit-vm/tacit/accept"

// The reserve is accepted free memory, so that an allocation seldom waits for the platform. It is filled by those
// that have time: an idle processor calls Background; a goroutine, or a thread of a kernel, calls Await first.

const (
	reservePart = 128      // of RAM
	reserveMin  = 16 << 20 // bytes
)

func (a *Allocator) setWatermarks(c Config) {
	if a.high = c.High / accept.PageSize; c.High == 0 {
		a.high = max(a.total/reservePart, reserveMin/accept.PageSize)
	}
	if a.low = c.Low / accept.PageSize; c.Low == 0 {
		a.low = a.high / 2
	}
	a.low = min(a.low, a.high)
}

// Background has one unit accepted for the reserve, by d, if the reserve with it is not above the high watermark.
// It reports whether there is more to do for the caller. While another processor is at it there is not.
func (a *Allocator) Background(d accept.Driver) (more bool, err error) {
	a.acquire()
	u := uint64(none)
	if !a.filling && a.short() {
		u = a.nextRaw()
	}
	switch {
	case u == none:
	case a.broken:
		err = accept.ErrBroken
	default:
		a.filling = true
		if err = a.acceptOne(u, d); err == nil {
			a.byBackground++
		}
		a.filling = false
		more = err == nil && a.short() && a.nextRaw() != none
	}
	a.release()
	return more, err
}

// short reports whether the reserve has place for another unit.
func (a *Allocator) short() bool { return a.free+(a.coming+1)*unitPages <= a.high }

// Await waits until the reserve is below the low watermark and there is something to fill it with, or until anybody
// wakes those who wait on the monitor for whatever reason. So it is called in a loop:
//
//	for !stopped.Load() {
//		a.Await()
//		for more := true; more; {
//			more, err = a.Background(driver)
//		}
//	}
//
// To stop, set stopped with the monitor's lock held and call its Broadcast. Without a lock Await returns at once.
func (a *Allocator) Await() {
	if a.lock == nil {
		return
	}
	a.lock.Lock()
	if !a.isLow() {
		a.asleep = true
		a.lock.Wait()
	}
	a.lock.Unlock()
}

func (a *Allocator) isLow() bool { return a.free < a.low && a.raw > 0 && !a.broken && !a.filling }

// watch wakes who waits for the reserve to be low.
func (a *Allocator) watch() {
	if a.asleep && a.isLow() {
		a.asleep = false
		a.lock.Broadcast()
	}
}
