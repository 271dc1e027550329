// Package statetest finds out whether the state of a part of a machine is carried whole.
package statetest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/state"
)

// Complete changes one field of *T after another, also of the structures and arrays in it, and asserts that what carry
// writes changes with it. A field for which it does not has to be named among those that are no state, by its path:
// "code", "tlb.tables.page". One that is named stands for all in it. A field that is named there and does change what is
// written, or does not exist, is an error as well: the list is the truth.
//
// Functions, channels and interfaces are no state; they have to be named, too.
func Complete[T any](t *testing.T, make func() *T, carry func(*T, *state.Stream), noState ...string) {
	t.Helper()
	write := func(v *T) []byte {
		s := state.Out()
		carry(v, s)
		return s.Bytes()
	}
	base := write(make())
	named := map[string]bool{}
	walk(reflect.ValueOf(make()).Elem(), nil, func(path []string, steps []int) {
		name := strings.Join(path, ".")
		v := make()
		field := at(reflect.ValueOf(v).Elem(), steps)
		listed := slices.ContainsFunc(noState, func(n string) bool { return n == name || strings.HasPrefix(name, n+".") })
		if listed {
			for _, n := range noState {
				if n == name || strings.HasPrefix(name, n+".") {
					named[n] = true
				}
			}
			return
		}
		if err := change(field); err != nil {
			t.Errorf("%s: %v: it has to be said that it is no state", name, err)
			return
		}
		if bytes.Equal(write(v), base) {
			t.Errorf("%s is not carried, and it is not said that it is no state", name)
		}
	})
	for _, n := range noState {
		if !named[n] {
			t.Errorf("there is no field %s", n)
		}
	}
}

// walk calls f for each leaf of a structure. Of an array it takes the first and the last element.
func walk(v reflect.Value, path []string, f func(path []string, steps []int)) {
	var down func(v reflect.Value, path []string, steps []int)
	down = func(v reflect.Value, path []string, steps []int) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				down(v.Field(i), append(slices.Clone(path), v.Type().Field(i).Name), append(slices.Clone(steps), i))
			}
		case reflect.Array:
			for _, i := range []int{0, v.Len() - 1} {
				down(v.Index(i), path, append(slices.Clone(steps), i))
			}
		default:
			f(path, steps)
		}
	}
	down(v, path, nil)
}

// at finds the field to which steps lead, and makes it one that can be changed.
func at(v reflect.Value, steps []int) reflect.Value {
	for _, i := range steps {
		if v.Kind() == reflect.Struct {
			v = v.Field(i)
		} else {
			v = v.Index(i)
		}
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

func change(v reflect.Value) error {
	switch {
	case v.CanInt():
		v.SetInt(v.Int() ^ 1)
	case v.CanUint():
		v.SetUint(v.Uint() ^ 1)
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.Kind() == reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case v.Kind() == reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		v.Set(m)
	case v.Kind() == reflect.Pointer && v.IsNil():
		v.Set(reflect.New(v.Type().Elem()))
	case v.Kind() == reflect.Pointer:
		v.SetZero()
	default:
		return fmt.Errorf("a %v", v.Type())
	}
	return nil
}
