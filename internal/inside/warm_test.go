package inside

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A model of Linux's allocator: what is accepted and free goes first, then step of unaccepted memory at a time. It fails the
// test where it would have to reclaim, or to kill.
type model struct {
	t                          *testing.T
	free, unaccepted, held     uint64 // free is accepted
	room                       uint64
	enough                     uint64 // what the test wants to stay available
	most                       uint64 // held at most
	takes                      time.Duration
	holdErr, booksErr, roomErr error
	released                   bool
}

func (m *model) Books() (Books, error) {
	return Books{Total: 1 << 30, Free: m.free + m.unaccepted, Available: m.free + m.unaccepted, Unaccepted: m.unaccepted}, m.booksErr
}

func (m *model) Room() (uint64, error) { return m.room - min(m.room, m.held), m.roomErr }

func (m *model) Hold(n uint64) error {
	if m.holdErr != nil && m.held >= 8*step {
		return m.holdErr
	}
	time.Sleep(m.takes)
	for m.free < n && m.unaccepted > 0 {
		m.free, m.unaccepted = m.free+step, m.unaccepted-step
	}
	if m.free < n || m.free+m.unaccepted-n < m.enough {
		m.t.Fatalf("%d bytes more, of %d that are left", n, m.free+m.unaccepted)
	}
	if m.held += n; m.held > m.room {
		m.t.Fatalf("%d bytes held, and %d are the limit", m.held, m.room)
	}
	m.free, m.most = m.free-n, max(m.most, m.held)
	return nil
}

func (m *model) Release() error {
	m.free, m.held, m.released = m.free+m.held, 0, true
	return nil
}

func TestPlan(t *testing.T) {
	const mib = 1 << 20
	failed := errors.New("failed")
	for what, c := range map[string]struct {
		plan    Plan
		model   model
		until   time.Duration // told to end then; 0 is never
		end     End
		left    uint64
		at      time.Duration // of the end
		failure error
	}{
		"down to its goal": {Plan{Until: 100 * mib, Reserve: 64 * mib}, model{free: 80 * mib, unaccepted: 500 * mib, room: unlimited}, 0, Reached, 100 * mib, 0, nil},
		"at its rate": {Plan{Until: 100 * mib, Reserve: 64 * mib, Rate: 40 * mib},
			model{free: 80 * mib, unaccepted: 500 * mib, room: unlimited, takes: time.Millisecond}, 0, Reached, 100 * mib, 10*time.Second + 20*time.Millisecond, nil},
		"slower than its rate": {Plan{Until: 100 * mib, Rate: 400 * mib}, model{unaccepted: 140 * mib, room: unlimited, takes: time.Second}, 0, Reached, 100 * mib, 10 * time.Second, nil},
		"to its reserve":       {Plan{Reserve: 64 * mib}, model{unaccepted: 200 * mib, room: unlimited, enough: 64 * mib}, 0, AtReserve, 64 * mib, 0, nil},
		"to its limit":         {Plan{}, model{free: 20 * mib, unaccepted: 200 * mib, room: 116 * mib}, 0, AtLimit, 120 * mib, 0, nil},
		"told to end":          {Plan{Rate: 1}, model{unaccepted: 200 * mib, room: unlimited}, time.Minute, ToldTo, 196 * mib, time.Minute, nil},
		"nothing to do":        {Plan{Until: 300 * mib}, model{unaccepted: 200 * mib, room: unlimited}, 0, Reached, 200 * mib, 0, nil},
		"no more memory":       {Plan{}, model{unaccepted: 200 * mib, room: unlimited, holdErr: failed}, 0, HoldFailed, 168 * mib, 0, failed},
		"no room known":        {Plan{}, model{unaccepted: 200 * mib, roomErr: failed}, 0, "", 200 * mib, 0, failed},
		"no books":             {Plan{}, model{unaccepted: 200 * mib, booksErr: failed}, 0, "", 200 * mib, 0, failed},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.until != 0 {
				ctx, cancel = context.WithTimeout(ctx, c.until)
				defer cancel()
			}
			began, k := time.Now(), c.model
			k.t = t
			all := k.free + k.unaccepted
			r, err := c.plan.Run(ctx, &k)
			took := time.Since(began)
			if !errors.Is(err, c.failure) || r.End != c.end || k.unaccepted != c.left || took != c.at {
				t.Errorf("%s: %q with %d MiB left after %v, %v; want %q, %d MiB, %v", what, r.End, k.unaccepted>>20, took, err, c.end, c.left>>20, c.at)
			}
			if !k.released || k.held != 0 || k.free+k.unaccepted != all {
				t.Errorf("%s: %d bytes are not given back", what, k.held)
			}
			if c.failure == nil && (r.Held != k.most || r.Accepted() != c.model.unaccepted-c.left || r.After.Free != all) {
				t.Errorf("%s: %+v, and %d bytes were held", what, r, k.most)
			}
		})
	}
}
