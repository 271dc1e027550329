package oracle

import (
	"fmt"
	"strings"
)

// Literal returns the case as an element of a []*Case, to be pasted into the table of past failures.
func (c *Case) Literal() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("\t{")
	line("\t\tName: %q,", c.Name)
	line("\t\tCode: []byte{%s},", hexBytes(c.Code))
	line("\t\tIn: State{")
	line("\t\t\tRIP: %#x, Flags: %#x, MXCSR: %#x,", c.In.RIP, c.In.Flags, c.In.MXCSR)
	var fields []string
	for i, v := range c.In.GPR {
		if v != 0 {
			fields = append(fields, fmt.Sprintf("%d: %#x", i, v))
		}
	}
	if fields != nil {
		line("\t\t\tGPR: [16]uint64{%s},", strings.Join(fields, ", "))
	}
	fields = nil
	for i, v := range c.In.XMM {
		if v != [2]uint64{} {
			fields = append(fields, fmt.Sprintf("%d: {%#x, %#x}", i, v[0], v[1]))
		}
	}
	if fields != nil {
		line("\t\t\tXMM: [16][2]uint64{%s},", strings.Join(fields, ", "))
	}
	fields = nil
	for i, v := range c.In.X87.ST {
		if v != (Float80{}) {
			fields = append(fields, fmt.Sprintf("%d: {%#x, %#x}", i, v.Significand, v.SignExp))
		}
	}
	x := &c.In.X87
	st := ""
	if fields != nil {
		st = fmt.Sprintf(", ST: [8]Float80{%s}", strings.Join(fields, ", "))
	}
	line("\t\t\tX87: X87{FCW: %#x, FSW: %#x, FTW: %#x%s},", x.FCW, x.FSW, x.FTW, st)
	line("\t\t},")
	if len(c.Mem) > 0 {
		line("\t\tMem: []Bytes{")
		for _, m := range c.Mem {
			line("\t\t\t{%#x, []byte{%s}},", m.Addr, hexBytes(m.Data))
		}
		line("\t\t},")
	}
	if s := c.Skip.literal(); s != "" {
		line("\t\tSkip: Skip{%s},", s)
	}
	line("\t},")
	return b.String()
}

func (s *Skip) literal() string {
	var fields []string
	field := func(wanted bool, format string, args ...any) {
		if wanted {
			fields = append(fields, fmt.Sprintf(format, args...))
		}
	}
	field(s.Flags != 0, "Flags: %#x", s.Flags)
	field(s.Early != 0, "Early: %#x", s.Early)
	field(s.FSW != 0, "FSW: %#x", s.FSW)
	field(s.CR2, "CR2: true")
	if len(s.Mem) > 0 {
		var spans []string
		for _, m := range s.Mem {
			spans = append(spans, fmt.Sprintf("{%#x, %d}", m.Addr, m.Len))
		}
		field(true, "Mem: []Span{%s}", strings.Join(spans, ", "))
	}
	return strings.Join(fields, ", ")
}

func hexBytes(b []byte) string {
	s := make([]string, len(b))
	for i, v := range b {
		s[i] = fmt.Sprintf("%#02x", v)
	}
	return strings.Join(s, ", ")
}
