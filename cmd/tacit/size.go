package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is an amount of memory in bytes, as a flag: a whole number and K, M, G or T, which are powers of 1024.
type size uint64

// parseSize reads "4G", "256M", "2m", "64GiB" or a number of bytes.
func parseSize(text string) (size, error) {
	digits := strings.TrimRight(text, "KMGTIBkmgtib")
	shift, known := map[string]uint{
		"": 0, "B": 0, "K": 10, "KIB": 10, "M": 20, "MIB": 20, "G": 30, "GIB": 30, "T": 40, "TIB": 40,
	}[strings.ToUpper(text[len(digits):])]
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case !known, err != nil && n != math.MaxUint64:
		return 0, fmt.Errorf("%q is not a size: give a whole number with K, M, G or T, such as 512M or 4G", text)
	case err != nil, n > math.MaxUint64>>shift:
		return 0, fmt.Errorf("%q is more than 64 bits hold", text)
	}
	return size(n << shift), nil
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
