package translate

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The worked example of docs/engine.md is made here.

var update = flag.Bool("update", false, "write the example into docs/engine.md")

const (
	engineDoc    = "../../../docs/engine.md"
	exampleBegin = "<!-- made by go test ./internal/x86/translate -run Example -update -->\n"
	exampleEnd   = "<!-- until here -->\n"
)

// A loop that adds the numbers of an array to each other: mov rdx, [rdi+rcx*8]; add rax, rdx; inc rcx; cmp rcx, rsi; jne.
var exampleCode = []byte{0x48, 0x8B, 0x14, 0xCF, 0x48, 0x01, 0xD0, 0x48, 0xFF, 0xC1, 0x48, 0x39, 0xF1, 0x75, 0xF1}

var exampleOps = map[uop.Op]string{uop.Load64: "Load64", uop.Add64: "Add64", uop.Inc64: "Inc64", uop.Cmp64: "Cmp64", uop.Jne: "Jne", uop.End: "End"}

var exampleSlots = map[uint8]string{uop.RAX: "RAX", uop.RCX: "RCX", uop.RDX: "RDX", uop.RSI: "RSI", uop.RDI: "RDI", uop.Zero: "Zero"}

// example renders guest code, micro-operations and host code.
func example() string {
	var s strings.Builder
	d, _ := decode.Instructions(&decode.Request{Bytes: append(slices.Clone(exampleCode), make([]byte, 16)...), Limit: 5, Mode: decode.ModeSSE})
	code := New(testLayout, Host{}).Translate(&hostcode.Block{Uops: d.Uops, Instructions: d.Instructions, Links: d.Links}, hostcode.Place{Code: 0x10000, Links: 0x4000})

	fmt.Fprintf(&s, "The guest's bytes:\n\n```\n")
	for at := 0; at < d.Size; {
		i, _ := x86asm.Decode(exampleCode[at:], 64)
		fmt.Fprintf(&s, "%2x  %-12s %s\n", at, fmt.Sprintf("% x", exampleCode[at:at+i.Len]), x86asm.IntelSyntax(i, uint64(at), nil))
		at += i.Len
	}
	fmt.Fprintf(&s, "```\n\nThe micro-operations:\n\n```\n")
	for k := range d.Uops {
		u := &d.Uops[k]
		var operands string
		switch {
		case u.Op == uop.Load64:
			operands = fmt.Sprintf("%s, [%s + %s<<%d + %d]", exampleSlots[u.Dst], exampleSlots[u.Base], exampleSlots[u.Index], u.Scale, u.Disp)
		case u.Op == uop.Inc64:
			operands = exampleSlots[u.Dst]
		case u.Op >= uop.Jo && u.Op <= uop.Jg || u.Op == uop.End:
			operands = fmt.Sprintf("to block%+d by link %d", u.Imm, u.Aux)
		default:
			operands = exampleSlots[u.Dst] + ", " + exampleSlots[u.Src]
		}
		fmt.Fprintf(&s, "%d  %-7s%-26s; instruction %d\n", k, exampleOps[u.Op], operands, u.Ord)
	}
	fmt.Fprintf(&s, "```\n\nThe host's code, with the processor's state laid out as it is in a test:\n\n```\n")
	for at := 0; at < len(code.Bytes); {
		i, _ := x86asm.Decode(code.Bytes[at:], 64)
		line := fmt.Sprintf("%3x  %-24s %s", at, fmt.Sprintf("% x", code.Bytes[at:at+i.Len]), x86asm.IntelSyntax(i, uint64(at), nil))
		if imm, ok := i.Args[1].(x86asm.Imm); ok && i.Args[0] == x86asm.R14L {
			e := hostcode.Exit(imm)
			line = fmt.Sprintf("%3x  %-24s mov r14d, %#x  ; %s %d", at, fmt.Sprintf("% x", code.Bytes[at:at+i.Len]), uint32(e), [...]string{"at the head:", "in front of micro-operation", "by link"}[e.Reason()], e.Uop())
			line = strings.TrimSuffix(line, ": 0")
		}
		fmt.Fprintln(&s, line)
		at += i.Len
	}
	fmt.Fprintf(&s, "```\n")
	return s.String()
}

func TestExample(t *testing.T) {
	doc, err := os.ReadFile(engineDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), exampleBegin)
	is, after, ok2 := strings.Cut(rest, exampleEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the example", engineDoc)
	}
	want := example()
	if *update {
		if err := os.WriteFile(engineDoc, []byte(before+exampleBegin+want+exampleEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if is != want {
		t.Errorf("the example in %s is not what is made of its code; -update writes:\n%s", engineDoc, want)
	}
}
