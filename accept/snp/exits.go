package snp

import "github.com/tacit-vm/tacit/snp/abi"

// In reads 1, 2 or 4 bytes from a port.
func (g GHCB) In(x Instructions, port uint16, size int) (uint32, Reply) {
	g.Clear()
	g.Set(abi.GHCBRAX, 0)
	r := g.exit(x, abi.ExitIOIO, ioInfo(port, size)|abi.IOIn, abi.GHCBRAX)
	return uint32(g.Get(abi.GHCBRAX) & mask(size)), r
}

// Out writes 1, 2 or 4 bytes to a port.
func (g GHCB) Out(x Instructions, port uint16, size int, value uint32) Reply {
	g.Clear()
	g.Set(abi.GHCBRAX, uint64(value)&mask(size))
	return g.exit(x, abi.ExitIOIO, ioInfo(port, size))
}

// ioInfo is SW_EXITINFO1 of an instruction in 64-bit mode: the bit for the size is its number of bytes, in place.
func ioInfo(port uint16, size int) uint64 {
	return uint64(port)<<abi.IOPort | abi.IOAddr64 | uint64(size)*abi.IOSize8
}

// mask has the bits of so many bytes.
func mask(size int) uint64 { return 1<<(8*uint(size)) - 1 }

// RDMSR reads a model-specific register.
func (g GHCB) RDMSR(x Instructions, index uint32) (uint64, Reply) {
	g.Clear()
	g.Set(abi.GHCBRCX, uint64(index))
	r := g.exit(x, abi.ExitMSR, abi.MSRRead, abi.GHCBRAX, abi.GHCBRDX)
	return uint64(uint32(g.Get(abi.GHCBRAX))) | g.Get(abi.GHCBRDX)<<32, r
}

// WRMSR writes a model-specific register.
func (g GHCB) WRMSR(x Instructions, index uint32, value uint64) Reply {
	g.Clear()
	g.Set(abi.GHCBRCX, uint64(index))
	g.Set(abi.GHCBRAX, uint64(uint32(value)))
	g.Set(abi.GHCBRDX, value>>32)
	return g.exit(x, abi.ExitMSR, abi.MSRWrite)
}

// CPUID asks the host for a leaf: EAX, EBX, ECX, EDX. xcr0 matters for leaf 0xD. A guest believes its CPUID page first.
func (g GHCB) CPUID(x Instructions, leaf, subleaf uint32, xcr0 uint64) (v [4]uint32, r Reply) {
	g.Clear()
	g.Set(abi.GHCBRAX, uint64(leaf))
	g.Set(abi.GHCBRCX, uint64(subleaf))
	g.Set(abi.GHCBXCR0, xcr0)
	r = g.exit(x, abi.ExitCPUID, 0, abi.GHCBRAX, abi.GHCBRBX, abi.GHCBRCX, abi.GHCBRDX)
	for i, at := range [...]int{abi.GHCBRAX, abi.GHCBRBX, abi.GHCBRCX, abi.GHCBRDX} {
		v[i] = uint32(g.Get(at))
	}
	return v, r
}
