package compare

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/tacit-vm/tacit/record"
)

// A Condition is what a run is not to be, against its base: "init > 1.05x".
type Condition struct {
	Metric *Metric
	More   bool    // > and not <
	Times  float64 // as much as the base
}

var aCondition = regexp.MustCompile(`^\s*([A-Za-z_-]+)\s*(>=|<=|[<>=])\s*([0-9]+(?:\.[0-9]+)?)\s*(\S*)\s*$`)

// maxTimes bounds a condition's factor. What is larger is a mistake in the unit.
const maxTimes = 1e6

// ParseCondition reads a metric's name, > or <, and a number with x: times as much as the base.
func ParseCondition(text string) (Condition, error) {
	parts := aCondition.FindStringSubmatch(text)
	if parts == nil {
		return Condition{}, fmt.Errorf("%q is not a condition: give one such as init > 1.05x", text)
	}
	metric, err := MetricNamed(parts[1])
	if err != nil {
		return Condition{}, err
	}
	times, err := strconv.ParseFloat(parts[3], 64)
	switch sign, unit := parts[2], parts[4]; {
	case sign != "<" && sign != ">":
		return Condition{}, fmt.Errorf("%q: %s is neither > nor <", text, sign)
	case unit == "":
		return Condition{}, fmt.Errorf("%q: times as much as the base is written with an x: %s %s %sx", text, metric.Name, sign, parts[3])
	case unit != "x":
		return Condition{}, fmt.Errorf("%q: %s is compared with the base: give a number with x, such as %s %s 1.05x", text, metric.Name, metric.Name, sign)
	case err != nil || times > maxTimes:
		return Condition{}, fmt.Errorf("%q: %s is more than %.0f times the base", text, parts[3], maxTimes)
	}
	return Condition{metric, parts[2] == ">", times}, nil
}

func (c Condition) String() string {
	sign := "<"
	if c.More {
		sign = ">"
	}
	return fmt.Sprintf("%s %s %sx", c.Metric.Name, sign, strconv.FormatFloat(c.Times, 'f', -1, 64))
}

// Judge says whether the run is so, and how many times the base it is. An error says why that cannot be told: one of the
// two did not get so far, or they ended in different ways.
func (c Condition) Judge(r, base *record.Record) (met bool, err error) {
	if r == nil || base == nil {
		return false, fmt.Errorf("a run is missing")
	}
	if r.Outcome != base.Outcome {
		return false, fmt.Errorf("it ended with %s, and its base with %s", r.Outcome, base.Outcome)
	}
	n, b := c.Metric.Of(r), c.Metric.Of(base)
	if n == nil || b == nil {
		return false, fmt.Errorf("%s is not known: the outcome is %s", c.Metric.Name, r.Outcome)
	}
	if c.More {
		return float64(*n) > c.Times*float64(*b), nil
	}
	return float64(*n) < c.Times*float64(*b), nil
}
