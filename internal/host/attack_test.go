package host_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/tdx"
)

// A host that cheats is another implementation of what the platforms expect.
var (
	_ tdx.Host = (*host.CheatingTD)(nil)
	_ snp.Host = (*host.CheatingSNP)(nil)
)

func TestParseAttack(t *testing.T) {
	for text, want := range map[string]host.Attack{
		"drop":  {Kind: host.Drop, N: 1},
		"lie:7": {Kind: host.Lie, N: 7},
	} {
		if a, err := host.ParseAttack(text); err != nil || a != want {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", ":", "steal", "drop:", "drop:0", "drop:-1", "drop:1:2", "drop:18446744073709551616", "Drop"} {
		if a, err := host.ParseAttack(text); err == nil {
			t.Errorf("%q: %+v and no error", text, a)
		}
	}
	for _, known := range host.Attacks() {
		a, err := host.ParseAttack(known.Kind)
		if err != nil {
			t.Error(err)
		}
		if again, err := host.ParseAttack(a.String()); err != nil || again != a {
			t.Errorf("%s: %+v, %v", a, again, err)
		}
	}
	if _, err := host.ParseAttack("steal"); err == nil || !strings.Contains(err.Error(), host.Preload) {
		t.Errorf("the error does not say what there is: %v", err)
	}
}
