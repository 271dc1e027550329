package study

import "github.com/tacit-vm/tacit/record"

// A chart is a block's boots as bars: how long each took to its init, and what that went to. Its scale is its own, since
// only what is in one block is held against each other.
type chart struct {
	Title string
	Bars  []bar
}

type bar struct {
	Label string
	Parts []part
	End   int    // where the last part ends
	Text  string // the time and the ratio, or why there is none
}

// part is a stretch of a bar, in thousandths of the longest.
type part struct {
	Class       string
	From, Width int
}

// whole is how long the longest bar is.
const whole = 1000

func (s *Study) charts() (all []chart) {
	for _, block := range s.Blocks {
		longest := int64(1)
		for _, b := range block.Boots {
			longest = max(longest, timeOf(b.shares()))
		}
		c := chart{Title: block.Title}
		for _, row := range s.Rows(block) {
			c.Bars = append(c.Bars, s.bar(row, longest))
		}
		all = append(all, c)
	}
	return all
}

func timeOf(shares []share) (ns int64) {
	for _, sh := range shares {
		ns += sh.NS
	}
	return ns
}

func (s *Study) bar(row Row, longest int64) bar {
	b := bar{Label: s.label(row.Boot)}
	shares := row.shares()
	if shares == nil {
		b.Text = "no init: " + row.Outcome()
		return b
	}
	var sum int64
	for _, sh := range shares {
		// Every border is rounded by itself, so that no error adds up.
		sum += sh.NS
		if to := int(float64(sum)/float64(longest)*whole + 0.5); to > b.End {
			b.Parts = append(b.Parts, part{sh.Class, b.End, to - b.End})
			b.End = to
		}
	}
	b.Text = record.FormatNS(sum)
	n, known := row.Times["init"]
	switch {
	case row.Eager != nil:
		b.Text += " · eager : lazy " + ratio(row.Eager.Times)
	case row.Base != row.Boot && known:
		b.Text += " · " + ratio(n) + " times"
	}
	return b
}
