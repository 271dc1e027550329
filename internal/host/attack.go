package host

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Attack is what a host that cheats does, once, and when. docs/attacks.md has what becomes of each.
type Attack struct {
	Kind string // one of Attacks
	N    uint64 // of the pages that the host adds, or of the conversions that it is asked for: the N-th, from 1
}

// Kinds of attacks.
const (
	Drop    = "drop"
	Swap    = "swap"
	Replay  = "replay"
	Split   = "split"
	Join    = "join"
	Lie     = "lie"
	Preload = "preload"
)

// Attacks lists every kind with what the host does, in the order in which documents show them.
func Attacks() []struct{ Kind, Meaning string } { return slices.Clone(attacks) }

var attacks = []struct{ Kind, Meaning string }{
	{Drop, "takes a page away that the guest has accepted"},
	{Swap, "puts another page, with contents of its own, in the place of an accepted one"},
	{Replay, "puts an accepted page's old contents back when the guest has changed them"},
	{Split, "maps an accepted 2 MiB page as 512 small ones"},
	{Join, "does so, and then maps the small ones as one of 2 MiB again"},
	{Lie, "says that it has made memory private or shared, and has done nothing"},
	{Preload, "fills a page with contents of its own before it gives it to the guest"},
}

// ParseAttack reads KIND or KIND:N; without N it is 1.
func ParseAttack(text string) (Attack, error) {
	kind, n, counted := strings.Cut(text, ":")
	a := Attack{Kind: kind, N: 1}
	kinds := make([]string, len(attacks))
	for i, known := range attacks {
		kinds[i] = known.Kind
	}
	if !slices.Contains(kinds, kind) {
		return a, fmt.Errorf("host attack %q: there are %s", kind, strings.Join(kinds, ", "))
	}
	if counted {
		var err error
		if a.N, err = strconv.ParseUint(n, 10, 64); err != nil || a.N == 0 {
			return a, fmt.Errorf("host attack %s:%s: want a number from 1 after the colon", kind, n)
		}
	}
	return a, nil
}

// String is what ParseAttack reads.
func (a Attack) String() string { return fmt.Sprintf("%s:%d", a.Kind, a.N) }
