package firmware

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/internal/x86/enginetest"
	"github.com/tacit-vm/tacit/physical"
)

// Tests that execute code run under each engine.
func TestMain(m *testing.M) { enginetest.Main(m) }

// runOnCPU boots an image on the real processor and runs it to its end.
func runOnCPU(t *testing.T, change func(*Config)) (console string, cpu *x86.CPU, end error) {
	t.Helper()
	var out strings.Builder
	cfg := Config{TotalMemory: 64 * mib, ACPI: testACPI(), ImageName: "test.efi", Console: &out}
	change(&cfg)
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ram := physical.RAM(cfg.TotalMemory)[0]
	m, err := mem.New(ram.End)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	bus := &device.Bus{}
	cpu = x86.New(enginetest.Under(x86.Config{Memory: m, Bus: bus, Traps: f, Cost: cost.Plain(), Platform: &x86.Plain{
		Memory: m, Bus: bus, RAM: func(gpa uint64) bool { return gpa < ram.End },
	}}))
	if err := f.Boot(cpu); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		switch e := cpu.Run(10_000_000_000); e.Kind {
		case x86.ExitTrap:
			if err := f.Call(cpu, e.GPA); err != nil {
				return out.String(), cpu, err
			}
		default:
			return out.String(), cpu, fmt.Errorf("exit %v: %w", e.Kind, e.Err)
		}
	}
	t.Fatal("no end")
	return
}

// An assembler puts machine code together; places in the data section at 0x2000 are addressed relative to RIP.
type assembler struct{ code []byte }

func (a *assembler) emit(b ...byte) { a.code = append(a.code, b...) }

// relative appends an instruction that ends with the 32-bit distance to an address in the image.
func (a *assembler) relative(target int, opcode ...byte) {
	a.emit(opcode...)
	a.code = binary.LittleEndian.AppendUint32(a.code, uint32(target-(testText+len(a.code)+4)))
}

// An EFI program prints, creates an event, whose function the signal runs, waits for a timer and returns. So arguments
// in registers and on the stack, calls in both directions and the way back are as a compiler would have them.
func TestProgramOnTheProcessor(t *testing.T) {
	const message, event, seen, index, notify = testData, testData + 0x100, testData + 0x108, testData + 0x110, testText + 0x100
	var a assembler
	a.emit(0x53, 0x56)                      // push rbx; push rsi
	a.emit(0x48, 0x83, 0xEC, 0x38)          // sub rsp, 0x38
	a.emit(0x48, 0x89, 0xD3)                // mov rbx, rdx
	a.emit(0x48, 0x8B, 0x4B, 0x40)          // mov rcx, [rbx+0x40]: ConOut
	a.relative(message, 0x48, 0x8D, 0x15)   // lea rdx, [message]
	a.emit(0xFF, 0x51, 0x08)                // call [rcx+8]: OutputString
	a.emit(0x48, 0x8B, 0x73, 0x60)          // mov rsi, [rbx+0x60]: boot services
	a.emit(0xB9, 0, 2, 0, 0)                // mov ecx, EVT_NOTIFY_SIGNAL
	a.emit(0xBA, 8, 0, 0, 0)                // mov edx, TPL_CALLBACK
	a.relative(notify, 0x4C, 0x8D, 0x05)    // lea r8, [notify]
	a.emit(0x41, 0xB9, 0x34, 0x12, 0, 0)    // mov r9d, 0x1234
	a.relative(event, 0x48, 0x8D, 0x05)     // lea rax, [event]
	a.emit(0x48, 0x89, 0x44, 0x24, 0x20)    // mov [rsp+0x20], rax
	a.emit(0xFF, 0x56, 80)                  // call [rsi+80]: CreateEvent
	a.relative(event, 0x48, 0x8B, 0x0D)     // mov rcx, [event]
	a.emit(0xFF, 0x56, 104)                 // call [rsi+104]: SignalEvent
	a.emit(0xB9, 0, 0, 0, 0x80)             // mov ecx, EVT_TIMER
	a.emit(0x31, 0xD2, 0x4D, 0x31, 0xC0)    // xor edx, edx; xor r8, r8
	a.relative(event, 0x48, 0x8D, 0x05)     // lea rax, [event]
	a.emit(0x48, 0x89, 0x44, 0x24, 0x20)    // mov [rsp+0x20], rax
	a.emit(0xFF, 0x56, 80)                  // call [rsi+80]: CreateEvent
	a.relative(event, 0x48, 0x8B, 0x0D)     // mov rcx, [event]
	a.emit(0xBA, 2, 0, 0, 0)                // mov edx, TimerRelative
	a.emit(0x41, 0xB8, 0x80, 0x96, 0x98, 0) // mov r8d, 10,000,000: a second
	a.emit(0xFF, 0x56, 88)                  // call [rsi+88]: SetTimer
	a.emit(0xB9, 1, 0, 0, 0)                // mov ecx, 1
	a.relative(event, 0x48, 0x8D, 0x15)     // lea rdx, [event]
	a.relative(index, 0x4C, 0x8D, 0x05)     // lea r8, [index]
	a.emit(0xFF, 0x56, 96)                  // call [rsi+96]: WaitForEvent
	a.relative(seen, 0x48, 0x8B, 0x05)      // mov rax, [seen]
	a.emit(0x48, 0x83, 0xC4, 0x38)          // add rsp, 0x38
	a.emit(0x5E, 0x5B, 0xC3)                // pop rsi; pop rbx; ret
	a.emit(make([]byte, 0x100-len(a.code))...)
	a.relative(seen, 0x48, 0x89, 0x15) // notify: mov [seen], rdx
	a.emit(0x31, 0xDB)                 // xor ebx, ebx
	a.emit(0xC3)                       // ret

	out, cpu, err := runOnCPU(t, func(c *Config) {
		c.Image = testImage(func(p *peImage) { p.code, p.data = a.code, wide("Grüße\r\n") })
	})
	var returned *Returned
	if !errors.As(err, &returned) || returned.Status != 0x1234 {
		t.Errorf("%v, want the context that the notification function saw", err)
	}
	if out != "Grüße\r\n" {
		t.Errorf("console %q", out)
	}
	if now := cpu.Now(); now < 1e9 || now > 1.1e9 {
		t.Errorf("a second's wait took until %d ns", now)
	}
}

