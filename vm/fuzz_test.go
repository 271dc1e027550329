package vm_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A fuzzed guest is an EFI application that is made of pieces: what an input says is mostly meaningful, so that a guest
// gets further than to its first undefined instruction.

// fuzzValues are what registers get: addresses of all kinds, sizes, small numbers.
var fuzzValues = []uint64{
	0, 1, 2, 3, 6, 8, 16, 0x1000, 0x2000, 0x1_0000, 0x10_0000, 0x20_0000, 0x100_0000, 0x100_0001, 0x3FF_F000, 0x4000_0000, 0x4000_0001, 0x7FFF_F000,
	0x1_0000_0000, 0xFEC0_0000, 0xFEE0_0000, 0x8000_0000, 1 << 47, 1<<47 | 0x100_0000, 1<<51 | 0x100_0000, 0x7FFF_FFFF_FFFF, 0xFFFF_8000_0000_0000,
	^uint64(0), ^uint64(0) - 4095, 0x10001, 0xC001_0130, 0x800, 0x80F, 0x832, 0x838, 0x6E0, 0x3F8, 0x70, 0xCF9, 0x15, 0x8000_0200,
}

// fuzzCode are instructions that ask something of what is outside the processor: memory, module, hypervisor, firmware, devices.
var fuzzCode = [][]byte{
	{0x48, 0x89, 0x08},             // mov [rax], rcx
	{0x48, 0x8B, 0x08},             // mov rcx, [rax]
	{0x48, 0x01, 0x01},             // add [rcx], rax
	{0xC6, 0x00, 0xC3},             // mov byte [rax], ret
	{0xFF, 0xD0},                   // call rax
	{0xF3, 0xAA},                   // rep stosb
	{0xF3, 0x48, 0xA5},             // rep movsq
	{0x66, 0x0F, 0x01, 0xCC},       // tdcall
	{0xF3, 0x0F, 0x01, 0xD9},       // vmgexit
	{0xF2, 0x0F, 0x01, 0xFF},       // pvalidate
	{0xF3, 0x0F, 0x01, 0xFE},       // rmpadjust
	{0x0F, 0xA2},                   // cpuid
	{0x0F, 0x31},                   // rdtsc
	{0x0F, 0x32},                   // rdmsr
	{0x0F, 0x30},                   // wrmsr
	{0xEC}, {0xEE}, {0xED}, {0xEF}, // in, out
	{0xFA}, {0xFB}, {0xF4}, // cli, sti, hlt
	{0x0F, 0x20, 0xD8}, {0x0F, 0x22, 0xD8}, // mov rax, cr3; mov cr3, rax
	{0x0F, 0x01, 0x38},                     // invlpg [rax]
	{0x0F, 0x01, 0x18}, {0x0F, 0x01, 0x10}, // lidt [rax], lgdt [rax]
	{0x0F, 0xC7, 0xF0},                 // rdrand eax
	{0xCC}, {0x0F, 0x0B}, {0xCD, 0x20}, // int3, ud2, int 0x20
	{0x48, 0x8D, 0x05, 0xF9, 0xFF, 0xFF, 0xFF, 0x90}, // lea rax, [here]; nop
	{0x48, 0x89, 0xC1}, {0x48, 0x89, 0xE0}, // mov rcx, rax; mov rax, rsp
	{0x4C, 0x89, 0xF1}, {0x4C, 0x89, 0xE0}, // mov rcx, r14: the image's handle; mov rax, r12: boot services
	{0xD9, 0xFB}, {0x0F, 0xAE, 0x00}, // fsincos, fxsave [rax]
}

// fuzzRegisters are RAX, RCX, RDX, RBX, RSI, RDI, R8, R9 and R10, as MOV's REX prefix and opcode.
var fuzzRegisters = [][2]byte{{0x48, 0xB8}, {0x48, 0xB9}, {0x48, 0xBA}, {0x48, 0xBB}, {0x48, 0xBE}, {0x48, 0xBF}, {0x49, 0xB8}, {0x49, 0xB9}, {0x49, 0xBA}}

// fuzzedGuest makes a program of an input.
func fuzzedGuest(in []byte) []byte {
	code := []byte{
		0x48, 0x83, 0xEC, 0x68, // sub rsp, 0x68
		0x4C, 0x8B, 0x62, 0x60, 0x4C, 0x8B, 0x6A, 0x58, // mov r12, [rdx+0x60]; mov r13, [rdx+0x58]: boot and runtime services
		0x49, 0x89, 0xCE, // mov r14, rcx
		0xBB, 100, 0, 0, 0, // mov ebx, 100
	}
	next := func() (b byte) {
		if len(in) > 0 {
			b, in = in[0], in[1:]
		}
		return b
	}
	var starts []int
	for len(in) > 0 && len(code) < 2000 {
		starts = append(starts, len(code))
		switch kind := next(); kind % 8 {
		case 0, 1, 2:
			r := fuzzRegisters[int(next())%len(fuzzRegisters)]
			code = binary.LittleEndian.AppendUint64(append(code, r[:]...), fuzzValues[int(next())%len(fuzzValues)]+uint64(kind>>5))
		case 3, 4:
			code = append(code, fuzzCode[int(next())%len(fuzzCode)]...)
		case 5: // call [r12+n]
			code = binary.LittleEndian.AppendUint32(append(code, 0x41, 0xFF, 0x94, 0x24), 24+8*uint32(next()%44))
		case 6:
			if kind&0x80 != 0 { // dec ebx; jnz to the beginning of an earlier piece
				to := starts[int(next())%len(starts)]
				code = append(code, 0xFF, 0xCB, 0x0F, 0x85)
				code = binary.LittleEndian.AppendUint32(code, uint32(to-len(code)-4))
				continue
			}
			code = binary.LittleEndian.AppendUint32(append(code, 0x41, 0xFF, 0x95), 24+8*uint32(next()%14)) // call [r13+n]
		case 7:
			n := min(int(next()%15)+1, len(in))
			code, in = append(code, in[:n]...), in[n:]
		}
	}
	return append(code, 0x31, 0xC0, 0x48, 0x83, 0xC4, 0x68, 0xC3) // xor eax, eax; add rsp, 0x68; ret
}

