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

// hostVendor is the vendor's name in CPUID.
func hostVendor() string {
	_, b, c, d := cpuid(0, 0)
	return string(appendLittle(appendLittle(appendLittle(nil, uint64(b), 4), uint64(d), 4), uint64(c), 4))
}

// hostCPUID is CPUID of the host.
func hostCPUID(leaf, subleaf uint32) [4]uint32 {
	a, b, c, d := cpuid(leaf, subleaf)
	return [4]uint32{a, b, c, d}
}
