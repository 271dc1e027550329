package x86

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// Real, protected, virtual-8086 and compatibility mode against QEMU: its TCG, which looks at no limits of segments; and the host's
// processor, where QEMU can use KVM.

var (
	tryImages = flag.Int("modes-images", 1, "images of 350 cases for each mode and processor to compare with")
	tryKVM    = flag.Bool("modes-kvm", false, "compare with the host's processor, too, by way of KVM")
	trySeed   = flag.Uint64("modes-seed", 20261128, "seed of the first image's cases")
)

// A tryBus knows when an image is done.
type tryBus struct {
	testBus
	done bool
	cpu  *CPU
}

func (b *tryBus) Out(port uint16, _ int, _ uint32) {
	if port == 0xF4 {
		b.done = true
		b.cpu.Stop(errTried)
	}
}

type triedError struct{}

func (triedError) Error() string { return "the image is done" }

var errTried error = triedError{}

// run runs an image under an engine, with blocks cut in some way.
func (m *image) run(t testing.TB, how cut) ([]byte, error) {
	t.Helper()
	const size = 2 << 20
	memory, err := mem.New(size)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	bus := &tryBus{}
	c := New(Config{Memory: memory, Bus: bus, BlockLimit: how.blocks, Engine: how.engine, TranslateAfter: 1, Platform: &Plain{Memory: memory, Bus: bus, RAM: func(gpa uint64) bool { return gpa < size }}})
	bus.cpu = c
	if err := memory.Write(physical.Private, 0, m.memory); err != nil {
		t.Fatal(err)
	}
	c.INIT()
	s := c.State()
	s.CR0 |= CR0CD | CR0NW // after RESET
	s.Seg[uop.SegCS].Selector, s.Seg[uop.SegCS].Base, s.RIP = 0, 0, tryStart
	c.SetState(&s)
	c.LimitInstructions(200_000_000)
	e := c.Run(1 << 60)
	out := make([]byte, tryCopy-tryOut)
	if err := memory.Read(physical.Private, tryOut, out); err != nil {
		t.Fatal(err)
	}
	if !bus.done {
		return out, fmt.Errorf("exit %d (%v) at %#x", e.Kind, e.Err, c.RIP())
	}
	return out, nil
}

// qemu runs an image in QEMU with an accelerator.
func (m *image) qemu(t testing.TB, accelerator string) ([]byte, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "modes") // a name without commas, which QEMU would not take
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	bios := bytes.Repeat([]byte{0xF4}, 1<<16)
	copy(bios[0xFFF0:], []byte{0xEA, tryStart & 0xFF, tryStart >> 8, 0, 0}) // jmp far
	files := map[string][]byte{"bios": bios, "image": m.memory}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cpu := map[string]string{"tcg": "max", "kvm": "host,-arch-capabilities"}[accelerator]
	ram := filepath.Join(dir, "ram")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	said, err := exec.CommandContext(ctx, "qemu-system-x86_64", "-M", "pc,memory-backend=ram", "-object", "memory-backend-file,id=ram,size=64M,share=on,mem-path="+ram, "-accel", accelerator, "-cpu", cpu, "-m", "64", "-nodefaults", "-display", "none", "-no-reboot",
		"-bios", filepath.Join(dir, "bios"), "-device", "loader,addr=0,force-raw=on,file="+filepath.Join(dir, "image"),
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1").CombinedOutput()
	b, _ := os.ReadFile(ram)
	if len(b) < tryTop || bytes.Equal(b[tryOut:tryOut+tryRecord], make([]byte, tryRecord)) {
		return nil, fmt.Errorf("%v: %s", err, said)
	}
	return b[tryOut:tryCopy], nil
}

// record returns how long the record of a case is, and where its vector and flags are. With an error code they are one
// word later.
func (m *image) record() (n, vector, flags, word int) {
	switch {
	case m.mode.real:
		return tryRecord + tryTail, 40, 46, 0
	case m.long():
		return tryRecord + 80 + tryTail, 96, 120, 8
	}
	return tryRecord + tryTail, 48, 60, 4
}

