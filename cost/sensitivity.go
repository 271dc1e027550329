package cost

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// A Sensitivity is how much of a figure rests on numbers of the model that are estimates ([Row.Uncertain]). It is
// arithmetic on tallies: how often things happened stays as it was counted, and so does the time in which the processor
// waited. In a run with other costs the guest's timers would tick more or less often; this is left out.
type Sensitivity struct {
	Figure    float64 // by the model as it is
	Swings    []Swing // of each estimate that moves the figure, the one that moves it most first
	Low, High float64 // the least and the most that the figure can be while each estimate is between half and double
}

// A Swing is how a figure moves with one number of a model.
type Swing struct {
	Row
	Halved, Doubled float64 // the figure, where the number is half or twice what it is
}

// Span is how far the figure moves.
func (s Swing) Span() float64 { return math.Abs(s.Doubled - s.Halved) }

// SensitivityOfTime is that of the time that a tally takes, in nanoseconds.
func SensitivityOfTime(m Model, t Tally) Sensitivity {
	return quotient{over: termsOf(m, t), under: terms{fixed: 1}}.sensitivity(m)
}

// SensitivityOfRatio is that of how many times as long as under over takes. Both were counted with the same model. The
// error says that under takes no time.
func SensitivityOfRatio(m Model, over, under Tally) (Sensitivity, error) {
	if under.Time(m) == 0 {
		return Sensitivity{}, errors.New("a run that takes no time has no ratio to another")
	}
	return quotient{termsOf(m, over), termsOf(m, under)}.sensitivity(m), nil
}

// terms are the summands of a time, in nanoseconds.
type terms struct {
	fixed     float64         // of what is no estimate
	estimated [events]float64 // of each estimate
}

func termsOf(m Model, t Tally) terms {
	s := terms{fixed: float64(t.fixed())}
	for _, row := range m.Table() {
		ns := float64(t.Count(row.Event)) * float64(row.NS)
		if row.Uncertain() {
			s.estimated[row.Event] = ns
		} else {
			s.fixed += ns
		}
	}
	return s
}

// times is the sum where each estimate is so many times what the model says.
func (s terms) times(factors [events]float64) float64 {
	sum := s.fixed
	for e, f := range factors {
		sum += float64(s.estimated[e] * f)
	}
	return sum
}

type quotient struct{ over, under terms }

func (q quotient) times(factors [events]float64) float64 {
	return q.over.times(factors) / q.under.times(factors)
}

func (q quotient) sensitivity(m Model) Sensitivity {
	asIs := uniform(1)
	s := Sensitivity{Figure: q.times(asIs)}
	for _, row := range m.Table() {
		if q.over.estimated[row.Event] == 0 && q.under.estimated[row.Event] == 0 {
			continue
		}
		half, twice := asIs, asIs
		half[row.Event], twice[row.Event] = 0.5, 2
		s.Swings = append(s.Swings, Swing{row, q.times(half), q.times(twice)})
	}
	slices.SortStableFunc(s.Swings, func(a, b Swing) int { return cmp.Compare(b.Span(), a.Span()) })
	s.Low, s.High = q.bounds()
	return s
}

// bounds finds the least and the most. A quotient of two sums is extreme where every number is at one of its ends, and
// which is at which follows from its share above the line against that below: of the numbers in that order some first
// ones are at one end, and all others at the other.
func (q quotient) bounds() (low, high float64) {
	var order []Event
	for e := range events {
		if q.over.estimated[e] != 0 || q.under.estimated[e] != 0 {
			order = append(order, e)
		}
	}
	slices.SortStableFunc(order, func(a, b Event) int {
		return cmp.Compare(q.over.estimated[b]*q.under.estimated[a], q.over.estimated[a]*q.under.estimated[b])
	})
	least, most := uniform(2), uniform(0.5)
	low, high = q.times(least), q.times(most)
	for _, e := range order {
		least[e], most[e] = 0.5, 2
		low, high = min(low, q.times(least)), max(high, q.times(most))
	}
	return low, high
}

func uniform(f float64) (factors [events]float64) {
	for e := range factors {
		factors[e] = f
	}
	return factors
}