// Exceptions reach firmware through its descriptor table, with the stack that the processor makes.
func TestFaultsOnTheProcessor(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want Fault
	}{
		{"ud2", []byte{0x90, 0x0F, 0x0B}, Fault{Vector: 6}},
		{"store outside RAM", []byte{0x90, 0xC6, 0x04, 0x25, 0, 0, 0, 0x10, 1}, Fault{Vector: 14, Code: 2, Address: 0x1000_0000}},
		{"handle as a pointer", []byte{0x90, 0x8A, 0x01}, Fault{Vector: 13}}, // mov al, [rcx]
	} {
		_, _, err := runOnCPU(t, func(cfg *Config) { cfg.Image = testImage(func(p *peImage) { p.code = c.code }) })
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if fault.RIP&pageMask != 1 || fault.Image != "test.efi" {
			t.Errorf("%s: at %#x in %s", c.name, fault.RIP, fault.Image)
		}
		fault.RIP, fault.Image = 0, ""
		if *fault != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, *fault, c.want)
		}
	}
}

// The state that the image finds (UEFI 2.10, section 2.3.4), and what Linux does not want to have to change.
func TestProcessorState(t *testing.T) {
	_, cpu, err := runOnCPU(t, func(c *Config) { c.Image = testImage(func(p *peImage) { p.code = []byte{0x0F, 0x0B} }) })
	if err == nil {
		t.Fatal("no fault")
	}
	s := cpu.State()
	const cr0 = x86.CR0PE | x86.CR0MP | x86.CR0ET | x86.CR0NE | x86.CR0WP | x86.CR0PG
	if s.CR0 != cr0 || s.EFER&(x86.EFERNXE|x86.EFERLMA|x86.EFERSCE) != x86.EFERNXE|x86.EFERLMA|x86.EFERSCE {
		t.Errorf("CR0 %#x, EFER %#x", s.CR0, s.EFER)
	}
	if want := uint64(x86.CR4PAE | x86.CR4MCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT); s.CR4&want != want {
		t.Errorf("CR4 %#x", s.CR4)
	}
	if s.MXCSR != 0x1F80 || s.CPL != 0 || s.Seg[1].Selector != codeSelector || s.Seg[2].Selector != 0 && s.Seg[2].Selector != dataSelector {
		t.Errorf("MXCSR %#x, CPL %d, CS %+v, SS %+v", s.MXCSR, s.CPL, s.Seg[1], s.Seg[2])
	}
}
