package uefi

// A GUID is an EFI_GUID as it lies in memory (UEFI 2.10, appendix A). Its text has the first three numbers in
// the order of reading, while memory has them little endian:
//
//	c5a010fe-38a7-4531-8a4a-0500d2fd1649
//	fe 10 a0 c5  a7 38  31 45  8a 4a  05 00 d2 fd 16 49
type GUID [16]byte

// inText is the index in a GUID of each byte of its text.
var inText = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

// guidLen is the length of a GUID's text, and dash says where the dashes are in it.
const guidLen = 36

func dash(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

// String returns the text of g, in lower case.
func (g GUID) String() string {
	const digits = "0123456789abcdef"
	var text [guidLen]byte
	at := 0
	for _, i := range inText {
		if dash(at) {
			text[at] = '-'
			at++
		}
		text[at], text[at+1] = digits[g[i]>>4], digits[g[i]&15]
		at += 2
	}
	return string(text[:])
}

// ParseGUID reads the text form of a GUID, in lower or upper case and without braces.
func ParseGUID(text string) (GUID, error) {
	if len(text) != guidLen {
		return GUID{}, formatError("the text of a GUID has 36 characters")
	}
	var g GUID
	at := 0
	for _, i := range inText {
		if dash(at) {
			if text[at] != '-' {
				return GUID{}, badGUID(text)
			}
			at++
		}
		high, ok1 := digit(text[at])
		low, ok2 := digit(text[at+1])
		if !ok1 || !ok2 {
			return GUID{}, badGUID(text)
		}
		g[i] = high<<4 | low
		at += 2
	}
	return g, nil
}

// MustParseGUID is [ParseGUID] for constants of a program. It panics if text is not the text of a GUID.
func MustParseGUID(text string) GUID {
	g, err := ParseGUID(text)
	if err != nil {
		panic(err.Error())
	}
	return g
}

func badGUID(text string) error {
	return formatError("GUID " + text + " is not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

func digit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
