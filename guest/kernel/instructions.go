//go:build linux && amd64

package kernel

// In instructions_amd64.s and entry_amd64.s.

// Entry is where firmware starts the program; the linker is told so (package efi).
func Entry()

func rdmsr(index uint32) (value uint64)
func wrmsr(index uint32, value uint64)
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
func rdtsc() uint64
func rdrand() (v uint64, ok bool)
func readCR0() uint64
func writeCR0(v uint64)
func readCR2() uint64
func writeCR3(v uint64)
func readCR4() uint64
func writeCR4(v uint64)
func invlpg(va uint64)
func pause()
func hlt()
func cli()
func sti()
func wait()
func outb(port uint16, v uint8)
func inb(port uint16) uint8
func zero(va, n uint64)
func move(to, from, n uint64)

//go:noescape
func callFirmware(fn uint64, args *[6]uint64) (status uint64)
func loadSegments()
func lgdt(p uint64)
func lidt(p uint64)
func addressOf() (gates, syscalled, program, resume, kept uint64)
func startedAddress() uint64
func jump(stack, to uint64)

//lint:ignore U1000 for vet; entry_amd64.s calls it
func enterLinked(entry uint64)
func touch(va uint64)
func handOver(code, systemTable, table uint64)
