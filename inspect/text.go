package inspect

import (
	"bytes"
	"fmt"

	"github.com/tacit-vm/tacit/image"
)

// messages are texts of Linux that only exist where the code that prints them was built (arch/x86/boot/compressed/mem.c
// and sev.c, drivers/firmware/efi/libstub/x86-stub.c and unaccepted_memory.c). They lie beside the packed kernel.
var messages = []struct {
	question question
	text     string
}{
	{negotiates, "Memory acceptance protocol failed"},
	{acceptsTDX, "TDX: Failed to accept memory"},
	{guestTDX, "IntelTDX    "},
	{guestSNP, "SEV-SNP support indicated by CC blob, but not CPUID."},
	{acceptsAny, "Unknown version of unaccepted memory table"},
	{acceptsAny, "Failed to allocate unaccepted memory config table"},
	{acceptsAny, "Cannot accept memory: unknown platform"},
}

// readText looks for the messages outside the packed kernel.
func readText(img *image.Image) map[question][]Evidence {
	start := img.Setup.ProtectedMode() + int(img.Setup.PayloadOffset)
	end := start + int(img.Setup.PayloadLength)
	found := map[question][]Evidence{}
	for _, m := range messages {
		at := bytes.Index(img.Data[:start], []byte(m.text))
		if at < 0 {
			if at = bytes.Index(img.Data[end:], []byte(m.text)); at >= 0 {
				at += end
			}
		}
		if at >= 0 {
			found[m.question] = append(found[m.question], evidence(Strings, Yes, fmt.Sprintf("text %q", m.text), int64(at)))
		}
	}
	return found
}
