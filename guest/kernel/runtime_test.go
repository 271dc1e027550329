//go:build linux && amd64

package kernel_test

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/guesttest"
)

const module = "github.com/tacit-vm/tacit/"

// What the kernel calls through interfaces, whose methods no call instruction names.
var implementations = []string{
	"accept/tdx.(*Driver).Accept", "accept/snp.(*Driver).Accept", "guest/kernel.(*plainDriver).Accept",
	"accept/tdx.Processor.TDCALL", "accept/tdx.(*Processor).TDCALL",
	"accept/snp.Processor.PVALIDATE", "accept/snp.Processor.Evict", "accept/snp.Processor.GHCBMSR", "accept/snp.Processor.SetGHCBMSR", "accept/snp.Processor.VMGEXIT",
	"guest/kernel.(*spinLock).Lock", "guest/kernel.(*spinLock).Unlock", "guest/kernel.(*spinLock).Wait", "guest/kernel.(*spinLock).Broadcast",
	"guest/kernel.takeTable", "guest/kernel.firmwareMemory",
}

// What asks the Go runtime for memory, or tells its collector of a pointer. The runtime answers neither where the kernel
// runs: on a g of its own, while the collector may be at work.
var forbidden = []string{
	"runtime.gcWriteBarrier", "runtime.newobject", "runtime.mallocgc", "runtime.makeslice", "runtime.growslice", "runtime.concatstring",
	"runtime.convT", "runtime.slicebytetostring", "runtime.stringtoslice", "runtime.intstring", "runtime.map", "runtime.typedmemmove",
	"runtime.typedslicecopy", "runtime.wbMove", "runtime.wbZero", "runtime.assertE2I", "runtime.typeAssert", "runtime.interfaceSwitch",
	"runtime.deferproc", "runtime.newproc", "runtime.chan", "runtime.makechan", "runtime.selectgo",
}

// Nothing that serves a page fault or a system call reaches the Go runtime's memory, by the machine code that the guest
// consists of; nor does what boots it, for which only the collector does not matter.
func TestKernelNeedsNoRuntime(t *testing.T) {
	p := load(t)
	serving := []string{"guest/kernel.serveTrap", "guest/kernel.serveSyscall", "guest/kernel.serveThread"}
	for _, c := range []struct {
		roots   []string
		allowed string
	}{
		{slices.Concat(serving, implementations), ""},
		{slices.Concat([]string{"guest/kernel.boot", "guest/kernel.early", "guest/kernel.arrive"}, implementations), "runtime.gcWriteBarrier runtime.wbMove runtime.wbZero"},
	} {
		seen := map[string]bool{}
		var walk func(name, path string)
		walk = func(name, path string) {
			if seen[name] {
				return
			}
			seen[name] = true
			path += " → " + strings.TrimPrefix(name, module)
			for _, callee := range p.calls[name] {
				for _, f := range forbidden {
					if strings.HasPrefix(callee, f) && !strings.Contains(c.allowed, f) {
						t.Errorf("%s → %s", path, callee)
					}
				}
				if strings.HasPrefix(callee, module) {
					walk(callee, path)
				}
			}
		}
		for _, root := range c.roots {
			if _, ok := p.calls[module+root]; !ok {
				t.Errorf("the guest has no function %s", root)
			}
			walk(module+root, "")
		}
		if len(seen) < 60 {
			t.Errorf("only %d functions are reached from %v", len(seen), c.roots)
		}
	}
}

// A program is who calls whom in a guest.
type program struct{ calls map[string][]string }

// load builds the demo, with symbols, and reads its code.
func load(t *testing.T) program {
	t.Helper()
	f, err := elf.Open(guesttest.Executable(t, "../demo", guesttest.OnKernel))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	names := map[uint64]string{}
	var functions []elf.Symbol
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC {
			continue
		}
		name := strings.TrimSuffix(s.Name, ".abi0")
		// Of an assembly function and its wrapper the wrapper comes first, or the other way round: what both call is one.
		names[s.Value] = name
		functions = append(functions, s)
	}
	text := f.Section(".text")
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	p := program{map[string][]string{}}
	for _, s := range functions {
		name := names[s.Value]
		if !strings.HasPrefix(name, module) || s.Value < text.Addr || s.Value-text.Addr+s.Size > uint64(len(code)) {
			continue
		}
		p.calls[name] = append(p.calls[name], targets(code[s.Value-text.Addr:][:s.Size], s.Value, names)...)
	}
	return p
}

// targets returns the functions that code calls or jumps to. What is no instruction of Go's assembler or of the
// decoder's is stepped over, a byte at a time.
func targets(code []byte, address uint64, names map[uint64]string) (to []string) {
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil || inst.Len == 0 {
			at++
			continue
		}
		at += inst.Len
		if rel, ok := inst.Args[0].(x86asm.Rel); ok {
			if name, ok := names[uint64(int64(address)+int64(at)+int64(rel))]; ok && !slices.Contains(to, name) {
				to = append(to, name)
			}
		}
	}
	return to
}

// The walk finds what is there: main calls fmt, which allocates.
func TestTargets(t *testing.T) {
	const call = "\xE8\x05\x00\x00\x00" // of what is 5 bytes after it
	if got := targets([]byte("\x90"+call), 0x1000, map[uint64]string{0x100B: "callee"}); fmt.Sprint(got) != "[callee]" {
		t.Errorf("calls %v", got)
	}
}
