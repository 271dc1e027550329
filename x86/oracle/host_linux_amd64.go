package oracle

import "golang.org/x/sys/unix"

// SegmentBases says whether the host's kernel lets user code use RDFSBASE, RDGSBASE, WRFSBASE and WRGSBASE.
func SegmentBases() bool {
	const hwcap2, fsgsbase = 26, 1 << 1 // AT_HWCAP2, HWCAP2_FSGSBASE (Linux, arch/x86/include/uapi/asm/hwcap2.h)
	aux, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, a := range aux {
		if a[0] == hwcap2 {
			return a[1]&fsgsbase != 0
		}
	}
	return false
}

// hostCPUID is CPUID of the host.
func hostCPUID(leaf, subleaf uint32) [4]uint32 {
	a, b, c, d := cpuid(leaf, subleaf)
	return [4]uint32{a, b, c, d}
}
