//go:build linux && amd64

package kernel

// now is the time since the start in nanoseconds, by the time stamp counter.
func (k *kernel) now() uint64 {
	ticks := rdtsc() - k.tscStart
	return ticks/k.tscHz*1e9 + ticks%k.tscHz*1e9/k.tscHz
}

// calibrate finds out how fast the time stamp counter is: from CPUID (leaf 0x15, which a TD always has), else by having
// firmware wait a while.
func (k *kernel) calibrate() {
	k.tscStart = rdtsc()
	if most, _, _, _ := cpuid(0, 0); most >= 0x15 {
		if denominator, numerator, crystal, _ := cpuid(0x15, 0); denominator != 0 && numerator != 0 && crystal != 0 {
			k.tscHz = uint64(crystal) * uint64(numerator) / uint64(denominator)
			return
		}
	}
	const wait = 10_000 // microseconds
	k.stall(wait)
	k.tscHz = max((rdtsc()-k.tscStart)*(1e6/wait), 1e6)
}

// random returns a random number: the processor's where it has them, else one that a bystander could guess.
func (k *kernel) random() uint64 {
	if k.hasRDRAND {
		for range 16 {
			if v, ok := rdrand(); ok {
				return v
			}
		}
	}
	k.seed += rdtsc() | 1
	z := k.seed * 0x9E37_79B9_7F4A_7C15
	z = (z ^ z>>30) * 0xBF58_476D_1CE4_E5B9
	return z ^ z>>27
}
