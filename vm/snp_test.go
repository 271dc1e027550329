package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/vm"
)

func TestSNPGuestAcceptsLazily(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Platform: vm.SNP, Image: debian13(t)})
	spentAdds(t, b.Record)
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n <= 5*gib/2 {
		t.Errorf("%d bytes unaccepted at init, want more than 2.5 GiB of 4", n)
	}
	for _, line := range []string{"Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP", "SNP running at VMPL0"} {
		if !strings.Contains(b.console, line) {
			t.Errorf("dmesg lacks %q", line)
		}
	}
	if b.Guest.VMPL == nil || *b.Guest.VMPL != 0 {
		t.Errorf("VMPL %v, want 0", b.Guest.VMPL)
	}
	if len(b.Negotiation.AllowedBy) != 1 {
		t.Errorf("AllowUnacceptedMemory was called by %v", b.Negotiation.AllowedBy)
	}
}

func TestSNPGuestOf64G(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Platform: vm.SNP, Memory: 64 * gib, Image: debian13(t)})
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n < 60*gib {
		t.Errorf("%d bytes unaccepted at init of 64 GiB", n)
	}
	// SWIOTLB, 1 GiB of it, is made shared in requests that the host does in part and the kernel repeats.
	if b.Calls["ghcb"]["SNP Page State Change, in part"][""] == 0 {
		t.Errorf("no page state change was done in part: %v", b.Calls["ghcb"])
	}
}

func TestSNPSameBytesAgain(t *testing.T) {
	t.Parallel()
	cfg := vm.Config{Platform: vm.SNP, Image: debian13(t), Memory: 2 * gib, Misalign: true}
	first := boot(t, cfg)
	var recorder timeline.Recorder
	cfg.BlockLimit, cfg.Timeline = 5, &recorder
	again := boot(t, cfg)
	agrees(t, again.Record, recorder.Timeline())
	if first.console != again.console {
		t.Error("two runs print differently:\n" + firstDifference(first.console, again.console))
	}
	if a, b := jsonOf(t, first), jsonOf(t, again); a != b {
		t.Error("two runs have different records:\n" + firstDifference(a, b))
	}
}

func TestSNPGuestAcceptsEagerly(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Platform: vm.SNP, Image: debian13(t), Append: "accept_memory=eager"})
	b.powersOff(t)
	b.booksAgree(t)
	if n := *b.Acceptance.UnacceptedAtInit; n != 0 {
		t.Errorf("%d bytes unaccepted at init in spite of accept_memory=eager", n)
	}
}

// The stub accepts odd ranges by the MSR protocol, and over 4 KiB host pages PVALIDATE of 2 MiB meets a size mismatch.
func TestSNPStubAndSmallPages(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Platform: vm.SNP, Image: debian13(t), Misalign: true, HostPage: 4 << 10})
	b.powersOff(t)
	b.booksAgree(t)
	if b.Acceptance.By.Stub.Bytes == 0 || b.Calls["ghcb"]["MSR: SNP Page State Change"][""] < 1000 {
		t.Errorf("the stub accepted %d bytes; GHCB calls %v", b.Acceptance.By.Stub.Bytes, b.Calls["ghcb"])
	}
	if b.Calls["rmp"]["PVALIDATE"]["FAIL_SIZEMISMATCH"] == 0 {
		t.Errorf("no PVALIDATE met a size mismatch: %v", b.Calls["rmp"])
	}
}

// The question that the mailing list left open, answered by running it: a kernel that cannot accept memory loses it
// unless firmware asks.
func TestKernelThatCannotAccept(t *testing.T) {
	t.Parallel()
	lazy := boot(t, vm.Config{Platform: vm.SNP, Image: debian12(t), FirmwarePolicy: "lazy"})
	lazy.powersOff(t)
	if n := lazy.Guest.MemInfo.MemTotal; n > 256*mib {
		t.Errorf("under lazy it sees %d bytes, more than firmware accepted", n)
	}
	asked := boot(t, vm.Config{Platform: vm.SNP, Image: debian12(t)})
	asked.powersOff(t)
	if n := asked.Guest.MemInfo.MemTotal; n < 3600*mib {
		t.Errorf("under negotiate it sees %d bytes of 4 GiB", n)
	}
	n := asked.Negotiation
	if !n.Offered || len(n.AllowedBy) != 0 || n.AcceptedAtExit != 4*gib-256*mib || n.ExitBootServices != 2 {
		t.Errorf("the record says %+v", n)
	}
}
