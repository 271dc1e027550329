package report

// Line builds one line of a report. It uses neither fmt nor strconv: the init is meant to be small, for a processor in
// software runs it.
type Line []byte

// Start empties the line and begins it with a keyword.
func (l *Line) Start(keyword string) *Line {
	*l = append((*l)[:0], keyword...)
	return l
}

// Text appends a blank and text. Bytes that would end the line become blanks.
func (l *Line) Text(text string) *Line {
	*l = append(*l, ' ')
	for i := range len(text) {
		c := text[i]
		if c == '\n' || c == '\r' {
			c = ' '
		}
		*l = append(*l, c)
	}
	return l
}

// Number appends a blank and a decimal number.
func (l *Line) Number(n uint64) *Line {
	*l = append(*l, ' ')
	return l.digits(n)
}

// Field appends a blank, the name, an equals sign and a decimal number.
func (l *Line) Field(name string, n uint64) *Line {
	*l = append(*l, ' ')
	*l = append(*l, name...)
	*l = append(*l, '=')
	return l.digits(n)
}

// Bytes ends the line and returns it, cut to what a reader takes. It is good until the next Start.
func (l *Line) Bytes() []byte {
	if len(*l) > MaxLine {
		*l = (*l)[:MaxLine]
	}
	*l = append(*l, '\n')
	return *l
}

func (l *Line) digits(n uint64) *Line {
	var text [20]byte
	at := len(text)
	for {
		at--
		text[at] = byte('0' + n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	*l = append(*l, text[at:]...)
	return l
}
