package abi

// hex is v in hexadecimal with its prefix and at least so many digits, for a package that imports nothing.
func hex(v uint64, digits int) string {
	var b [18]byte
	i := len(b)
	for ; v != 0 || digits > 0; digits-- {
		i--
		b[i] = "0123456789abcdef"[v%16]
		v /= 16
	}
	i -= 2
	b[i], b[i+1] = '0', 'x'
	return string(b[i:])
}