// FuzzGuest runs guests on every platform, under every attack and lie. Whatever they do, a run has an end, in time, and
// one that is the same wherever blocks are cut.
func FuzzGuest(f *testing.F) {
	for _, in := range [][]byte{
		{},
		{0, 1, 13, 3, 7, 6, 6}, // a call of the module
		{0, 0, 14, 3, 0},       // a touch of what is not accepted
		{0, 1, 12, 0, 2, 15, 0, 6, 31, 5, 40, 0x86, 0}, // a checksum, again and again
		{0, 1, 30, 0, 0, 14, 3, 14, 3, 8, 0x86, 2},     // the GHCB's protocol by MSR
		{0, 1, 12, 0, 2, 1, 0, 0, 2, 3, 9, 3, 0},       // PVALIDATE, and a touch
		{3, 20, 3, 21, 0x86, 0},                        // sti; hlt
		{7, 1, 0xEB, 0xFE},
		{3, 31, 3, 3, 3, 4, 0x86, 0}, // code that writes to itself
	} {
		for platform := range byte(3) {
			f.Add(in, platform, byte(0), byte(0))
			f.Add(in, platform, byte(1+platform), byte(0))
			f.Add(in, platform, byte(0), byte(1+platform))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, platform, attack, lie byte) {
		sameEverywhere(t, in, platform, attack, lie)
	})
}

// sameEverywhere runs a fuzzed guest under each engine and with blocks cut in three ways, asserts that they give the same record and console in
// time, and returns how it ended.
func sameEverywhere(t *testing.T, in []byte, platform, attack, lie byte) record.Outcome {
	t.Helper()
	cfg := vm.Config{
		Platform: vm.PlatformNames()[int(platform)%len(vm.PlatformNames())], Memory: 128 * mib, FirmwareAccepts: 64 * mib, Initrd: []byte{},
		Image: application(t, fuzzedGuest(in)), Seed: uint64(len(in)), MaxInstructions: 5_000, MaxVirtual: 10 * time.Second, MaxHostMemory: 1 * gib,
	}
	if cfg.Platform != vm.None {
		kinds := host.Attacks()
		if n := int(attack) % (len(kinds) + 1); n > 0 {
			cfg.HostAttack = string(kinds[n-1].Kind)
		}
		lies := firmware.Lies()
		if n := int(lie) % (len(lies) + 1); n > 0 {
			cfg.FirmwareLie = string(lies[n-1].Kind)
		}
	}
	var outcome record.Outcome
	var want []byte
	for _, w := range ways(0, 1, 5) {
		cfg.MaxWall = time.Minute
		b := boot(t, w.of(cfg))
		if b.Diagnosis != nil && strings.Contains(b.Diagnosis.Summary, "wall time") {
			t.Fatalf("it does not come to its end: %+v", b.Diagnosis)
		}
		b.Host = record.Host{}
		got, err := json.Marshal(b.Record)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.console...)
		if want == nil {
			want, outcome = slices.Clone(got), b.Outcome
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%v:\n%s\nthe interpreter:\n%s", w, got, want)
		}
	}
	return outcome
}

var (
	randomSeed   = flag.Uint64("guest-seed", 1, "where TestRandomGuests has its guests from")
	randomFirst  = flag.Uint64("guest-first", 0, "the first of them")
	randomGuests = flag.Uint64("guests", 60, "how many there are")
)

// Random guests on every platform, under every attack and lie: as FuzzGuest makes them, but without a corpus, so
// that two numbers say which guest it was. scripts/soak guests runs very many.
func TestRandomGuests(t *testing.T) {
	endings := map[record.Outcome]int{}
	for i := *randomFirst; i < *randomFirst+*randomGuests; i++ {
		r := rand.New(rand.NewPCG(*randomSeed, i))
		in := make([]byte, r.IntN(200))
		for k := range in {
			in[k] = byte(r.Uint32())
		}
		platform, attack, lie := byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())
		if r.IntN(2) == 0 { // most attacks end a guest, and then there is nothing to see of it
			attack, lie = 0, 0
		}
		if ok := t.Run(fmt.Sprintf("seed %d, guest %d", *randomSeed, i), func(t *testing.T) {
			endings[sameEverywhere(t, in, platform, attack, lie)]++
		}); !ok {
			return
		}
	}
	var said []string
	for _, o := range slices.Sorted(maps.Keys(endings)) {
		said = append(said, fmt.Sprintf("%d %s", endings[o], o))
	}
	t.Logf("ended with: %s", strings.Join(said, ", "))
}
