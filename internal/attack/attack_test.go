package attack

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/host"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Attack{
		"drop":             {Kind: "drop", N: 1, At: Moment{Name: Start}},
		"drop:7":           {Kind: "drop", N: 7, At: Moment{Name: Start}},
		"int80":            {Kind: "int80", N: 1, At: Moment{Name: Init}},
		"int80:3@now#9":    {Kind: "int80", N: 3, At: Moment{Name: Now}, Seed: 9},
		"vc-vmmcall@0x1f0": {Kind: "vc-vmmcall", N: 1, At: Moment{Value: 0x1F0, Place: true}},
		"msr@500":          {Kind: "msr", N: 1, At: Moment{Value: 500}},
		"nmi@do_exit":      {Kind: "nmi", N: 1, At: Moment{Name: "do_exit"}},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%s became %s, and that %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "steal", "drop:0", "drop:x", "drop@", "drop@a:b", "drop#x", "drop@0xg", "map-wrap", "drop:18446744073709551615"} {
		if a, err := Parse(text); err == nil || !strings.Contains(err.Error(), "host attack") {
			t.Errorf("%q: %+v, error %v", text, a, err)
		}
	}
}

// Every attack says what it is, and those of package host and of firmware are there.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	lies := map[string]bool{}
	for _, k := range Kinds() {
		if seen[k.Name] {
			t.Errorf("%s is there twice", k.Name)
		}
		seen[k.Name], lies[k.Lie] = true, true
		if k.Source == "" || k.Does == "" || len(k.On) == 0 || k.Promise == "" && k.Duty == "" && !k.Hardware {
			t.Errorf("%s does not say all that there is to say: %+v", k.Name, k)
		}
		if k.Lie == "" && k.At == (Moment{}) {
			t.Errorf("%s has no moment", k.Name)
		}
	}
	for _, a := range host.Attacks() {
		if !seen[a.Kind] {
			t.Errorf("%s of package host is missing", a.Kind)
		}
	}
	for _, l := range firmware.Lies() {
		if !lies[string(l.Kind)] {
			t.Errorf("firmware's lie %s is missing", l.Kind)
		}
	}
}
