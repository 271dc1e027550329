package attack

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// An Attack is one of the catalogue as it is asked for.
type Attack struct {
	Kind string
	N    uint64 // at the N-th occasion from its moment on, from 1; of injections, at so many instructions after it, less one
	At   Moment
	Seed uint64 // of what is not given: values, addresses
}

// A Moment is from when on occasions count.
type Moment struct {
	Name  string // Start, Init, Now, a function's name, or empty for an address or a number of instructions
	Value uint64 // the number
	Place bool   // and that is a guest-virtual address
}

// Moments that have names of their own.
const (
	Start = "start" // the first instruction of what firmware starts
	Init  = "init"  // the first instruction at privilege level 3
	Now   = "now"   // as soon as there is such a host: where a machine is forked or resumed
)

// String is what ParseMoment reads.
func (m Moment) String() string {
	switch {
	case m.Name != "":
		return m.Name
	case m.Place:
		return fmt.Sprintf("%#x", m.Value)
	}
	return strconv.FormatUint(m.Value, 10)
}

// ParseMoment reads a moment: start, init, now, the name of a function of the guest's, a guest-virtual address after 0x, or
// a number of instructions.
func ParseMoment(text string) (Moment, error) {
	const longest = 256
	if text == "" || len(text) > longest {
		return Moment{}, fmt.Errorf("moment %q: want %s, %s, %s, a function, an address or a number of instructions", text, Start, Init, Now)
	}
	if c := text[0]; c < '0' || c > '9' {
		if strings.ContainsAny(text, ",:#@ ") {
			return Moment{}, fmt.Errorf("moment %q: no function has such a name", text)
		}
		return Moment{Name: text}, nil
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return Moment{}, fmt.Errorf("moment %q: want an address or a number of instructions", text)
	}
	return Moment{Value: n, Place: strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X")}, nil
}

// Parse reads KIND[:N][@MOMENT][#SEED]. Without them the first occasion counts, from the attack's own moment on, and the seed
// is 0.
func Parse(text string) (Attack, error) {
	rest, seed, seeded := strings.Cut(text, "#")
	rest, moment, timed := strings.Cut(rest, "@")
	name, n, counted := strings.Cut(rest, ":")
	k, ok := Named(name)
	if !ok || k.Lie != "" {
		return Attack{}, fmt.Errorf("host attack %q: there are %s", name, strings.Join(hostKinds(), ", "))
	}
	a := Attack{Kind: name, N: 1, At: k.At}
	var err error
	if counted {
		if a.N, err = strconv.ParseUint(n, 10, 64); err != nil || a.N == 0 || a.N > math.MaxInt64 {
			return Attack{}, fmt.Errorf("host attack %s:%s: want a number from 1 after the colon", name, n)
		}
	}
	if timed {
		if a.At, err = ParseMoment(moment); err != nil {
			return Attack{}, fmt.Errorf("host attack %s: %w", text, err)
		}
	}
	if seeded {
		if a.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			return Attack{}, fmt.Errorf("host attack %s: want a number from 0 after #", text)
		}
	}
	return a, nil
}

// String is what Parse reads, as short as it can be.
func (a Attack) String() string {
	text := fmt.Sprintf("%s:%d", a.Kind, a.N)
	if k, ok := Named(a.Kind); !ok || k.At != a.At {
		text += "@" + a.At.String()
	}
	if a.Seed != 0 {
		text += fmt.Sprintf("#%d", a.Seed)
	}
	return text
}
