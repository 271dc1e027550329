package vm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// An ending is how a hostile program ends, and what it has found out until then.
type ending struct {
	outcome record.Outcome
	says    string   // is part of the diagnosis; empty where there is to be none
	prints  []string // lines on the console
}

// off is the good end.
func off(prints ...string) ending { return ending{record.PowerOff, "", prints} }

// hostilePrograms are what programs of testdata that are against themselves, the platform or firmware come to on each
// platform: what its specification says.
var hostilePrograms = []struct {
	source, name   string
	none, tdx, snp ending
}{
	{
		"pages.c", "own_page", // an SEV-SNP guest gets an exception and lives on; a TD does not
		off("exception ff"),
		ending{record.Violation, "TDX violation: instruction fetch", nil},
		off("exception 1d"),
	}, {
		"pages.c", "firmware_page",
		off(),
		ending{record.Violation, "TDX violation: instruction fetch", nil},
		ending{record.Violation, "the guest asked to be terminated", nil},
	}, {
		"pages.c", "shared_table", // TDX: the shared bit is reserved there; SEV-SNP: a walk is private, and the page is not validated any more
		off("exception e", "code 0"),
		off("exception e", "code 9"),
		off("exception 1d", "code 404"),
	}, {
		"pages.c", "device_table",
		ending{record.Violation, "page walk at guest-physical address 0xfec00000", nil},
		off("exception e", "code 9"),
		ending{record.Violation, "page walk of private page 0xfec00000", nil},
	}, {
		"pages.c", "reserved_bit",
		off("exception e", "code 9"),
		off("exception e", "code 9"),
		off("exception e", "code 9"),
	}, {
		"pages.c", "call_shared", // TDX: a fetch of shared memory is a page fault; SEV-SNP: a fetch is private, whatever the mapping says
		off("exception ff", "exception ff", "code 0"),
		off("exception ff", "exception e", "code 19"),
		off("exception ff", "exception ff", "code 0"),
	}, {
		"pages.c", "write_shared", // the host makes shared what is used as shared, and the guest's contents are gone
		off("exception ff", "value 7777777777777777", "exception ff", "code 0"),
		ending{record.Violation, "TDX violation: read", []string{"exception ff", "value 7777777777777777"}},
		off("exception ff", "value 7777777777777777", "exception 1d", "code 404"),
	}, {
		"pages.c", "accepts_again", // nothing changes; the guest is told
		off("value 600d"),
		off("again b0a00000001", "value 600d"),
		off("again 100000000", "value 600d"),
	}, {
		"faults.c", "no_handler", // each fault takes some of the stack, until there is none left
		ending{record.TripleFault, "while #DF was being delivered", nil},
		ending{record.TripleFault, "while #DF was being delivered", nil},
		ending{record.TripleFault, "while #DF was being delivered", nil},
	}, {
		"faults.c", "handler_faults",
		ending{record.TripleFault, "while #DF was being delivered", nil},
		ending{record.TripleFault, "while #DF was being delivered", nil},
		ending{record.TripleFault, "while #DF was being delivered", nil},
	}, {
		"faults.c", "tries_again", // what survives the exception is no violation, whatever ends it
		off(),
		ending{record.Violation, "TDX violation: read", nil},
		ending{record.Limit, "the limit of", nil},
	}, {
		"faults.c", "aliases",
		off("in a page 0", "across pages 0", "patches itself 1", "fills itself c3"),
		off("in a page 0", "across pages 0", "patches itself 1", "fills itself c3"),
		off("in a page 0", "across pages 0", "patches itself 1", "fills itself c3"),
	}, {
		"faults.c", "timer", off("interrupted"), off("interrupted"), off("interrupted"),
	}, {
		"requests.c", "starts_itself",
		ending{record.Limit, "nested 64 deep", slices.Repeat([]string{"loaded 0"}, 64)},
		ending{record.Limit, "nested 64 deep", slices.Repeat([]string{"loaded 0"}, 64)},
		ending{record.Limit, "nested 64 deep", slices.Repeat([]string{"loaded 0"}, 64)},
	}, {
		"requests.c", "module_edges", off("edges 0"), off("edges 2b"), off("edges 0"),
	}, {
		"requests.c", "random_requests", off(), off(), off("no answers 0"),
	},
}

// What hostile programs come to is what the specifications say, and the same wherever blocks are cut.
func TestHostileGuests(t *testing.T) {
	for _, c := range hostilePrograms {
		img := programIn(t, c.source, c.name)
		for platform, want := range map[string]ending{vm.None: c.none, vm.TDX: c.tdx, vm.SNP: c.snp} {
			t.Run(c.name+"/"+platform, func(t *testing.T) {
				t.Parallel()
				want.assert(t, runsTheSame(t, platform, img))
			})
		}
	}
}

// A guest that accepts, takes back and gives away pages at random, and keeps books of its own, is told by the module and by
// PVALIDATE what these say, and in the end the machine has as much memory unaccepted as they leave.
func TestGuestsOwnBooks(t *testing.T) {
	img := programIn(t, "books.c", "keeps_books")
	for _, platform := range vm.ConfidentialPlatforms() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := runsTheSame(t, platform, img)
			b.powersOff(t)
			var wrong, accepted, shared uint64
			if _, err := fmt.Sscanf(b.console, "wrong %x\naccepted %x\nshared %x", &wrong, &accepted, &shared); err != nil || wrong > 0 || accepted == 0 || shared == 0 {
				t.Fatalf("%v: it prints %q", err, b.console)
			}
			begin, end := b.Phases[1].Unaccepted, b.Phases[len(b.Phases)-1].Unaccepted
			if want := begin - (accepted+shared)*4096; end != want {
				t.Errorf("%d bytes are left unaccepted of %d, want %d", end, begin, want)
			}
		})
	}
}

// runsTheSame runs a program under each engine and with blocks of several lengths, and in lock-step, asserts that they give the same record and console, and
// returns the first run.
func runsTheSame(t *testing.T, platform string, img *image.Image) (first booted) {
	t.Helper()
	var want []byte
	cfg := vm.Config{Platform: platform, Memory: 2 * gib, Image: img, Initrd: []byte{}, MaxInstructions: 3_000_000}
	for i, w := range append(ways(0, 1, 7), way{engine: vm.Lockstep}) {
		cfg := w.of(cfg)
		if w.engine == vm.Lockstep {
			againstInterpreter(t, &cfg)
		}
		b := boot(t, cfg)
		r := *b.Record
		r.Host = record.Host{}
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.console...)
		if i == 0 {
			first, want = b, got
		} else if !bytes.Equal(got, want) {
			t.Errorf("%v:\n%s\nthe interpreter:\n%s", w, got, want)
		}
	}
	return first
}

// assert asserts that a run has ended so.
func (e ending) assert(t *testing.T, b booted) {
	t.Helper()
	said := ""
	if b.Diagnosis != nil {
		said = b.Diagnosis.Summary
	}
	lines := strings.FieldsFunc(b.console, func(r rune) bool { return r == '\r' || r == '\n' })
	if b.Outcome != e.outcome || !strings.Contains(said, e.says) {
		t.Errorf("outcome %s, %q; want %s, %q", b.Outcome, said, e.outcome, e.says)
	}
	if !slices.Equal(lines, e.prints) {
		t.Errorf("it prints %q, want %q", lines, e.prints)
	}
}
