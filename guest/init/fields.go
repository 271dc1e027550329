//go:build linux

package main

// The files read here are a few lines of text from the kernel. What follows finds a word in them without a library.

// after returns the rest of the line that begins with prefix.
func after(file []byte, prefix string) (rest string, ok bool) {
	for start := 0; start < len(file); start++ {
		if start+len(prefix) <= len(file) && string(file[start:start+len(prefix)]) == prefix {
			return firstLine(file[start+len(prefix):]), true
		}
		for start < len(file) && file[start] != '\n' {
			start++
		}
	}
	return "", false
}

func firstLine(file []byte) string {
	for i, c := range file {
		if c == '\n' {
			return string(file[:i])
		}
	}
	return string(file)
}

// value returns the number of the line "NAME<separator> number".
func value(file []byte, name string, separator byte) (n uint64, ok bool) {
	rest, ok := after(file, name+string(rune(separator)))
	if !ok {
		return 0, false
	}
	return number([]byte(rest))
}

// number reads the decimal number at the start of a line, after blanks. A number beyond 64 bits is none.
func number(line []byte) (n uint64, ok bool) {
	i := 0
	for i < len(line) && line[i] == ' ' {
		i++
	}
	for ; i < len(line) && '0' <= line[i] && line[i] <= '9'; i++ {
		digit := uint64(line[i] - '0')
		if n > (1<<64-1-digit)/10 {
			return 0, false
		}
		n, ok = n*10+digit, true
	}
	return n, ok
}

// parameter returns the size that a parameter on the kernel's command line states.
func parameter(cmdline []byte, name string) (size uint64, ok bool) {
	for i := range cmdline {
		if i > 0 && cmdline[i-1] != ' ' || len(cmdline)-i < len(name) || string(cmdline[i:i+len(name)]) != name {
			continue
		}
		rest := cmdline[i+len(name):]
		if size, ok = number(rest); !ok {
			return 0, false
		}
		for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' {
			rest = rest[1:]
		}
		shift := 0
		if len(rest) > 0 {
			switch rest[0] {
			case 'K':
				shift = 10
			case 'M':
				shift = 20
			case 'G':
				shift = 30
			}
		}
		return size << shift, size<<shift>>shift == size
	}
	return 0, false
}
