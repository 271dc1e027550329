package virtio

import "github.com/tacit-vm/tacit/internal/state"

// StateVersion changes with what [Device.Carry] carries.
const StateVersion = 1

const maxText = 1 << 10

// Carry carries the device's state, without its function's and without what is on a disk.
func (d *Device) Carry(s *state.Stream) {
	state.Numbers(s, &d.deviceSelect, &d.driverSelect)
	state.Numbers(s, &d.accepted)
	state.Numbers(s, &d.status, &d.isr)
	state.Numbers(s, &d.configVector, &d.queueSelect)
	for i := range d.queues {
		d.queues[i].carry(s)
	}
	d.traffic.carry(s)
	if r, ok := d.kind.(*rng); ok {
		r.carry(s)
	}
}

func (q *queue) carry(s *state.Stream) {
	state.Numbers(s, &q.size, &q.vector, &q.next, &q.used, &q.head)
	s.Bool(&q.enabled)
	state.Numbers(s, &q.desc, &q.driver, &q.device)
	state.Numbers(s, &q.stage)
	state.Numbers(s, &q.due)
	state.Numbers(s, &q.length)
	s.Check(q.size > 0 && q.size <= queueMax && q.size&(q.size-1) == 0, "a queue of no size that there is")
	s.Check(q.stage <= finishing && q.due >= 0 && q.due < 1<<62, "a queue that waits for nothing that there is")
}

func (t *Traffic) carry(s *state.Stream) {
	state.Numbers(s, &t.Requests, &t.Read, &t.Written, &t.Flushes, &t.Errors, &t.Refused)
	state.String(s, &t.FirstError, maxText)
	state.String(s, &t.FirstRefusal, maxText)
}

func (r *rng) carry(s *state.Stream) {
	b, _ := r.random.MarshalBinary() // it never fails
	if state.Bytes(s, &b, 1<<10); s.Reading() && s.Err() == nil {
		if err := r.random.UnmarshalBinary(b); err != nil {
			s.Fail("a generator in no state that there is: %w", err)
		}
	}
}
