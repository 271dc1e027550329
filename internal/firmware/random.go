package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/uefi"
)

// seed spreads a configured seed over a generator's key. The label keeps this generator apart from others that have the
// same seed.
func seed(n uint64) (key [32]byte) {
	copy(key[8:], "tacit EFI_RNG_PROTOCOL")
	binary.LittleEndian.PutUint64(key[:], n)
	return key
}

// rngInfo(*This, *RNGAlgorithmListSize, *RNGAlgorithmList) is GetInfo (UEFI 2.10, chapter 37).
func (f *Firmware) rngInfo(a args) error {
	size, err := f.load64(a[1])
	if err != nil {
		return err
	}
	if err := f.store64(a[1], uint64(len(uefi.RNGAlgorithmRawGUID))); err != nil {
		return err
	}
	if size < uint64(len(uefi.RNGAlgorithmRawGUID)) {
		return bufferTooSmall
	}
	return f.write(a[2], uefi.RNGAlgorithmRawGUID[:])
}

// getRNG(*This, *RNGAlgorithm, RNGValueLength, *RNGValue). What it gives follows from the seed alone, so that runs
// repeat.
func (f *Firmware) getRNG(a args) error {
	const most = 1 << 20
	if a[1] != 0 {
		algorithm, err := f.loadGUID(a[1])
		if err != nil {
			return err
		}
		if algorithm != uefi.RNGAlgorithmRawGUID {
			return unsupported
		}
	}
	switch n := a[2]; {
	case n == 0:
		return invalidParameter
	case n > most:
		return deviceError
	}
	b := make([]byte, a[2])
	if _, err := f.random.Read(b); err != nil {
		return err
	}
	return f.write(a[3], b)
}
