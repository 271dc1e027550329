package cost

import (
	"math"
	"math/rand/v2"
	"testing"
)

// aTally has some of every event that the model has a cost for.
func aTally(r *rand.Rand, m Model) Tally {
	t := Tally{Waited: r.Int64N(1e9)}
	for _, row := range m.Table() {
		if r.IntN(4) > 0 {
			t.Add(row.Event, r.Uint64N(1e6))
		}
	}
	return t
}

// The time of a tally is the sum that the package's documentation gives.
func TestTallyTime(t *testing.T) {
	m := TDX()
	tally := Tally{Waited: 7}
	tally.Add(Instruction, 1000)
	tally.Add(Exit, 2)
	tally.Add(Exit, 1)
	tally.Add(TDXAccept4K, 5)
	tally.Add(Event(200), 5)
	if got, want := tally.Time(m), int64(7+1000+3*2500+5*2000); got != want || tally.Count(Exit) != 3 || tally.Count(Event(200)) != 0 {
		t.Errorf("%d ns, want %d; %d exits", got, want, tally.Count(Exit))
	}
	tally.Add(Exit, math.MaxUint64/2)
	if got := tally.Time(m); got != math.MaxInt64 {
		t.Errorf("%d ns: time has come round", got)
	}
}

// A tally of exits and instructions, whose figures can be worked out by hand.
func TestSensitivityByHand(t *testing.T) {
	m := TDX()
	eager, lazy := Tally{}, Tally{Waited: 1000}
	eager.Add(TDXAccept2M, 10) // an estimate of 206,400 ns
	eager.Add(TDXAccept4K, 100)
	lazy.Add(TDXAccept2M, 1)
	lazy.Add(TDXAccept4K, 100) // derived: 200,000 ns that stay

	s := SensitivityOfTime(m, lazy)
	if len(s.Swings) != 1 || s.Swings[0].Event != TDXAccept2M {
		t.Fatalf("%+v: want accept-2m alone, since accept-4k is no estimate", s.Swings)
	}
	for what, c := range map[string][2]float64{
		"figure":  {s.Figure, 407_400},
		"halved":  {s.Swings[0].Halved, 304_200},
		"doubled": {s.Swings[0].Doubled, 613_800},
		"low":     {s.Low, 304_200},
		"high":    {s.High, 613_800},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %v, want %v", what, c[0], c[1])
		}
	}
	ratio, err := SensitivityOfRatio(m, eager, lazy)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2_264_000.0 / 407_400; ratio.Figure != want {
		t.Errorf("ratio %v, want %v", ratio.Figure, want)
	}
	if got, want := ratio.Swings[0].Halved, 1_232_000.0/304_200; got != want || ratio.Low != want {
		t.Errorf("halved %v, low %v, want %v", got, ratio.Low, want)
	}
	if _, err := SensitivityOfRatio(m, eager, Tally{}); err == nil {
		t.Error("a ratio to nothing")
	}
}

// Low and High are what trying all corners finds, and halving or doubling a number is running the tally again with it.
func TestBoundsAreThoseOfAllCorners(t *testing.T) {
	const seed = 11
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, seed))
	for round := range 60 {
		m := Models()[round%3]
		q := quotient{termsOf(m, aTally(r, m)), termsOf(m, aTally(r, m))}
		var uncertain []Event
		for _, row := range m.Table() {
			if row.Uncertain() {
				uncertain = append(uncertain, row.Event)
			}
		}
		low, high := math.Inf(1), math.Inf(-1)
		for corner := range 1 << len(uncertain) {
			factors := uniform(1)
			for i, e := range uncertain {
				factors[e] = 0.5
				if corner>>i&1 != 0 {
					factors[e] = 2
				}
			}
			low, high = min(low, q.times(factors)), max(high, q.times(factors))
		}
		gotLow, gotHigh := q.bounds()
		if math.Abs(gotLow/low-1) > 1e-12 || math.Abs(gotHigh/high-1) > 1e-12 {
			t.Errorf("%s: %v to %v, want %v to %v", m.Name(), gotLow, gotHigh, low, high)
		}
		for i, s := range q.sensitivity(m).Swings {
			if i > 0 && s.Span() > q.sensitivity(m).Swings[i-1].Span() {
				t.Errorf("%v moves it more than the one before", s.Event)
			}
		}
	}
}
