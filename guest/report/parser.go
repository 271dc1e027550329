package report

import (
	"strconv"
	"strings"
)

// Bounds on what a guest can make a parser keep.
const (
	maxSnapshots = 256
	maxErrors    = 16
	maxAnswers   = 16
	maxName      = 64 // bytes
)

// Mark is the instant of a "begin" or "end" line.
type Mark struct {
	Snapshot string
	End      bool
}

// Parser reads a report as its bytes arrive. The bytes are a guest's and may be anything: what is not a line of a
// report is skipped, memory is bounded, and nothing panics.
type Parser struct {
	// OnMark, if set, is called with the last byte of each "begin" and "end" line, before Write returns. It is how the
	// machine looks at its own books at the instant the guest looks at its own.
	OnMark func(Mark)

	report   Report
	line     []byte // not yet ended
	overlong bool
	ignored  int
}

// Write takes the next bytes from the serial port. It never fails.
func (p *Parser) Write(b []byte) (int, error) {
	for _, c := range b {
		switch {
		case c == '\n':
			if p.overlong || !p.take(strings.TrimSuffix(string(p.line), "\r")) {
				p.ignored++
			}
			p.line, p.overlong = p.line[:0], false
		case len(p.line) < MaxLine:
			p.line = append(p.line, c)
		default:
			p.overlong = true
		}
	}
	return len(b), nil
}

// Report returns what was reported so far. It shares its slices and maps with the parser.
func (p *Parser) Report() Report { return p.report }

// Ignored returns the number of lines that were not understood.
func (p *Parser) Ignored() int { return p.ignored }

// Parse reads a whole report.
func Parse(text []byte) Report {
	var p Parser
	p.Write(text)
	return p.Report()
}

// take understands one line, or returns false. Firmware may have used the port as a console before, and left a line begun.
func (p *Parser) take(line string) bool {
	r := &p.report
	if at := strings.LastIndex(line, Header+" "); at > 0 && r.Version == 0 {
		line = line[at:]
	}
	keyword, rest, _ := strings.Cut(line, " ")
	if keyword == Header {
		version, err := strconv.ParseUint(rest, 10, 16)
		if err != nil || version == 0 || r.Version != 0 {
			return false
		}
		r.Version = int(version)
		return true
	}
	if r.Version == 0 || r.Done {
		return false // something else uses the port
	}
	switch keyword {
	case Begin, End:
		return p.mark(rest, keyword == End)
	case Meminfo, VMStat, Clock:
		return p.fields(keyword, rest)
	case Uname:
		r.Release, r.Build, _ = strings.Cut(rest, " ")
	case Cmdline:
		r.Cmdline = rest
	case CPUFlags:
		r.CPUFlags = strings.Fields(rest)
	case VMPL:
		level, err := strconv.Atoi(rest)
		if err != nil || level < 0 || level > 3 { // AMD APM volume 2: VMPL0 to VMPL3
			return false
		}
		r.VMPL = &level
	case Took:
		what, digits, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || what == "" || len(what) > maxName || len(r.Took) == maxAnswers {
			return false
		}
		r.Took = append(r.Took, Answer{what, n})
	case Touched:
		n, err := strconv.ParseUint(rest, 10, 64)
		if err != nil {
			return false
		}
		r.Touched = n
	case Error:
		if len(r.Errors) == maxErrors {
			return false
		}
		r.Errors = append(r.Errors, rest)
	case Done:
		r.Done = true
	default:
		return false
	}
	return true
}

// mark begins or ends a snapshot.
func (p *Parser) mark(name string, end bool) bool {
	r := &p.report
	if end {
		if len(r.Snapshots) == 0 || r.Snapshots[len(r.Snapshots)-1].Name != name {
			return false
		}
	} else {
		if _, taken := r.Snapshot(name); taken || name == "" || len(r.Snapshots) == maxSnapshots {
			return false
		}
		r.Snapshots = append(r.Snapshots, Snapshot{Name: name, Meminfo: map[string]uint64{}, VMStat: map[string]uint64{}})
	}
	if p.OnMark != nil {
		p.OnMark(Mark{name, end})
	}
	return true
}

// fields reads name=number pairs into the last snapshot.
func (p *Parser) fields(keyword, rest string) bool {
	if len(p.report.Snapshots) == 0 {
		return false
	}
	s := &p.report.Snapshots[len(p.report.Snapshots)-1]
	for field := range strings.FieldsSeq(rest) {
		name, digits, _ := strings.Cut(field, "=")
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return false
		}
		switch keyword {
		case Meminfo:
			if n > 1<<53 { // KiB; more is beyond any address
				return false
			}
			keep(s.Meminfo, MeminfoFields, name, n<<10)
		case VMStat:
			keep(s.VMStat, VMStatFields, name, n)
		case Clock:
			switch name {
			case "monotonic":
				s.Monotonic = n
			case "realtime":
				s.Realtime = n
			}
		}
	}
	return true
}

// keep stores a field that is one of the known ones; a guest can invent names without end.
func keep(in map[string]uint64, known []string, name string, n uint64) {
	for _, k := range known {
		if k == name {
			in[k] = n
		}
	}
}
