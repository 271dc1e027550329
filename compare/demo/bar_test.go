package demo

import (
	"testing"

	"github.com/tacit-vm/tacit/record"
)

func TestBars(t *testing.T) {
	for want, b := range map[string]Bar{
		"":         {},
		"········": {Memory: 800},
		"▓▓▓▓····": {Memory: 800, Accepted: 400},
		"██▓▓····": {Memory: 800, Accepted: 400, Held: 200},
		"████···×": {Memory: 800, Accepted: 400, Held: 400, Lost: 100},
		"▓▓▓▓××××": {Memory: 800, Accepted: 400, Lost: 400},
		"▓·······": {Memory: 800, Accepted: 1}, // however little
		"█·······": {Memory: 800, Accepted: 2, Held: 1},
		"███·····": {Memory: 800, Accepted: 320, Held: 280},
		"████████": {Memory: 800, Accepted: 800, Held: 900}, // more than there is
		"▓▓▓▓▓▓▓▓": {Memory: 800, Accepted: 900, Lost: 900},
		"▓▓▓▓▓▓▓·": {Memory: 1 << 42, Accepted: 1<<42 - 1<<39},
	} {
		if got := b.Draw(8, NoPaint); got != want {
			t.Errorf("%+v is %q, want %q", b, got, want)
		}
	}
}

// Memory is lost where no book of the guest's has it.
func TestLost(t *testing.T) {
	set := func(n uint64) *uint64 { return &n }
	for _, c := range []struct {
		step record.Step
		want uint64
	}{
		{record.Step{Unaccepted: 0}, 0},
		{record.Step{Unaccepted: 7}, 7},
		{record.Step{Unaccepted: 7, BitmapSet: set(7)}, 0},
		{record.Step{Unaccepted: 7, BitmapSet: set(3)}, 4},
		{record.Step{Unaccepted: 7, BitmapSet: set(9)}, 0},
	} {
		if got := lost(c.step); got != c.want {
			t.Errorf("%+v has lost %d, want %d", c.step, got, c.want)
		}
	}
}
