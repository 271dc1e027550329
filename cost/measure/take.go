package measure

// Options say how to measure.
type Options struct {
	Platform string // "tdx", "snp", "none"; empty: what the guest looks like
	HostPage string // for [Set.HostPage]
	Memory   uint64 // bytes that are touched at most, to have the kernel accept memory; 0: 1 GiB, or half of what is available
}
