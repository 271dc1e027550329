package firmware

import (
	"strings"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_UNICODE_COLLATION_PROTOCOL (UEFI 2.10, section 13.11), which the Shell compares names by. It knows English.

// upper and lower change the letters A to Z, as is done in names of FAT.
func upper(c uint16) uint16 {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func lower(c uint16) uint16 {
	if c >= 'A' && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}

// striColl(*This, *Str1, *Str2) returns which comes first, whatever the case of letters is.
func (f *Firmware) striColl(a args) error {
	s, err := f.loadString(a[1], maxString)
	if err != nil {
		return err
	}
	t, err := f.loadString(a[2], maxString)
	if err != nil {
		return err
	}
	order := len(s) - len(t)
	for i := range min(len(s), len(t)) {
		if d := int(upper(s[i])) - int(upper(t[i])); d != 0 {
			order = d
			break
		}
	}
	f.ret = uint64(int64(order))
	return nil
}

// metaiMatch(*This, *String, *Pattern) returns whether a string is like a pattern, with *, ? and sets in brackets.
func (f *Firmware) metaiMatch(a args) error {
	s, err := f.loadString(a[1], maxName)
	if err != nil {
		return err
	}
	p, err := f.loadString(a[2], maxName)
	if err != nil {
		return err
	}
	if matches(s, p) {
		f.ret = 1
	}
	return nil
}

// matches goes back to the last * only, which is enough, and bounds the work by the product of the lengths.
func matches(s, p []uint16) bool {
	star, mark := -1, 0
	for i, j := 0, 0; ; {
		n, fits := 0, false
		if i < len(s) && j < len(p) && p[j] != '*' {
			n, fits = one(s[i], p[j:])
		}
		switch {
		case j < len(p) && p[j] == '*':
			star, mark = j, i
			j++
		case fits:
			i, j = i+1, j+n
		case i == len(s) && j == len(p):
			return true
		case star >= 0 && mark < len(s):
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
}

// one says whether a character is like the beginning of a pattern, and how long that is.
func one(c uint16, p []uint16) (n int, ok bool) {
	switch p[0] {
	case '?':
		return 1, true
	case '[':
		n, ok = 1, false
		for ; n < len(p) && p[n] != ']'; n++ {
			low, high := p[n], p[n]
			if n+2 < len(p) && p[n+1] == '-' && p[n+2] != ']' {
				high = p[n+2]
				n += 2
			}
			ok = ok || upper(c) >= upper(low) && upper(c) <= upper(high)
		}
		return n + 1, ok && n < len(p)
	}
	return 1, upper(c) == upper(p[0])
}

// strLwr(*This, *String) and strUpr change a string in place.
func (f *Firmware) strLwr(a args) error { return f.convert(a[1], lower) }
func (f *Firmware) strUpr(a args) error { return f.convert(a[1], upper) }

func (f *Firmware) convert(at uint64, letter func(uint16) uint16) error {
	s, err := f.loadString(at, maxString)
	if err != nil {
		return err
	}
	for i := range s {
		s[i] = letter(s[i])
	}
	return f.write(at, terminated(s))
}

// fatToStr(*This, FatSize, *Fat, *String)
func (f *Firmware) fatToStr(a args) error {
	b := make([]byte, min(a[1], maxName))
	if err := f.read(a[2], b); len(b) > 0 && err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(b), "\x00")
	return f.write(a[3], wide(text))
}

// strToFat(*This, *String, FatSize, *Fat) returns whether something in the string has no place in a FAT name.
func (f *Firmware) strToFat(a args) error {
	s, err := f.loadString(a[1], maxName)
	if err != nil {
		return err
	}
	var b []byte
	for _, c := range s {
		switch {
		case c == '.' || c == ' ':
		case c > '~' || c < ' ' || strings.ContainsRune(`"*+,/:;<=>?[\]|`, rune(c)):
			f.ret = 1
			b = append(b, '_')
		default:
			b = append(b, byte(upper(c)))
		}
	}
	b = append(b, 0)
	if n := min(a[2], uint64(len(b))); n > 0 {
		return f.write(a[3], b[:n])
	}
	return nil
}

// publishCollation installs the protocol.
func (f *Firmware) publishCollation() error {
	p, err := f.publish(0, uefi.UnicodeCollation2ProtocolGUID, uefi.UnicodeCollationSize, unicodeCollation)
	if err != nil {
		return err
	}
	languages, err := f.putPool(uefi.BootServicesData, []byte("en\x00"))
	if err != nil {
		return err
	}
	return f.put64(p.address+uefi.UnicodeCollationLanguages, languages)
}
