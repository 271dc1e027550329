package virtio

import (
	"encoding/binary"
	"fmt"
)

// queueMax is how many descriptors a queue has at most.
const queueMax = 256

// A queue is a split virtqueue (2.7), and how far the device is with the request under way.
type queue struct {
	size                 uint16
	vector               uint16
	enabled              bool
	desc, driver, device uint64 // guest-physical addresses of its three parts

	next, used uint16 // how many entries the device has taken, and given back

	stage  stage
	due    int64  // when the stage ends, in virtual nanoseconds
	head   uint16 // of the request that is being finished
	length uint32 // how much was written to it
}

// A stage is what a queue waits for.
type stage uint8

const (
	idle      stage = iota
	beginning       // until a request that has been announced is begun
	finishing       // until one that has been done is given back
)

// Descriptors (2.7.5) and flags of the available ring (2.7.6).
const (
	descSize     = 16
	descNext     = 1
	descWrite    = 2
	descIndirect = 4

	availNoInterrupt = 1
)

// kick is told that there may be requests in a queue.
func (d *Device) kick(n int) {
	if q := &d.queues[n]; d.live() && q.enabled && q.stage == idle && d.kind.takes(n) {
		q.stage, q.due = beginning, d.wiring.Clock.Now()+max(d.wiring.Timing.Request, 1)
	}
}

// NextEvent implements [device.Timer].
func (d *Device) NextEvent() (ns int64, ok bool) {
	for i := range d.queues {
		if q := &d.queues[i]; q.stage != idle && (!ok || q.due < ns) {
			ns, ok = q.due, true
		}
	}
	return ns, ok
}

// Advance implements [device.Timer]. It ends: each step takes time, or leaves a queue with nothing to do.
func (d *Device) Advance(now int64) {
	for {
		first := -1
		for i := range d.queues {
			if q := &d.queues[i]; q.stage != idle && q.due <= now && (first < 0 || q.due < d.queues[first].due) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		if err := d.step(first); err != nil {
			d.broken(fmt.Errorf("queue %d: %w", first, err))
		}
	}
}

// step does what is due in a queue. An error is of the rings, and breaks the device.
func (d *Device) step(n int) error {
	q := &d.queues[n]
	timing := d.wiring.Timing
	if q.stage == finishing {
		if err := d.give(n); err != nil {
			return err
		}
		q.stage, q.due = beginning, q.due+max(timing.Request, 1)
		return nil
	}
	if q.stage = idle; !d.kind.takes(n) {
		return nil
	}
	head, some, err := d.take(q)
	if err != nil || !some {
		return err
	}
	c, err := d.chain(q, head)
	if err != nil {
		return err
	}
	d.traffic.Requests++
	d.kind.serve(d, n, c)
	q.stage, q.due = finishing, q.due+(int64(c.moved)+1023)/1024*timing.KiB+1
	q.head, q.length = head, uint32(c.written)
	return nil
}

// take takes the next request from the available ring.
func (d *Device) take(q *queue) (head uint16, some bool, err error) {
	var b [2]byte
	if err := d.load(q.driver+2, b[:]); err != nil {
		return 0, false, fmt.Errorf("available ring: %w", err)
	}
	switch waiting := binary.LittleEndian.Uint16(b[:]) - q.next; {
	case waiting == 0:
		return 0, false, nil
	case waiting > q.size:
		return 0, false, fmt.Errorf("available ring: %d requests in a queue of %d", waiting, q.size)
	}
	if err := d.load(q.driver+4+2*uint64(q.next%q.size), b[:]); err != nil {
		return 0, false, fmt.Errorf("available ring: %w", err)
	}
	q.next++
	return binary.LittleEndian.Uint16(b[:]), true, nil
}

// give puts the request that has been done in a queue into its used ring and interrupts, where the driver wants that.
func (d *Device) give(n int) error {
	q := &d.queues[n]
	le := binary.LittleEndian
	u := Used{ID: uint32(q.head), Length: q.length, Index: q.used + 1}
	if d.wiring.Liar != nil {
		_, card := d.kind.(*network)
		u = d.wiring.Liar.Used(Ring{q.desc, q.driver, q.device, q.size, card && n == netReceive}, u)
	}
	entry := le.AppendUint32(le.AppendUint32(nil, u.ID), u.Length)
	if err := d.store(q.device+4+8*uint64(q.used%q.size), entry); err != nil {
		return fmt.Errorf("used ring: %w", err)
	}
	q.used++
	if err := d.store(q.device+2, le.AppendUint16(nil, u.Index)); err != nil {
		return fmt.Errorf("used ring: %w", err)
	}
	var flags [2]byte
	if err := d.load(q.driver, flags[:]); err != nil {
		return fmt.Errorf("available ring: %w", err)
	}
	if le.Uint16(flags[:])&availNoInterrupt == 0 {
		d.isr |= isrQueue
		d.function.Interrupt(q.vector)
	}
	return nil
}
