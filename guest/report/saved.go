package report

// A Progress is all that a parser has kept of the bytes before: with it another one goes on.
type Progress struct {
	Report   Report
	Line     []byte // not yet ended
	Overlong bool   // and to be skipped
	Ignored  int    // lines
}

// Progress returns how far p is. It shares what it has of the parser's.
func (p *Parser) Progress() Progress { return Progress{p.report, p.line, p.overlong, p.ignored} }

// GoOn makes p a parser that has come as far.
func (p *Parser) GoOn(from Progress) {
	p.report, p.line, p.overlong, p.ignored = from.Report, from.Line, from.Overlong, from.Ignored
}
