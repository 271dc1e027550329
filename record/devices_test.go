package record

import (
	"bytes"
	"strings"
	"testing"
)

// The summary has a line for each device that was used, and says why one was refused something.
func TestSummaryOfDevices(t *testing.T) {
	r := aRecord()
	r.Devices = []Device{
		{Slot: "00:01.0", Name: "virtio-rng"},
		{Slot: "00:02.0", Name: "virtio-blk", Requests: 3, ReadBytes: 2 * mib, WrittenBytes: 4096, Errors: 1, Refused: 2, Why: "a private page"},
	}
	var b bytes.Buffer
	if err := r.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	if want := "virtio-blk 00:02.0 2 MiB read; 4 KiB written; 3 requests; 1 errors; 2 refused; a private page"; !strings.Contains(text, want) || strings.Contains(text, "virtio-rng") {
		t.Errorf("the summary lacks %q, or has what was not used:\n%s", want, b.String())
	}
}
