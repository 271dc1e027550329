package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What is printed for people holds words of files and guests: names in archives, versions of kernels, last words. None of
// them is to be obeyed by a terminal, or to look like a line of tacit's own. Only the console of tacit boot is the guest's.

// complain prints an error: of several that were joined, each in a line.
func complain(stderr io.Writer, err error) {
	var bug *vm.BugError
	var differ *vm.DifferenceError
	if errors.As(err, &bug) || errors.As(err, &differ) {
		fmt.Fprintf(stderr, "tacit: %v\n", err) // lines of Go's own, or of machine code
		return
	}
	for _, text := range lines(err) {
		fmt.Fprintf(stderr, "tacit: %s\n", record.Printable(text))
	}
}

// lines are the texts of what errors.Join has joined. A line end within one of them does not count.
func lines(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var plain, all []string
	for _, e := range joined.Unwrap() {
		plain, all = append(plain, e.Error()), append(all, lines(e)...)
	}
	if strings.Join(plain, "\n") != err.Error() {
		return []string{err.Error()} // of another kind, with words of its own
	}
	return all
}

// printableResults is what inspect found, to be printed.
func printableResults(results []inspected) []inspected {
	var all []inspected
	for _, r := range results {
		r.file = record.Printable(r.file)
		if r.report != nil {
			r.report = printable(reflect.ValueOf(r.report)).Interface().(*inspect.Report)
		}
		all = append(all, r)
	}
	return all
}

// printable returns a copy of v in which every string that others can see is printable, however deep it is.
func printable(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(record.Printable(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(printable(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(printable(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(printable(key), printable(value))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(printable(v.Field(i)))
			}
		}
	}
	return out
}
