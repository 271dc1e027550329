package confidential_test

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A port takes what is written to it, and gives what it is asked for.
type port struct {
	confidential.Host
	out  []uint32
	next uint32
}

func (p *port) In(_ *x86.CPU, _ uint16, _ int) uint32         { p.next++; return p.next }
func (p *port) Out(_ *x86.CPU, _ uint16, _ int, value uint32) { p.out = append(p.out, value) }

func (p *port) ReadMSR(_ *x86.CPU, index uint32) (uint64, bool) {
	return 0x1_2345_6789, index == 0x10
}

// aProcessor has code at an address, without paging.
func aProcessor(t *testing.T, at uint64, code []byte) (*x86.CPU, *mem.Memory) {
	t.Helper()
	m, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Write(physical.Private, at, code); err != nil {
		t.Fatal(err)
	}
	return x86.New(x86.Config{Memory: m, Platform: &x86.Plain{Memory: m, RAM: func(gpa uint64) bool { return gpa < 2<<20 }}}), m
}

// Encodings are the manuals' (Intel SDM vol. 2, IN, OUT, INS, OUTS).
func TestDecodeExit(t *testing.T) {
	io := func(length, size int, number uint16, in, text, rep bool) confidential.Exit {
		return confidential.Exit{Kind: confidential.IOExit, Length: length, Size: size, Port: number, In: in, String: text, Rep: rep}
	}
	other := func(kind confidential.ExitKind, length int) confidential.Exit {
		return confidential.Exit{Kind: kind, Length: length, Size: 4}
	}
	const dx = 0x3F8
	for code, want := range map[string]confidential.Exit{
		"\xE4\x61":         io(2, 1, 0x61, true, false, false),
		"\xE5\x61":         io(2, 4, 0x61, true, false, false),
		"\x66\xE7\x80":     io(3, 2, 0x80, false, false, false),
		"\xEC":             io(1, 1, dx, true, false, false),
		"\xEF":             io(1, 4, dx, false, false, false),
		"\x66\x48\xED":     io(3, 2, dx, true, false, false),
		"\xF3\x6C":         io(2, 1, dx, true, true, true),
		"\xF3\x66\x6F":     io(3, 2, dx, false, true, true),
		"\xF3\xEE":         io(2, 1, dx, false, false, false), // REP means nothing there
		"\x0F\x32":         other(confidential.ReadMSRExit, 2),
		"\x0F\x30":         other(confidential.WriteMSRExit, 2),
		"\x0F\xA2":         other(confidential.CPUIDExit, 2),
		"\xF4":             other(confidential.HaltExit, 1),
		"\x0F\x09":         other(confidential.NothingExit, 2),
		"\x0F\x01\xC8":     other(confidential.NothingExit, 3),
		"\x0F\x01\xD9":     other(confidential.HypercallExit, 3),
		"\x2E\x40\x0F\xA2": other(confidential.CPUIDExit, 4),
		"\x0F\x33":         other(confidential.CounterExit, 2),
		"\x0F\x21\xF9":     {Kind: confidential.ReadDebugExit, Length: 3, Size: 4, Register: 1},
		"\x41\x0F\x23\x3A": {Kind: confidential.WriteDebugExit, Length: 4, Size: 4, Register: 10},
	} {
		const at = 2<<20 - 4 // to the last byte that there is
		c, _ := aProcessor(t, at, append([]byte(code), 0x90, 0x90, 0x90)[:4])
		c.R[x86.RDX] = dx
		if got, ok := confidential.DecodeExit(c, at); !ok || got != want {
			t.Errorf("% x: %+v, %v; want %+v", code, got, ok, want)
		}
	}
	for _, code := range []string{"\x90\x90\x90", "\x0F\x05\x90", "\x0F\x01\xF8", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"} {
		c, _ := aProcessor(t, 0x1000, []byte(code))
		if got, ok := confidential.DecodeExit(c, 0x1000); ok {
			t.Errorf("% x is %+v", code, got)
		}
	}
	for n := range 16 { // wherever it is cut off
		code := append(bytes.Repeat([]byte{0x66}, n), "\x48\x0F\x01\xC8"...)
		c, _ := aProcessor(t, 0x1000, code)
		confidential.DecodeExit(c, 0x1000)
	}
	c, _ := aProcessor(t, 0x1000, []byte{0xF4})
	if _, ok := confidential.DecodeExit(c, 1<<40); ok {
		t.Error("an instruction where no memory is")
	}
}

