package state

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
)

type parts struct {
	a     int64
	b     uint8
	c     bool
	d     string
	e     []byte
	f     []string
	g     map[string]uint64
	h     *int32
	array [3]uint16
}

func (p *parts) carry(s *Stream) {
	Numbers(s, &p.a)
	Numbers(s, &p.b)
	s.Bool(&p.c)
	String(s, &p.d, 8)
	Bytes(s, &p.e, 8)
	Slice(s, &p.f, 4, func(t *string) { String(s, t, 8) })
	Map(s, p.g, 4, cmp.Compare[string], func(k *string, v *uint64) { String(s, k, 8); Numbers(s, v) })
	Optional(s, &p.h, func(n *int32) { Numbers(s, n) })
	Array(s, p.array[:])
}

func carried(p *parts) []byte {
	s := Out()
	p.carry(s)
	return s.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	n := int32(math.MinInt32)
	for _, p := range []parts{
		{g: map[string]uint64{}},
		{a: math.MinInt64, b: 255, c: true, d: "text", e: []byte{0, 1}, f: []string{"", "x"}, g: map[string]uint64{"b": 1, "a": math.MaxUint64}, h: &n, array: [3]uint16{1, 2, 65535}},
	} {
		b := carried(&p)
		got, s := parts{g: map[string]uint64{}}, In(b)
		if got.carry(s); s.End() != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v became %+v: %v", p, got, s.End())
		}
		if !bytes.Equal(carried(&got), b) {
			t.Errorf("%+v is written otherwise", got)
		}
		for n := range b {
			short, s := parts{g: map[string]uint64{}}, In(b[:n])
			if short.carry(s); s.End() == nil {
				t.Errorf("%d of %d bytes were enough", n, len(b))
			}
		}
		long, s := parts{g: map[string]uint64{}}, In(append(slices.Clone(b), 0))
		if long.carry(s); s.End() == nil {
			t.Error("a byte too many was read")
		}
	}
}

// What does not fit is not taken, and nothing is allocated for what is only announced.
func TestBounds(t *testing.T) {
	write := func(f func(*Stream)) []byte { s := Out(); f(s); return s.Bytes() }
	number := func(n uint64) func(*Stream) { return func(s *Stream) { Numbers(s, &n) } }
	for name, c := range map[string]struct {
		written func(*Stream)
		read    func(*Stream)
	}{
		"a number":        {number(256), func(s *Stream) { Numbers(s, new(uint8)) }},
		"a signed number": {number(256), func(s *Stream) { Numbers(s, new(int8)) }},
		"a truth value":   {number(2), func(s *Stream) { s.Bool(new(bool)) }},
		"a string":        {func(s *Stream) { x := "12345"; String(s, &x, 8) }, func(s *Stream) { String(s, new(string), 4) }},
		"an announcement": {number(1 << 40), func(s *Stream) { Bytes(s, new([]byte), math.MaxInt) }},
		"elements":        {number(1 << 40), func(s *Stream) { Slice(s, new([]int), math.MaxInt, func(n *int) { Numbers(s, n) }) }},
		"a key twice": {func(s *Stream) { s.Raw([]byte{2, 1, 1}) }, func(s *Stream) {
			Map(s, map[uint8]int{}, 4, cmp.Compare[uint8], func(k *uint8, _ *int) { Numbers(s, k) })
		}},
		"an endless number": {func(s *Stream) { s.Raw(bytes.Repeat([]byte{0xFF}, 20)) }, func(s *Stream) { Numbers(s, new(uint64)) }},
	} {
		s := In(write(c.written))
		if c.read(s); s.Err() == nil {
			t.Errorf("%s beyond its bound was taken", name)
		}
	}
}

func file(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Section("first", 1, []byte("content"))
	w.Write("second", 2, func(s *Stream) { n := 7; Numbers(s, &n) })
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readFile(b []byte) error {
	r := NewReader(bytes.NewReader(b))
	if c, err := r.Section("first", 1); err != nil {
		return err
	} else if string(c) != "content" {
		return errors.New("other content")
	}
	var n int
	if err := r.Read("second", 2, func(s *Stream) { Numbers(s, &n) }); err != nil {
		return err
	}
	return r.End()
}

func TestFile(t *testing.T) {
	b := file(t)
	if err := readFile(b); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if readFile(b) == nil {
				t.Errorf("bit %d of byte %d may be another", bit, i)
			}
			b[i] ^= 1 << bit
		}
		if readFile(b[:i]) == nil {
			t.Errorf("%d of %d bytes are enough", i, len(b))
		}
	}
	if err := readFile(append(b, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte after the end: %v", err)
	}
	for _, foreign := range []string{"", "MZ", "\x7fELF, and so on and so on"} {
		if err := readFile([]byte(foreign)); !errors.Is(err, ErrForeign) {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

// What another tacit has written is neither damaged nor foreign, and whether that is an earlier or a later one is said.
func TestFilesOfOtherVersions(t *testing.T) {
	for version, want := range map[uint32]error{0: ErrLater, 2: ErrEarlier} {
		if _, err := NewReader(bytes.NewReader(file(t))).Section("first", version); !errors.Is(err, want) {
			t.Errorf("a section of version 1, read as %d: %v", version, err)
		}
	}
	for version, want := range map[byte]error{form - 1: ErrEarlier, form + 1: ErrLater} {
		b := file(t)
		b[len(magic)] = version
		if err := readFile(b); !errors.Is(err, want) {
			t.Errorf("form %d: %v", version, err)
		}
	}
}
