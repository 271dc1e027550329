package image

import (
	"encoding/binary"
	"testing"
)

// A btfWriter makes BTF, for tests.
type btfWriter struct{ types, strings []byte }

func (w *btfWriter) string(s string) uint32 {
	if len(w.strings) == 0 {
		w.strings = []byte{0}
	}
	if s == "" {
		return 0
	}
	at := len(w.strings)
	w.strings = append(append(w.strings, s...), 0)
	return uint32(at)
}

func (w *btfWriter) put(words ...uint32) {
	for _, word := range words {
		w.types = binary.LittleEndian.AppendUint32(w.types, word)
	}
}

func (w *btfWriter) bytes() []byte {
	raw := []byte{0x9F, 0xEB, 1, 0}
	for _, word := range []uint32{btfHeader, 0, uint32(len(w.types)), uint32(len(w.types)), uint32(len(w.strings))} {
		raw = binary.LittleEndian.AppendUint32(raw, word)
	}
	return append(append(raw, w.types...), w.strings...)
}

// structures are those of a test:
//
//	struct inner { int a; unsigned flag:1; union { char *text; long number; }; };
//	struct outer { const inner_t list[3]; struct outer *next; };
func structures() []byte {
	var w btfWriter
	kind := func(k, n int) uint32 { return uint32(k)<<24 | uint32(n) }
	w.put(w.string("int"), kind(btfInt, 0), 4, 32) // 1
	w.put(0, kind(btfPointer, 0), 1)               // 2
	w.put(0, kind(btfUnion, 2), 8)                 // 3
	w.put(w.string("text"), 2, 0, w.string("number"), 2, 0)
	w.put(w.string("inner"), kind(btfStruct, 3)|1<<31, 16) // 4
	w.put(w.string("a"), 1, 0, w.string("flag"), 1, 32|1<<24, 0, 3, 64)
	w.put(w.string("inner_t"), kind(btfTypedef, 0), 4)      // 5
	w.put(0, kind(btfConst, 0), 5)                          // 6
	w.put(0, kind(btfArray, 0), 0, 6, 1, 3)                 // 7
	w.put(w.string("outer"), kind(btfStruct, 2), 3*16+8)    // 8
	w.put(w.string("list"), 7, 0, w.string("next"), 2, 384) //
	return w.bytes()
}

func TestBTFMember(t *testing.T) {
	b, err := parseBTF(structures())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []string
		want Member
		ok   bool
	}{
		{[]string{"inner", "a"}, Member{0, 4, 1}, true},
		{[]string{"inner", "text"}, Member{8, 8, 1}, true},
		{[]string{"inner", "number"}, Member{8, 8, 1}, true},
		{[]string{"inner", "flag"}, Member{}, false},
		{[]string{"outer", "list"}, Member{0, 16, 3}, true},
		{[]string{"outer", "list", "number"}, Member{8, 8, 1}, true},
		{[]string{"outer", "next"}, Member{48, 8, 1}, true},
		{[]string{"outer", "next", "list"}, Member{}, false},
		{[]string{"outer"}, Member{}, false},
		{[]string{"nobody", "a"}, Member{}, false},
	} {
		if m, ok := b.Member(c.path[0], c.path[1:]...); ok != c.ok || ok && m != c.want {
			t.Errorf("%v: %+v, %v; want %+v", c.path, m, ok, c.want)
		}
	}
}

// A structure that has itself for members without names is looked through in bounded time.
func TestBTFInItself(t *testing.T) {
	var w btfWriter
	const members = 1000
	w.put(w.string("s"), btfStruct<<24|members, 8)
	for range members {
		w.put(0, 1, 0)
	}
	b, err := parseBTF(w.bytes())
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := b.Member("s", "a"); ok {
		t.Errorf("a member that is not there is %+v", m)
	}
}

// What only looks like types is an error or an answer, in bounded time and memory, and never a panic.
func FuzzBTF(f *testing.F) {
	f.Add(structures())
	f.Fuzz(func(_ *testing.T, raw []byte) {
		b, err := parseBTF(raw)
		if err != nil {
			return
		}
		for _, path := range [][]string{{"inner", "text"}, {"outer", "list", "number"}, {"outer", "next", "a"}} {
			b.Member(path[0], path[1:]...)
		}
	})
}
