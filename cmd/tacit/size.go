package main

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// size is an amount of memory in bytes, as a flag: a number and K, M, G or T, which are powers of 1024.
type size uint64

// sizeHelp is the part of --help that says what a SIZE is.
const sizeHelp = "SIZE is a number with K, M, G or T, such as 512M, 1.5G or 4GiB. All are powers of 1024, GB too, as memory is sold;\n" +
	"without a letter it is in bytes.\n\n"

var (
	aSize = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$`)

	// sizeUnits are the powers of 2 that units stand for.
	sizeUnits = map[string]uint{
		"": 0, "B": 0, "K": 10, "KB": 10, "KIB": 10, "M": 20, "MB": 20, "MIB": 20, "G": 30, "GB": 30, "GIB": 30, "T": 40, "TB": 40, "TIB": 40,
	}
)

// parseSize reads "4G", "1.5G", "256M", "2m", "64GiB", "4GB" or a number of bytes.
func parseSize(text string) (size, error) {
	parts := aSize.FindStringSubmatch(text)
	if parts == nil {
		return 0, notASize(text)
	}
	shift, known := sizeUnits[strings.ToUpper(parts[2])]
	bytes, ok := new(big.Rat).SetString(parts[1])
	if !known || !ok {
		return 0, notASize(text)
	}
	bytes.Mul(bytes, new(big.Rat).SetInt64(1<<shift))
	switch {
	case !bytes.IsInt():
		return 0, fmt.Errorf("%s is %s bytes: give a size that is a whole number of them", text, bytes.FloatString(1))
	case !bytes.Num().IsUint64():
		return 0, fmt.Errorf("%q is more than 64 bits hold", text)
	}
	return size(bytes.Num().Uint64()), nil
}

// notASize says what a size is, and which one was probably meant.
func notASize(text string) error {
	const want = "give a number with K, M, G or T, such as 512M or 1.5G"
	// 4 GB, 1,5G; and 4gigs, 4GX
	tight := strings.NewReplacer(" ", "", ",", ".", "_", "").Replace(text)
	if parts := aSize.FindStringSubmatch(tight); parts != nil {
		unit := strings.ToUpper(parts[2])
		if _, known := sizeUnits[unit]; !known {
			tight = parts[1] + unit[:1]
		}
		if _, known := sizeUnits[strings.ToUpper(strings.TrimLeft(tight, "0123456789."))]; known {
			return fmt.Errorf("%q is not a size: did you mean %s? %s%s", text, tight, strings.ToUpper(want[:1]), want[1:])
		}
	}
	return fmt.Errorf("%q is not a size: %s", text, want)
}

// String writes the size as parseSize reads it.
func (s size) String() string {
	for _, unit := range []struct {
		letter string
		shift  uint
	}{{"T", 40}, {"G", 30}, {"M", 20}, {"K", 10}} {
		if s != 0 && s&(1<<unit.shift-1) == 0 {
			return strconv.FormatUint(uint64(s)>>unit.shift, 10) + unit.letter
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Set and Type make *size a flag's value.

func (s *size) Set(text string) (err error) {
	v, err := parseSize(text)
	if err == nil {
		*s = v
	}
	return err
}

func (*size) Type() string { return "SIZE" }
