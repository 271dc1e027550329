package vm

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
)

// What sections a saved machine has, and in which order, is its form. Where this fails because there are others, raise form
// in internal/state/file.go with what stands here: a file of before would be called damaged otherwise.
func TestFormOfSavedMachines(t *testing.T) {
	const form = 2
	for platform, want := range map[string]string{
		None: "log firmware devices cpu vm",
		TDX:  "log firmware devices tdx host cpu vm",
		SNP:  "log firmware devices snp host cpu vm",
	} {
		m, err := New(Config{Platform: platform, Memory: 256 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var sections []string
		for _, p := range m.parts() {
			sections = append(sections, p.section)
		}
		if got := strings.Join(sections, " "); got != want {
			t.Errorf("%s: a machine has sections %s; form %d has %s", platform, got, form, want)
		}
		m.Close()
	}
	var b bytes.Buffer
	if err := state.NewWriter(&b).End(); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint32(b.Bytes()[8:]); got != form {
		t.Errorf("files are of form %d, and this is about form %d", got, form)
	}
}
