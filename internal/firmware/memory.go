package firmware

import (
	"hash/crc32"
)

// CopyMem and SetMem work in steps, each a call of the service: arguments move on as an instruction's do under a REP
// prefix.

// copyMem(*Destination, *Source, Length); the two may overlap.
func (f *Firmware) copyMem(a args) error {
	to, from, n := a[0], a[1], a[2]
	if n == 0 || to == from {
		return nil
	}
	k := min(n, step)
	b := make([]byte, k)
	backwards := to-from < n // the destination begins within the source
	at := uint64(0)
	if backwards {
		at = n - k
	}
	if err := f.read(from+at, b); err != nil {
		return err
	}
	if err := f.write(to+at, b); err != nil {
		return err
	}
	gpr := f.cpu.GPR()
	gpr[r8] = n - k
	if !backwards {
		gpr[rcx], gpr[rdx] = to+k, from+k
	}
	return f.unlessDone(n - k)
}

// setMem(*Buffer, Size, Value)
func (f *Firmware) setMem(a args) error {
	to, n, value := a[0], a[1], byte(a[2])
	if n == 0 {
		return nil
	}
	k := min(n, step)
	b := make([]byte, k)
	if value != 0 {
		for i := range b {
			b[i] = value
		}
	}
	if err := f.write(to, b); err != nil {
		return err
	}
	gpr := f.cpu.GPR()
	gpr[rcx], gpr[rdx] = to+k, n-k
	return f.unlessDone(n - k)
}

func (f *Firmware) unlessDone(left uint64) error {
	if left > 0 {
		return errAgain
	}
	return nil
}

// maxCRC bounds what CalculateCrc32 sums up, in bytes.
const maxCRC = 256 << 20

// calculateCrc32(*Data, DataSize, *Crc32)
func (f *Firmware) calculateCrc32(a args) error {
	from, n := a[0], a[1]
	if n == 0 || n > maxCRC {
		return invalidParameter
	}
	u := &f.unfinished
	b := make([]byte, min(n-min(u.done, n), step))
	if err := f.read(from+u.done, b); err != nil {
		return err
	}
	u.sum = crc32.Update(u.sum, crc32.IEEETable, b)
	if u.done += uint64(len(b)); u.done < n {
		return errMore
	}
	return f.store32(a[2], u.sum)
}
