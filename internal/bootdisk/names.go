package bootdisk

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A name of eight and three letters is as good in small letters as in large ones. Any other one is kept in entries before that of
// the file (Microsoft, "FAT File System Specification", 2005, section 7), which has a short one that is made up.

const (
	longest       = 64 // letters, of a name
	perSlot       = 13 // letters of a long name
	attributeLong = 0x0f
	lastSlot      = 0x40
	letters       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
)

// shortNames are names as a directory has them, all different.
func shortNames(names []string) ([]string, error) {
	short, seen := make([]string, len(names)), map[string]bool{}
	for i, name := range names {
		if short[i] = shortName(name); seen[strings.ToUpper(name)] {
			return nil, fmt.Errorf("%q: there is one of that name already, in other letters", name)
		}
		seen[strings.ToUpper(name)] = true
	}
	for i, name := range names {
		if short[i] != "" {
			continue
		}
		upper := strings.ToUpper(name)
		if name == "" || len(name) > longest || strings.Trim(upper, letters+".+~") != "" || strings.Trim(upper, ".") != upper {
			return nil, fmt.Errorf("%q: not a name of at most %d letters, digits and - _ . + ~", name, longest)
		}
		stem, extension := upper, ""
		if dot := strings.LastIndexByte(upper, '.'); dot >= 0 {
			stem, extension = upper[:dot], upper[dot+1:]
		}
		good := func(s string, most int) string {
			s = strings.Map(func(c rune) rune {
				if strings.ContainsRune(letters, c) {
					return c
				}
				return -1
			}, s)
			return s[:min(len(s), most)]
		}
		for n := 1; short[i] == "" || slices.Contains(short[:i], short[i]) || slices.Contains(short[i+1:], short[i]); n++ {
			tail := fmt.Sprintf("~%d", n)
			short[i] = fmt.Sprintf("%-8s%-3s", good(stem, 8-len(tail))+tail, good(extension, 3))
		}
	}
	return short, nil
}

// shortName is a name as a directory has it; "" for one that is longer, or has other letters.
func shortName(name string) string {
	stem, extension, _ := strings.Cut(strings.ToUpper(name), ".")
	if stem == "" || strings.HasSuffix(name, ".") || len(stem) > 8 || len(extension) > 3 || strings.Trim(stem, letters) != "" || strings.Trim(extension, letters) != "" {
		return ""
	}
	return fmt.Sprintf("%-8s%-3s", stem, extension)
}

// longSlots is how many entries a name takes before that of its file.
func longSlots(name, short string) int {
	if shortName(name) == short {
		return 0
	}
	return (len(name) + perSlot - 1) / perSlot
}

// putLong writes these entries, the end of the name first, and says how many there are.
func putLong(b []byte, name, short string) int {
	n := longSlots(name, short)
	sum := byte(0)
	for i := range len(short) {
		sum = sum<<7 | sum>>1
		sum += short[i]
	}
	for number := range n {
		e := b[(n-1-number)*slotSize:][:slotSize]
		e[0], e[11], e[13] = byte(number+1), attributeLong, sum
		if number == n-1 {
			e[0] |= lastSlot
		}
		for i, at := range []int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30} {
			letter := uint16(0xffff)
			switch k := number*perSlot + i; {
			case k < len(name):
				letter = uint16(name[k])
			case k == len(name):
				letter = 0
			}
			binary.LittleEndian.PutUint16(e[at:], letter)
		}
	}
	return n
}
