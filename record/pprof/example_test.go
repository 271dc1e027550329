package pprof_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/google/pprof/profile"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/pprof"
)

// A profile of acceptances, for go tool pprof, from a record that has callers.
func ExampleWrite() {
	r := &record.Record{Platform: "tdx"}
	r.Acceptance.Callers = []record.Caller{{
		Stack: record.Stack{"accept_memory+0x20", "swiotlb_init_remap+0x1a0", "mem_init+0x2c"},
		Count: record.Count{Bytes: 64 << 20, Operations: 32},
	}}
	var b bytes.Buffer
	if err := pprof.Write(&b, r); err != nil {
		log.Fatal(err)
	}
	p, err := profile.ParseData(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.SampleType[0].Type, p.Sample[0].Value[0])
	fmt.Println(p.Sample[0].Location[1].Line[0].Function.Name)
	// Output:
	// accepted 67108864
	// swiotlb_init_remap
}
