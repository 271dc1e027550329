//go:build linux || darwin

package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/translate"
)

var oldHost translate.Host // has nothing that came after SSE2

// What the host lacks is done by the interpreter, and code for a host that has it does the same.
func TestSequencesOnOldHosts(t *testing.T) {
	how := translating(t)
	saved := host
	t.Cleanup(func() { host = saved })
	for seed := range uint64(30) {
		var ends []ending
		for _, old := range []bool{false, true} {
			host = saved
			if old {
				host = oldHost
			}
			m := newSceneUnder(t, sequence(1000+seed), how)
			ends = append(ends, m.ending(m.drive(0)))
		}
		if d := difference(ends[0], ends[1]); d != "" {
			t.Errorf("sequence %d: %s", 1000+seed, d)
		}
	}
}
