package abi

// hex is v in hexadecimal with its prefix, for a package that imports nothing.
func hex(v uint64) string { return "0x" + number(v, 16) }

// number is v to a base up to 16.
func number(v, base uint64) string {
	var b [64]byte
	i := len(b)
	for {
		i--
		b[i] = "0123456789abcdef"[v%base]
		if v /= base; v == 0 {
			return string(b[i:])
		}
	}
}
