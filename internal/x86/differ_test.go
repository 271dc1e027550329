package x86

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// What is compared in place after every block is what a look has, by which a difference is named: each number that a
// processor consists of is changed in turn.
func TestDiffersLooks(t *testing.T) {
	p := &program{code: "F4"}
	a, b := newScene(t, p, 0), newScene(t, p, 0)
	defer func() { _, _ = a.mem.Close(), b.mem.Close() }()
	all, seen := 0, 0
	check := func(name string) {
		differs := Differs(a.CPU, b.CPU)
		if looks := a.look() != b.look(); differs != looks {
			t.Errorf("%s is changed: it differs: %v; it looks different: %v", name, differs, looks)
		}
		all++
		if differs {
			seen++
		}
	}
	if check("nothing"); seen != 0 {
		t.Fatal("there is a difference before anything is changed")
	}
	eachNumber("", reflect.ValueOf(b.CPU).Elem(), check)
	eachNumber("APIC", reflect.ValueOf(b.APIC).Elem(), check)
	if seen < 200 || seen == all {
		t.Errorf("of %d changes %d were seen", all, seen)
	}
}

// eachNumber changes a bit of each number in v, calls f with its name, and changes it back. Pointers are not followed, and
// the TLB and what is made of decoded code are left alone.
func eachNumber(name string, v reflect.Value, f func(name string)) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i).Name; !slices.Contains([]string{"tlb", "jumps", "native", "scratch", "part"}, field) {
				eachNumber(name+"."+field, v.Field(i), f)
			}
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			eachNumber(fmt.Sprintf("%s[%d]", name, i), v.Index(i), f)
		}
	case v.Kind() == reflect.Bool || v.CanInt() || v.CanUint():
		low := (*byte)(unsafe.Pointer(v.UnsafeAddr()))
		*low ^= 1
		f(name)
		*low ^= 1
	}
}
