package oracle

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The child's executable: one segment, loaded at programBase, with the ELF headers, the runner and the table of system
// calls that it starts with.
const (
	programBase = 0x12_D687_0000 // this and the others are no numbers that values.go draws
	runnerBase  = programBase + 0x1000
	setupBase   = programBase + 0x2000
	programEnd  = programBase + 0x3000

	stackBase = 0x3A_91C7_0000 // the signal stack
	stackSize = 64 << 10

	sharedFile = 3 // the descriptor of the shared memory

	// runnerEnd stands after the runner's last instruction.
	runnerEnd = 0x65_6e_64_20_72_75_6e_21
)

// runnerCode returns where the child's program lies in this one.
func runnerCode() *byte

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// executable returns the child's ELF file.
func executable() []byte {
	f := make([]byte, programEnd-programBase)
	var head bytes.Buffer
	binary.Write(&head, binary.LittleEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7F, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: runnerBase, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2,
	})
	binary.Write(&head, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: programBase, Filesz: uint64(len(f)), Memsz: uint64(len(f)), Align: pageSize,
	})
	binary.Write(&head, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W)})
	copy(f, head.Bytes())
	copy(f[runnerBase-programBase:setupBase-programBase], runnerText())

	table := f[setupBase-programBase:]
	for i, call := range setupCalls() {
		for j, v := range call.words() {
			binary.LittleEndian.PutUint64(table[64*i+8*j:], v)
		}
	}
	copy(f[setupData-programBase:], setupStructs())
	return f
}

// runnerText returns the machine code of the runner.
func runnerText() []byte {
	text := unsafe.Slice(runnerCode(), setupBase-runnerBase)
	end := binary.LittleEndian.AppendUint64(nil, runnerEnd)
	return text[:bytes.Index(text, end)]
}

// A setupCall is a system call that the child makes when it starts.
type setupCall struct {
	name   string
	number uintptr
	args   [6]uintptr
	try    bool // the child lives without it
}

func (s *setupCall) words() (w [8]uint64) {
	w[0] = uint64(s.number)
	for i, a := range s.args {
		w[1+i] = uint64(a)
	}
	if !s.try {
		w[7] = 1
	}
	return w
}

const archSetGS, archSetFS = 0x1001, 0x1002 // arch_prctl(2)

// setupData holds what the calls point at, after the table.
const setupData = setupBase + 0x800

// setupCalls maps the windows, sends the signals of exceptions to the runner, and gives up every right except to read,
// write, return from signals and exit.
func setupCalls() []setupCall {
	mapped := func(name string, addr, size, prot, offset uintptr) setupCall {
		flags := uintptr(unix.MAP_SHARED | unix.MAP_FIXED | unix.MAP_POPULATE)
		return setupCall{name: "mmap " + name, number: unix.SYS_MMAP, args: [6]uintptr{addr, size, prot, flags, sharedFile, offset}}
	}
	const readOnly = arenaReadOnly * pageSize
	const after = readOnly + pageSize
	calls := []setupCall{
		mapped("shared memory", sharedBase, sharedSize, unix.PROT_READ|unix.PROT_WRITE, 0),
		mapped("code", codeBase, codePages*pageSize, unix.PROT_READ|unix.PROT_EXEC, sharedCode),
		mapped("arena", arenaBase, readOnly, unix.PROT_READ|unix.PROT_WRITE, sharedArena),
		mapped("arena, read-only", arenaBase+readOnly, pageSize, unix.PROT_READ, sharedArena+readOnly),
		mapped("arena, end", arenaBase+after, arenaSize-after, unix.PROT_READ|unix.PROT_WRITE, sharedArena+after),
		{name: "mmap signal stack", number: unix.SYS_MMAP,
			args: [6]uintptr{stackBase, stackSize, unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED, ^uintptr(0), 0}},
		{name: "sigaltstack", number: unix.SYS_SIGALTSTACK, args: [6]uintptr{setupData}},
	}
	for _, s := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGILL, unix.SIGFPE, unix.SIGTRAP} {
		calls = append(calls, setupCall{name: "rt_sigaction", number: unix.SYS_RT_SIGACTION, args: [6]uintptr{uintptr(s), setupData + 24, 0, 8}})
	}
	return append(calls,
		setupCall{name: "arch_prctl FS", number: unix.SYS_ARCH_PRCTL, args: [6]uintptr{archSetFS, fsBase}},
		setupCall{name: "arch_prctl GS", number: unix.SYS_ARCH_PRCTL, args: [6]uintptr{archSetGS, gsBase}},
		// A case that loops is ended by the parent; this is for the parent that died.
		setupCall{name: "setrlimit", number: unix.SYS_SETRLIMIT, args: [6]uintptr{unix.RLIMIT_CPU, setupData + 56}},
		// Refused where the child is under a filter already.
		setupCall{name: "prctl seccomp", number: unix.SYS_PRCTL, args: [6]uintptr{unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_STRICT}, try: true},
		setupCall{name: "end", number: ^uintptr(0)})
}

// Flags of struct sigaction (signal(7), asm/signal.h).
const (
	saSiginfo  = 0x4
	saRestorer = 0x0400_0000
	saOnStack  = 0x0800_0000
	saNoDefer  = 0x4000_0000
)

// setupStructs is what lies at setupData: struct sigaltstack, struct sigaction, struct rlimit.
func setupStructs() []byte {
	b := make([]byte, 0, 72)
	for _, v := range []uint64{
		stackBase, 0, stackSize,
		runnerBase, saSiginfo | saOnStack | saNoDefer | saRestorer, runnerBase, 0,
		3600, 3600,
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}
