package vm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/vm"
)

// A section of a saved machine.
type savedSection struct {
	name    string
	version uint32
	content []byte
}

// fuzzMachines are saved machines, by platform: small ones, each in the middle of something.
var fuzzMachines = sync.OnceValues(func() (all [][]savedSection, err error) {
	for _, platform := range vm.PlatformNames() {
		line := "hold=2M"
		m, err := vm.New(vm.Config{Platform: platform, Memory: 256 * mib, CommandLine: &line})
		if err != nil {
			return nil, err
		}
		defer m.Close()
		var b bytes.Buffer
		if _, err := m.Run(context.Background(), vm.AtInstruction(500_000)); err != nil {
			return nil, err
		}
		if err := m.Save(&b); err != nil {
			return nil, err
		}
		var sections []savedSection
		const magic, header, sum = 12, 16, 4
		for rest := b.Bytes()[magic:]; len(rest) > 0; {
			n := binary.LittleEndian.Uint32(rest[12:])
			sections = append(sections, savedSection{string(bytes.TrimRight(rest[:8], "\x00")), binary.LittleEndian.Uint32(rest[8:]), rest[header : header+n]})
			rest = rest[header+n+sum:]
		}
		all = append(all, sections[:len(sections)-1]) // without the end
	}
	return all, nil
})

// FuzzLoad changes what is in a saved machine's sections, with checksums that are right, and lets it run where it is
// taken: whatever the file says, the host is not at risk.
//
// An input is the platform's number, then edits: a section's number, a place in it, how many bytes there go away, and a
// byte that takes their place.
func FuzzLoad(f *testing.F) {
	f.Add([]byte{0})
	for platform := range byte(3) {
		for section := range byte(14) {
			f.Add([]byte{platform, section, 0, 1, 1, 0xFF})
			f.Add([]byte{platform, section, 1, 0, 0, 0x80})
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		all, err := fuzzMachines()
		if err != nil {
			t.Fatal(err)
		}
		if len(input) == 0 {
			return
		}
		sections := append([]savedSection{}, all[int(input[0])%len(all)]...)
		small := make([]int, 0, len(sections)) // those that are not contents of memory, and one that is
		for i, s := range sections {
			if s.name != "memory" || len(small) == 0 || sections[small[len(small)-1]].name != "memory" {
				small = append(small, i)
			}
		}
		for edits := input[1:]; len(edits) >= 5; edits = edits[5:] {
			s := &sections[small[int(edits[0])%len(small)]]
			if len(s.content) == 0 {
				continue
			}
			at := (int(edits[1])<<8 | int(edits[2])) % len(s.content)
			end := min(at+int(edits[3]%4), len(s.content))
			s.content = append(append(append([]byte{}, s.content[:at]...), edits[4]), s.content[end:]...)
		}
		var b bytes.Buffer
		w := state.NewWriter(&b)
		for _, s := range sections {
			w.Section(s.name, s.version, s.content)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		m, err := vm.Load(&b, vm.Config{MaxHostMemory: 768 * mib, MaxWall: 2 * time.Second, MaxInstructions: 600_000, MaxVirtual: time.Second, Console: io.Discard})
		if err != nil {
			return
		}
		defer m.Close()
		var bug *vm.BugError
		if _, err := m.Run(t.Context(), vm.Event{}); errors.As(err, &bug) {
			t.Error(bug)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		if r, err := m.Record(); err == nil {
			if err := errors.Join(r.WriteSummary(io.Discard), r.WriteJSON(io.Discard)); err != nil {
				t.Error(err)
			}
		}
	})
}
