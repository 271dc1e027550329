package physical

import "fmt"

// PageSize is the size of page that an operation works on, by its level in TDX terms (TDX module ABI,
// TDG.MEM.PAGE.ACCEPT: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB). SEV-SNP has the first two.
type PageSize uint8

// Sizes of pages.
const (
	Size4K PageSize = iota
	Size2M
	Size1G

	PageSizes // how many there are
)

var pageSizeNames = [PageSizes]string{Size4K: "4K", Size2M: "2M", Size1G: "1G"}

// Bytes is how much one page of that size holds.
func (s PageSize) Bytes() uint64 { return 4096 << (9 * min(s, Size1G)) }

func (s PageSize) String() string { return word(pageSizeNames[:], s) }

// MarshalText writes the size as records have it: "4K", "2M", "1G".
func (s PageSize) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *PageSize) UnmarshalText(text []byte) error { return unword(pageSizeNames[:], text, s) }

func word[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", uint8(v))
}

func unword[T ~uint8](names []string, text []byte, v *T) error {
	for i, name := range names {
		if name == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %q", text, names)
}
