package device

import "testing"

// EDK2 looks whether there is a flash chip so (OvmfPkg/QemuFlashFvbServicesRuntimeDxe/QemuFlash.c, QemuFlashDetected), and
// erases and programs it so.
func TestFlashAsEDK2UsesIt(t *testing.T) {
	content := make([]byte, 2*FlashBlock)
	for i := range content {
		content[i] = 0xA5
	}
	f := NewFlash(content)
	write := func(at uint64, values ...uint64) {
		for _, v := range values {
			f.Write(at, 1, v)
		}
	}
	const at = FlashBlock + 7
	write(at, flashClear)
	if v := f.Read(at, 1); v != 0xA5 {
		t.Errorf("it reads as %#x after its status was cleared", v)
	}
	write(at, flashStatus)
	if v := f.Read(at, 1); v != 0 {
		t.Errorf("its status is %#x after it was cleared", v)
	}
	write(at, flashProgram, 0xA5, flashStatus)
	if v := f.Read(at, 1); v != flashReady {
		t.Errorf("its status is %#x after a byte was programmed", v)
	}
	write(at, flashErase, flashConfirm, flashProgram, 0x5A, flashArray)
	for offset, want := range map[uint64]uint64{0: 0xA5A5_A5A5, FlashBlock: 0xFFFF_FFFF, at - 1: 0xFFFF_5AFF, FlashBlock - 2: 0xFFFF_A5A5, 2*FlashBlock - 4: 0xFFFF_FFFF} {
		if got := f.Read(offset, 4); got != want {
			t.Errorf("at %#x there is %#x, want %#x", offset, got, want)
		}
	}
	write(at, flashErase, 0) // not confirmed
	if got := f.Read(0, 8); got != 0xA5A5_A5A5_A5A5_A5A5 || content[at] != 0xA5 {
		t.Errorf("an erasure that was not confirmed left %#x, and %#x of what the chip was made of", got, content[at])
	}
}