func TestServeIO(t *testing.T) {
	c, m := aProcessor(t, 0x1000, []byte("abcdef"))
	h := &port{next: 0x1_0040}
	c.R[x86.RAX] = 0x1122_3344_5566_7788
	if n, ok := confidential.ServeIO(c, h, confidential.Exit{Length: 2, Size: 1, In: true}); !ok || n != 2 || c.R[x86.RAX] != 0x1122_3344_5566_7741 {
		t.Errorf("IN of a byte: %d, %v, RAX %#x", n, ok, c.R[x86.RAX])
	}
	if _, ok := confidential.ServeIO(c, h, confidential.Exit{Length: 1, Size: 4, In: true}); !ok || c.R[x86.RAX] != 0x1_0042 {
		t.Errorf("IN of 4 bytes: RAX %#x", c.R[x86.RAX])
	}
	c.R[x86.RSI], c.R[x86.RCX] = 0x1000, 3
	n, ok := confidential.ServeIO(c, h, confidential.Exit{Length: 2, Size: 2, String: true, Rep: true})
	if !ok || n != 2 || len(h.out) != 3 || h.out[2] != 'e'|'f'<<8 || c.R[x86.RCX] != 0 || c.R[x86.RSI] != 0x1006 {
		t.Errorf("REP OUTSW: %d, %v, %#x, RCX %d, RSI %#x", n, ok, h.out, c.R[x86.RCX], c.R[x86.RSI])
	}
	c.R[x86.RDI], c.R[x86.RCX] = 0x2000, 1<<40 // in pieces: the instruction is executed again
	n, ok = confidential.ServeIO(c, h, confidential.Exit{Length: 2, Size: 1, In: true, String: true, Rep: true})
	if !ok || n != 0 || c.R[x86.RCX] >= 1<<40 || c.R[x86.RCX] == 0 {
		t.Errorf("REP INSB: %d, %v, RCX %#x", n, ok, c.R[x86.RCX])
	}
	var b [1]byte
	if err := m.Read(physical.Private, 0x2000, b[:]); err != nil || b[0] != 0x43 {
		t.Errorf("INSB wrote %#x, %v", b[0], err)
	}
	c.R[x86.RCX] = 0 // nothing to do
	if n, ok := confidential.ServeIO(c, h, confidential.Exit{Length: 2, Size: 1, String: true, Rep: true}); !ok || n != 2 || len(h.out) != 3 {
		t.Errorf("REP OUTSB of nothing: %d, %v", n, ok)
	}
}

func TestServeMSR(t *testing.T) {
	c, _ := aProcessor(t, 0x1000, nil)
	c.R[x86.RCX] = 0x10
	if n, ok := confidential.ServeMSR(c, &port{}, confidential.Exit{Kind: confidential.ReadMSRExit, Length: 2}); !ok || n != 2 || c.R[x86.RAX] != 0x2345_6789 || c.R[x86.RDX] != 1 {
		t.Errorf("%d, %v, %#x, %#x", n, ok, c.R[x86.RAX], c.R[x86.RDX])
	}
	c.R[x86.RCX] = 0x11
	if _, ok := confidential.ServeMSR(c, &port{}, confidential.Exit{Kind: confidential.ReadMSRExit, Length: 2}); ok {
		t.Error("a register that the host does not know is read")
	}
}