// differences compares what two processors wrote, and names the first few cases in which they differ.
func (m *image) differences(t testing.TB, want, got []byte, tcg bool) (s []string) {
	ignore := uint32(0)
	if tcg {
		ignore = FlagRF
	}
	n, vector, flags, word := m.record()
	for i, c := range m.cases {
		a, b := bytes.Clone(want[i*n:(i+1)*n]), bytes.Clone(got[i*n:(i+1)*n])
		for _, r := range [][]byte{a, b} {
			at := flags
			switch v := r[vector]; {
			case v == 8 || v >= 10 && v <= 14 || v == 17:
				at += word
			}
			if tcg && r[vector] == 14 && !m.mode.real {
				r[vector+max(word, 4)] &^= faultW // of an operand that is read and written it says that it was read
			}
			if tcg && strings.HasPrefix(c.text, "LAR") && !m.mode.real {
				r[map[int]int{4: 38, 8: 74}[word]] &= 0xF0 // bits 19:16 are undefined
			}
			if code := r[vector+max(word, 4):]; tcg && m.long() && strings.HasPrefix(c.text, "INT ") && at > flags {
				clear(code[:2]) // in codes of gates of 16 bytes it has twice the vector
			}
			if tcg && m.long() && strings.HasPrefix(c.text, "CALL far") {
				clear(r[n-8 : n-4]) // through a gate it pushes without the base of SS
			}
			if tcg && strings.HasPrefix(c.text, "CALL far") {
				r[at-max(word, 4)] &^= 3 // to conforming code through a gate it takes DPL for CPL
			}
			f := r[at : at+2]
			mask := c.undefined | ignore
			f[0], f[1] = f[0]&^byte(mask), f[1]&^byte(mask>>8)
			if !m.mode.real {
				r[at+2] &^= byte(ignore >> 16)
			}
		}
		if tcg && (b[vector] == 12 || b[vector] == 13) && a[vector] != b[vector] && !c.strict {
			t.Logf("case %d, %s: % x: %v", i, c.text, c.code, Exception{Vector: b[vector]})
			continue // a limit that it does not look at
		}
		if !tcg && bytes.Equal(a, make([]byte, n)) {
			t.Logf("KVM gives up at case %d, %s: % x", i, c.text, c.code) // one that emulates these modes does not know all instructions
			break
		}
		if a2, b2 := a[n-tryTail:], b[n-tryTail:]; tcg && a[vector] == 14 && b[vector] == 14 && binary.LittleEndian.Uint32(a2) == (binary.LittleEndian.Uint32(b2)|0xFFF)+1 {
			continue // of an operand that is read and written, in two pages, it reads all first
		}
		if tcg && m.mode.v8086 && strings.HasPrefix(c.text, "INT") && a[vector] == 10 && b[vector] == 13 {
			continue // of a gate to privilege 1 or 2 it looks at the stack first (SDM vol. 2, INT n: such code is #GP)
		}
		if tcg && strings.HasPrefix(c.text, "JMP far") && a[vector] == 13 && b[vector] == 11 {
			continue // through a gate to code that is absent it raises #GP
		}
		if tcg && strings.HasPrefix(c.text, "REP") && a[vector] == 14 && b[vector] == 14 {
			continue // it sets flags of comparisons before the fault
		}
		if tcg && strings.HasPrefix(c.text, "PUSH Sreg (32") {
			continue // it stores four bytes, as old processors do (SDM vol. 2, PUSH)
		}
		if tcg && c.watches && a[vector] == 1 && (b[vector] == 3 || strings.HasPrefix(c.text, "REP")) {
			continue // a store that is not aligned hits breakpoints anywhere before its end in the page
		}
		if tcg && c.watches && a[vector] == 1 && b[vector] == 14 {
			continue // where an operand is read, which hits, and cannot be written, it has the trap in front of the fault's handler
		}
		if !bytes.Equal(a, b) {
			s = append(s, fmt.Sprintf("case %d, %s: % x, registers %x, flags %#x, pre % x\n want vector %d %s\n got  vector %d %s", i, c.text, c.code, c.gpr, c.flags, c.pre, a[vector], m.show(a), b[vector], m.show(b)))
			if len(s) > 8 {
				break
			}
		}
	}
	return s
}

// show renders a record in words.
func (m *image) show(r []byte) string {
	size, from := 4, 0
	switch {
	case m.mode.real:
		from, size = 8, 4
	case m.long():
		size = 8
	}
	s := hex.EncodeToString(r[:from])
	for i := from; i+size <= len(r); i += size {
		v := uint64(binary.LittleEndian.Uint32(r[i:]))
		if size == 8 {
			v = binary.LittleEndian.Uint64(r[i:])
		}
		s += fmt.Sprintf(" %x", v)
	}
	return s
}

func TestModesAgainstQEMU(t *testing.T) {
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Fatal("no qemu-system-x86_64: run scripts/install-tools")
	}
	t.Logf("seed %d", *trySeed)
	accelerators := []string{"tcg"}
	if *tryKVM {
		accelerators = append(accelerators, "kvm")
	}
	for _, accelerator := range accelerators {
		for _, mode := range tryModes {
			t.Run(accelerator+"/"+mode.name, func(t *testing.T) {
				for i := range *tryImages {
					compareImages(t, accelerator, mode, *trySeed+uint64(i))
				}
			})
		}
	}
	t.Logf("ended with: %d images of %d cases for each of %d modes, on %v", *tryImages, tryMost, len(tryModes), accelerators)
}

func compareImages(t *testing.T, accelerator string, mode *tryMode, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	limits := accelerator == "kvm"
	cases := make([]tryCase, tryMost)
	for i := range cases {
		switch at := tryCode + i*tryStride; {
		case i%3 == 0 && mode.v8086:
			cases[i] = case8086(random, at)
		case i%3 == 0 && !mode.real:
			cases[i] = farCase(random, &image{mode: mode, limits: limits}, at)
		default:
			cases[i] = randomCase(random, mode, limits)
			if mode.v8086 {
				cases[i].flags |= level8086(random)
			}
			if i%3 == 1 && !mode.real {
				cases[i].breakpoint(random, mode, at+tryStride/2)
			}
		}
	}
	m := newImage(mode, limits, random, cases)
	want, err := m.qemu(t, accelerator)
	if err != nil {
		if accelerator == "tcg" {
			t.Fatal(err)
		}
		t.Skipf("QEMU does not run with %s: %v", accelerator, err)
	}
	got, err := m.run(t, cut{})
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	for _, how := range []cut{{blocks: 3}, other()} {
		if other, err := m.run(t, how); err != nil || !bytes.Equal(other, got) {
			t.Errorf("seed %d: %v: not what the interpreter does with blocks of any length; %v", seed, how, err)
		}
	}
	for _, d := range m.differences(t, want, got, accelerator == "tcg") {
		t.Errorf("seed %d: %s", seed, d)
	}
}
