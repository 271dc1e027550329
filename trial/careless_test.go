package trial_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/trial"
)

// careless has for each attack the guest that it breaks: a program in vm/testdata/careless.c, or in another file of that
// directory before a colon.
var careless = map[string]string{
	"drop": "accepts_twice", "swap": "accepts_twice", "replay": "changes_and_accepts",
	"flip": "accepts_twice", "fetch": "reads_twice", "alias": "uses_memory", "undo": "uses_memory", "stack": "uses_memory",
	"registers": "leaves_values", "message": "numbers_again",
	"refuse": "shares_blindly", "stall": "asks_for_ever", "half": "shares_half",
	"cpuid-tdx": "asks_for_features", "cpuid-snp": "asks_for_features",
	"msr": "believes_msr", "mtrr": "believes_mtrr", "port": "believes_port", "mmio": "believes_device", "clock": "believes_clock",
	"interrupt": "is_interrupted", "int80": "is_interrupted", "divide": "is_interrupted", "nmi": "is_interrupted",
	"vc-vmmcall": "is_interrupted", "vc-cpuid": "is_interrupted", "vc-mmio": "is_interrupted", "vc-nested": "is_interrupted_asking",
	"msr-version": "ignores_replies", "msr-cbit": "believes_cbit", "rdrand": "believes_rdrand", "surprise-ve": "accepts_on_ve",
	"ghcb-exception": "ignores_replies", "ghcb-invalid": "ignores_replies", "ghcb-malformed": "ignores_replies",
	"msr-code": "ignores_replies", "msr-page": "ignores_replies",
	"cursor-back": "asks_for_ever", "cursor-end": "ignores_replies", "cursor-reserved": "ignores_replies",
	"map-overlap": "accepts_all", "map-wrap": "accepts_all", "map-stride": "counts_memory", "map-stride-huge": "counts_memory",
	"map-image": "accepts_all", "map-accepted": "accepts_all", "map-table": "accepts_by_table", "map-stale": "accepts_by_table",
	"map-key": "tries_to_leave",

	"ring-length": "careless-devices.c:believes_rings", "ring-id": "careless-devices.c:believes_rings",
	"ring-other": "careless-devices.c:believes_rings", "ring-index": "careless-devices.c:believes_rings",
	"ring-descriptor": "careless-devices.c:believes_rings", "ring-fetch": "careless-devices.c:reads_rings_twice",
	"packet-length": "careless-devices.c:believes_packets", "packet-header": "careless-devices.c:believes_packets",
	"quote-length": "careless-devices.c:believes_quotes", "quote-status": "careless-devices.c:believes_quotes",
	"quote-fetch": "careless-devices.c:reads_quotes_twice",
	"ipi-drop":    "careless-processors.c:counts_interrupts", "ipi-late": "careless-processors.c:counts_interrupts",
	"ipi-twice": "careless-processors.c:counts_interrupts", "ipi-astray": "careless-processors.c:counts_interrupts",
	"ap-drop": "careless-processors.c:counts_interrupts", "ap-again": "careless-processors.c:leaves_vmsas",
}

// noneCareless has why an attack breaks no guest, however careless, on some platform ("" for all).
var noneCareless = map[string]string{
	"split": "", "join": "", // state and contents stay
	"lie": "", "preload": "", // the architecture has it that the host's word counts for nothing
	"aml":            "", // a small program runs no AML; stock kernels do: TestKernelsRunAML
	"withhold":       "", // a guest stands still
	"quote-never":    "", // and here
	"ap-twice":       "", // a VMSA that is in use, and a page that is none, are no processor's
	"ap-other":       "",
	"map-unaccepted": "",    // touching the memory is the end
	"divide":         "tdx", // the module refuses it
}

// Every attack breaks the guest that is careless about it, or cannot: nothing passes in silence.
func TestCareless(t *testing.T) {
	t.Parallel()
	by := map[string][]trial.Entry{}
	for _, a := range trial.Attacks() {
		program, breaks := careless[a.Name]
		if reason, not := noneCareless[a.Name]; !breaks && (!not || reason != "") {
			t.Errorf("there is no careless guest for %s", a.Name)
		}
		if breaks {
			by[program] = append(by[program], a)
		}
	}
	for program, attacks := range by {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			source, name, other := strings.Cut(program, ":")
			if !other {
				source, name = "careless.c", program
			}
			img, err := image.Parse(name+".efi", imagetest.Program(t, "../vm/testdata/"+source, name))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range attacks {
				names = append(names, a.Name)
			}
			r, err := trial.Run(t.Context(), trial.Config{Subjects: []trial.Subject{{Image: img}}, Attacks: names, Memory: 2 << 30, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range r.Guests {
				unwanted := (program == "ignores_replies" || program == "reads_twice") && g.Platform == "tdx"
				if g.Error != "" && !unwanted {
					t.Errorf("on %s: %s", g.Platform, g.Error)
				}
			}
			for _, a := range r.Trials {
				want := trial.Broken
				if on, not := noneCareless[a.Attack]; not && on == a.Platform {
					want = trial.Held
				}
				if a.Verdict != want {
					t.Errorf("%s on %s: %s: %s; want %s", a.Attack, a.Platform, a.Verdict, a.Why, want)
				} else {
					t.Logf("%s on %s: %s", a.Attack, a.Platform, a.Why)
				}
			}
		})
	}
}
