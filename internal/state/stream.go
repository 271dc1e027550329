package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Stream carries state in one direction: [Out] of the parts, or [In] to them.
type Stream struct {
	b   []byte // what has been written, or what is left to be read
	in  bool
	err error
}

// Out returns a stream that writes. [Stream.Bytes] is what comes of it.
func Out() *Stream { return &Stream{} }

// In returns a stream that reads what another one has written. [Stream.End] says whether that went well.
func In(b []byte) *Stream { return &Stream{b: b, in: true} }

// Reading says whether state is read back.
func (s *Stream) Reading() bool { return s.in }

// Bytes returns what has been written.
func (s *Stream) Bytes() []byte { return s.b }

// Fail notes that what has been read cannot be. The first reason counts, and nothing more is read.
func (s *Stream) Fail(format string, a ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, a...)
	}
}

// Check fails where something does not hold of what has been read.
func (s *Stream) Check(holds bool, what string) {
	if s.in && !holds {
		s.Fail("%s", what)
	}
}

// Err is the reason for which reading has failed, or nil.
func (s *Stream) Err() error { return s.err }

// End returns the reason for which reading has failed. What is left over is one, too.
func (s *Stream) End() error {
	if s.err == nil && s.in && len(s.b) > 0 {
		s.Fail("%d bytes too many", len(s.b))
	}
	return s.err
}

var errShort = errors.New("it ends too early")

// take reads n bytes. Where there are not so many, it fails and returns nil.
func (s *Stream) take(n uint64) []byte {
	if s.err == nil && n > uint64(len(s.b)) {
		s.err = errShort
	}
	if s.err != nil {
		return nil
	}
	b := s.b[:n:n]
	s.b = s.b[n:]
	return b
}

func (s *Stream) uvarint(v uint64) uint64 {
	if !s.in {
		s.b = binary.AppendUvarint(s.b, v)
		return v
	}
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		n, v = len(s.b)+1, 0
	}
	if s.take(uint64(n)) == nil {
		return 0
	}
	return v
}

// A Number is what [Numbers] carries.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Numbers carries numbers of one type. One that does not fit its type is an error.
func Numbers[T Number](s *Stream, all ...*T) {
	for _, p := range all {
		number(s, p)
	}
}

// Array carries the numbers of an array, whose length both sides know.
func Array[T Number](s *Stream, all []T) {
	for i := range all {
		number(s, &all[i])
	}
}

func number[T Number](s *Stream, p *T) {
	signed := T(0)-1 < 0
	v := uint64(*p)
	if signed {
		v = v<<1 ^ uint64(int64(v)>>63)
	}
	if v = s.uvarint(v); !s.in || s.err != nil {
		return
	}
	if signed {
		v = v>>1 ^ -(v & 1)
	}
	if *p = T(v); uint64(*p) != v {
		s.Fail("%d is not within its bounds", v)
	}
}

// Bool carries truth values.
func (s *Stream) Bool(all ...*bool) {
	for _, p := range all {
		v := uint8(0)
		if *p {
			v = 1
		}
		number(s, &v)
		s.Check(v <= 1, "a truth value is neither")
		if s.in {
			*p = v == 1
		}
	}
}

// Raw carries bytes in place, as many as both sides know there are.
func (s *Stream) Raw(b []byte) {
	if s.in {
		copy(b, s.take(uint64(len(b))))
		return
	}
	s.b = append(s.b, b...)
}

// Bytes carries a slice of at most most bytes. What was read is a copy; without any it is nil.
func Bytes(s *Stream, p *[]byte, most int) {
	n := s.Len(len(*p), most)
	if !s.in {
		s.b = append(s.b, *p...)
		return
	}
	*p = append([]byte(nil), s.take(uint64(n))...)
}

// String carries a string of at most most bytes.
func String(s *Stream, p *string, most int) {
	b := []byte(*p)
	if Bytes(s, &b, most); s.in {
		*p = string(b)
	}
}

// Len carries how many of something follow, at most most. Each has to take a byte or more, so that what is announced has
// to be there.
func (s *Stream) Len(n, most int) int {
	v := s.uvarint(uint64(n))
	if !s.in {
		return n
	}
	switch {
	case s.err != nil:
		return 0
	case v > uint64(most):
		s.Fail("%d of something of which there are at most %d", v, most)
		return 0
	case v > uint64(len(s.b)):
		s.err = errShort
		return 0
	}
	return int(v)
}

// Slice carries a slice of at most most elements, each by a function. Without any, what was read is nil.
func Slice[T any](s *Stream, p *[]T, most int, each func(*T)) {
	n := s.Len(len(*p), most)
	if s.in {
		*p = nil
	}
	for i := 0; i < n && s.err == nil; i++ {
		if s.in {
			*p = append(*p, *new(T))
		}
		each(&(*p)[i])
	}
}

// Map carries a map of at most most entries, in the order of their keys, which have to be different.
func Map[K comparable, V any](s *Stream, m map[K]V, most int, compare func(a, b K) int, each func(*K, *V)) {
	if !s.in {
		s.Len(len(m), most)
		for _, k := range slices.SortedFunc(maps.Keys(m), compare) {
			v := m[k]
			each(&k, &v)
		}
		return
	}
	clear(m)
	n := s.Len(0, most)
	for i := 0; i < n && s.err == nil; i++ {
		var k K
		var v V
		each(&k, &v)
		if _, twice := m[k]; twice {
			s.Fail("the same key twice")
		}
		m[k] = v
	}
}

// Optional carries what a pointer leads to, or that it is nil.
func Optional[T any](s *Stream, p **T, each func(*T)) {
	there := *p != nil
	if s.Bool(&there); !there || s.err != nil {
		if s.in {
			*p = nil
		}
		return
	}
	if s.in {
		*p = new(T)
	}
	each(*p)
}
