package oracle

// Processors of different makers differ in corners that their manuals leave open, or where the manuals themselves
// differ. The interpreter models Intel's. On a host of another maker its answer is amended before it is compared: by
// what that maker's processors do otherwise, for the instructions and states concerned and no others. What cannot be
// foretold from Intel's answer, because the case goes on differently, is not compared there.

// A makerDifference is something that one maker's processors do otherwise.
type makerDifference struct {
	exclusion

	// amend changes the interpreter's outcome to what these processors give, where the case is one of those.
	amend func(m *meeting)
}

// makerDifferences are the tables, by the vendor's name in CPUID. Intel's is empty, and so is that of a maker of whom
// nothing is known.
var makerDifferences = map[string][]makerDifference{
	"AuthenticAMD": amdDifferences,
	"HygonGenuine": amdDifferences, // a Zen core
}

// A meeting is a case with the two outcomes that differ.
type meeting struct {
	*Case
	silicon *Outcome
	ours    Outcome // the interpreter's, amended
}

// settle amends the interpreter's outcome by the tables of a maker and returns the entries that did, where nothing
// differs any more.
func (c *Case) settle(vendor string, silicon, interpreter *Outcome) (by []string) {
	if silicon.Err != nil || interpreter.Err != nil {
		return nil
	}
	m := &meeting{c, silicon, *interpreter}
	left := len(c.Compare(silicon, &m.ours))
	for _, d := range makerDifferences[vendor] {
		before := m.ours
		d.amend(m)
		now := len(c.Compare(silicon, &m.ours))
		switch {
		case now >= left:
			m.ours = before // it had nothing to do with it
			continue
		case now == 0:
			return append(by, d.what)
		}
		left, by = now, append(by, d.what)
	}
	return nil
}

// concede takes silicon's outcome for the interpreter's: the case has gone another way, and no more can be said.
func (m *meeting) concede() {
	m.ours = *m.silicon
}

// concedeAfter concedes the case where instructions after x have worked on what it left, so that amending that was
// not enough.
func (m *meeting) concedeAfter(x *operation) {
	if !x.last && m.Compare(m.silicon, &m.ours) != nil {
		m.concede()
	}
}

// fault takes silicon's fault for the interpreter's, where both have faulted at the same instruction and the question
// is which of several faults comes first. The rest of the state stays as it is. Where the interpreter has not faulted
// there, the case is conceded.
func (m *meeting) fault() {
	if !m.ours.faulted() || m.ours.RIP != m.silicon.RIP {
		m.concede()
		return
	}
	m.ours.Vector, m.ours.Code, m.ours.CR2 = m.silicon.Vector, m.silicon.Code, m.silicon.CR2
}

// faulted says whether an instruction was refused: not the end of a case, nor a trap after an instruction.
func (o *Outcome) faulted() bool {
	return o.Err == nil && o.Vector != vectorBP && o.Vector != vectorDB && o.Vector != vectorOF
}
