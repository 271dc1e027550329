package tdx_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

func TestVMCall(t *testing.T) {
	m := newModule(t)
	m.host = func(r *tdx.Registers) {
		want := tdx.Registers{RCX: abi.VMCallMask, R11: uint64(abi.VMCallIO), R12: 1, R13: abi.VMCallWrite, R14: 0x3F8, R15: 'x'}
		if *r != want {
			t.Errorf("the host sees %+v", *r)
		}
		r.R10, r.R11 = uint64(abi.VMCallInvalidOperand), 7
	}
	r := tdx.Registers{R10: 99, R12: 1, R13: abi.VMCallWrite, R14: 0x3F8, R15: 'x'}
	if s := tdx.VMCall(m, abi.VMCallIO, &r); s != abi.VMCallInvalidOperand || r.R11 != 7 {
		t.Errorf("%v, %+v", s, r)
	}
	m.host = func(r *tdx.Registers) { r.RAX = uint64(abi.OperandInvalid) }
	if s := tdx.VMCall(m, abi.VMCallHLT, &r); s != abi.VMCallInvalidOperand || abi.Status(r.RAX) != abi.OperandInvalid {
		t.Errorf("a call that the module refuses: %v, RAX %#x", s, r.RAX)
	}
}

// A mapGPA is one answer of the host to MapGPA.
type mapGPA struct {
	status abi.VMCallStatus
	next   uint64 // in R11
}

func TestMakeSharedAndPrivate(t *testing.T) {
	r := accept.Range{Start: 4 * miB, End: 8 * miB}
	retry := func(next uint64) mapGPA { return mapGPA{abi.VMCallRetry, next} }
	done := mapGPA{status: abi.VMCallSuccess}
	for _, c := range []struct {
		name    string
		answers []mapGPA // the last one again and again
		starts  []uint64 // of what the host is asked for
		fails   abi.VMCallStatus
		at      uint64
	}{
		{"at once", []mapGPA{done}, []uint64{4 * miB}, 0, 0},
		{"in two parts", []mapGPA{retry(6 * miB), done}, []uint64{4 * miB, 6 * miB}, 0, 0},
		{"with stalls", []mapGPA{retry(4 * miB), retry(4 * miB), retry(4 * miB), retry(6 * miB), retry(6 * miB), done},
			[]uint64{4 * miB, 4 * miB, 4 * miB, 4 * miB, 6 * miB, 6 * miB}, 0, 0},
		{"a host that does not get on", []mapGPA{retry(4 * miB)}, []uint64{4 * miB, 4 * miB, 4 * miB, 4 * miB}, abi.VMCallRetry, 4 * miB},
		{"in the middle", []mapGPA{retry(6 * miB)}, []uint64{4 * miB, 6 * miB, 6 * miB, 6 * miB, 6 * miB}, abi.VMCallRetry, 6 * miB},
		{"a host that goes back", []mapGPA{retry(6 * miB), retry(4 * miB)}, []uint64{4 * miB, 6 * miB}, abi.VMCallRetry, 6 * miB},
		{"below", []mapGPA{retry(4*miB - 4*kiB)}, []uint64{4 * miB}, abi.VMCallRetry, 4 * miB},
		{"to the end", []mapGPA{retry(8 * miB)}, []uint64{4 * miB}, abi.VMCallRetry, 4 * miB},
		{"into a page", []mapGPA{retry(4*miB + 5)}, []uint64{4 * miB}, abi.VMCallRetry, 4 * miB},
		{"a host that refuses", []mapGPA{{abi.VMCallInvalidOperand, 4 * miB}}, []uint64{4 * miB}, abi.VMCallInvalidOperand, 4 * miB},
		{"or says something else", []mapGPA{{17, 4 * miB}}, []uint64{4 * miB}, 17, 4 * miB},
	} {
		for _, bit := range []uint64{sharedBit, 0} {
			m := newModule(t)
			calls := 0
			m.host = func(r *tdx.Registers) {
				if calls >= len(c.starts) || r.R12 != c.starts[calls]|bit || r.R12&^bit+r.R13 != 8*miB || abi.VMCall(r.R11) != abi.VMCallMapGPA {
					t.Errorf("%s: call %d: MapGPA(%#x, %#x)", c.name, calls, r.R12, r.R13)
				}
				a := c.answers[min(calls, len(c.answers)-1)]
				calls++
				r.R10, r.R11 = uint64(a.status), a.next|bit
			}
			d := tdx.Driver{Instructions: m, SharedBit: sharedBit}
			convert := d.MakeShared
			if bit == 0 {
				convert = d.MakePrivate
			}
			err := convert(r)
			var e *tdx.Error
			switch {
			case c.at == 0 && (err != nil || calls != len(c.starts)):
				t.Errorf("%s: %v after %d calls", c.name, err, calls)
			case c.at != 0 && (!errors.As(err, &e) || *e != (tdx.Error{GPA: c.at, Host: c.fails})):
				t.Errorf("%s: %v", c.name, err)
			}
			if accepted := bit == 0 && err == nil; accepted != m.has(r) || !accepted && len(m.accepted) != 0 {
				t.Errorf("%s: what became private is not what was accepted", c.name)
			}
		}
	}
}
