package device

import (
	"slices"
	"testing"
)

type alarmClock struct {
	at   int64
	set  bool
	rang *[]int64
}

func (a *alarmClock) NextEvent() (int64, bool) { return a.at, a.set }
func (a *alarmClock) Advance(now int64) {
	if a.set && a.at <= now {
		a.set = false
		*a.rang = append(*a.rang, a.at)
	}
}

func TestTimers(t *testing.T) {
	var rang []int64
	timers := Timers{
		&alarmClock{at: -1, rang: &rang}, // not set
		&alarmClock{at: 30, set: true, rang: &rang},
		&alarmClock{at: 10, set: true, rang: &rang},
		&alarmClock{at: 20, set: true, rang: &rang},
	}
	if ns, ok := timers.NextEvent(); ns != 10 || !ok {
		t.Errorf("next event %d, %v", ns, ok)
	}
	timers.Advance(30)
	if want := []int64{30, 10, 20}; !slices.Equal(rang, want) {
		t.Errorf("rang %v, want the order of the list, %v", rang, want)
	}
	if ns, ok := timers.NextEvent(); ok {
		t.Errorf("an event at %d is left", ns)
	}
}
