package demo_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tacit-vm/tacit/compare/demo"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// shown are demonstrations that have run; they are not changed.
var shown = map[string]func(*testing.T) *demo.Demonstration{}

func init() {
	for _, platform := range vm.ConfidentialPlatforms() {
		var d *demo.Demonstration
		shown[platform] = func(t *testing.T) *demo.Demonstration {
			if d == nil {
				d = demonstrate(t, platform, 2)
			}
			return d
		}
	}
}

// changeable is one that a test may change, down to its diagnoses.
func changeable(t *testing.T, platform string) *demo.Demonstration {
	d := *shown[platform](t)
	d.Results = slices.Clone(d.Results)
	for i, r := range d.Results {
		r, changed := *r, *r.Record
		if changed.Diagnosis != nil {
			diagnosis := *changed.Diagnosis
			changed.Diagnosis = &diagnosis
		}
		r.Record = &changed
		d.Results[i] = &r
	}
	return &d
}

// demonstrate runs a demonstration as it is by default.
func demonstrate(t *testing.T, platform string, workers int) *demo.Demonstration {
	t.Helper()
	d := &demo.Demonstration{Platform: platform, Memory: demo.DefaultMemory}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	var order []int
	results, err := demo.Run(t.Context(), d.Guests(), demo.Options{Workers: workers, Ended: func(i int, _ *demo.Result) { order = append(order, i) }})
	if err != nil {
		t.Fatal(err)
	}
	for i, guest := range order {
		if guest != i || len(order) != len(results) {
			t.Errorf("%d guests were told of in the order %v", len(results), order)
		}
	}
	d.Results = results
	return d
}

// text is all that a demonstration says.
func text(t *testing.T, d *demo.Demonstration) string {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(d.WriteIntroduction(&b, demo.NoPaint), d.WriteResults(&b, demo.NoPaint)); err != nil {
		t.Fatal(err)
	}
	for i, r := range d.Results {
		s := r.Status()
		b.WriteString(s.Line(i, &r.Guest, demo.NoPaint) + "\n")
	}
	return b.String()
}

func page(t *testing.T, d *demo.Demonstration) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.WritePage(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What the README promises of each guest.
func TestDemonstration(t *testing.T) {
	for _, platform := range vm.ConfidentialPlatforms() {
		t.Run(platform, func(t *testing.T) {
			d := shown[platform](t)
			if err := d.Otherwise(); err != nil {
				t.Error(err)
			}
			for i, r := range d.Results {
				if lost := r.Lost() > 0; lost != (i == 3) {
					t.Errorf("guest %d (%s) has lost %d bytes", i+1, r.Name, r.Lost())
				}
			}
			lazy, eager, asked, unasked, early := d.Results[0], d.Results[1], d.Results[2], d.Results[3], d.Results[4]
			if e, l := eager.Init(), lazy.Init(); e < 3*l {
				t.Errorf("eager starts its program at %d ns, lazy at %d", e, l)
			}
			if a, l := asked.Init(), lazy.Init(); a < 3*l || unasked.Init() > 2*l {
				t.Errorf("who is asked starts its program at %d ns, who is not at %d, lazy at %d", a, unasked.Init(), l)
			}
			if n := unasked.Lost(); n != demo.DefaultMemory-unasked.ByFirmware() || unasked.End() != "out of memory" {
				t.Errorf("who is not asked has lost %d bytes, and ended with %q", n, unasked.End())
			}
			if n := asked.ByFirmware(); n != demo.DefaultMemory || asked.BySystem() != 0 {
				t.Errorf("for who is asked firmware accepted %d bytes, and it itself %d", n, asked.BySystem())
			}
			v := early.Record.Diagnosis
			if early.Record.Outcome != record.Violation || v.GPA == nil || !strings.Contains(v.Symbol, "guest/kernel.touch+") {
				t.Errorf("too early: outcome %s, %+v", early.Record.Outcome, v)
			}

			again := demonstrate(t, platform, 1)
			if text(t, d) != text(t, again) || page(t, d) != page(t, again) {
				t.Error("two runs do not show the same")
			}
		})
	}
}

// The text shows bars that grow, fits into 80 columns, and says what is to be seen.
func TestText(t *testing.T) {
	s := text(t, shown[vm.TDX](t))
	for line := range strings.Lines(s) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > demo.TextWidth {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.HasSuffix(line, " \n") {
			t.Errorf("blanks at the end of %q", line)
		}
	}
	for _, want := range []string{
		"                    1 lazy         2 eager        3 old, asked   4 old, unasked\n",
		"system starts       ▓▓············ ▓▓············ ▓▓············ ▓▓············\n",
		"program starts      ▓▓············ ▓▓▓▓▓▓▓▓▓▓▓▓▓▓ ▓▓▓▓▓▓▓▓▓▓▓▓▓▓ ▓▓××××××××××××\n",
		"hold 128 MiB        ██············ ██▓▓▓▓▓▓▓▓▓▓▓▓ ██▓▓▓▓▓▓▓▓▓▓▓▓ ██××××××××××××\n",
		"hold 256 MiB        ████·········· ████▓▓▓▓▓▓▓▓▓▓ ████▓▓▓▓▓▓▓▓▓▓ out of memory\n",
		"hold 512 MiB        ███████······· ███████▓▓▓▓▓▓▓ ███████▓▓▓▓▓▓▓\n",
		"give back 128 MiB   ██▓▓▓▓▓······· ██▓▓▓▓▓▓▓▓▓▓▓▓ ██▓▓▓▓▓▓▓▓▓▓▓▓\n",
		"lost                0 MiB          0 MiB          0 MiB          896 MiB\n",
		"end                 switched off   switched off   switched off   out of memory\n",
		"4 old, unasked ███×××××××××××××××××××××    128 MiB",
		"  page         0x3fe00000, absent\n",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("the text lacks %q:\n%s", want, s)
		}
	}
	if !regexp.MustCompile(`Eager : lazy is\s+[4-9]\.[0-9]`).MatchString(s) {
		t.Errorf("the text lacks a ratio of 4 to 10:\n%s", s)
	}
}

// The page is well-formed, has what the text has, and needs nothing from elsewhere.
func TestPage(t *testing.T) {
	d := changeable(t, vm.SNP)
	d.Results[0].Console = "</pre><script>alert(1)</script>&\x1b[31m\x00\xff"
	d.Results[4].Record.Diagnosis.Advice = `<img src="x">`
	p := page(t, d)
	for _, never := range []string{"http:", "https:", "//", "<script", "<img", "url(", "@import", "\x1b", "\x00", "ZgotmplZ"} {
		if strings.Contains(p, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, want := range []string{"4 old, unasked", "896 MiB are lost", "guest/kernel.touch", "&lt;script&gt;alert(1)", "prefers-color-scheme: dark", "</html>"} {
		if !strings.Contains(p, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	elements := map[string]int{}
	for x := xml.NewDecoder(strings.NewReader(p)); ; {
		token, err := x.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
			for _, a := range e.Attr {
				if slices.Contains([]string{"src", "href", "srcset", "data", "style"}, a.Name.Local) || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	if elements["figure"] != 4 || elements["polygon"] != 8 || elements["details"] != 5 || elements["h1"] != 1 {
		t.Errorf("the page has %v", elements)
	}
}

// A result that is not as it should be is said, not explained.
func TestOtherwise(t *testing.T) {
	d := changeable(t, vm.TDX)
	d.Results[2].Record.Outcome = record.TripleFault
	d.Results[2].Record.VirtualNS.Init = nil
	if err := d.Otherwise(); err == nil || !strings.Contains(err.Error(), "guest 3 (old, asked): it ended with triple-fault") {
		t.Errorf("a triple fault instead of a good end: %v", err)
	}
	if s := text(t, d); strings.Contains(s, "Lazy pays off") || !strings.Contains(s, "triple-fault") {
		t.Errorf("with a triple fault the text is\n%s", s)
	}
	if p := page(t, d); strings.Contains(p, "Lazy pays off") {
		t.Error("the page explains what was not to be seen")
	}
}

func TestDemonstrationRefusesNonsense(t *testing.T) {
	for want, d := range map[string]demo.Demonstration{
		"nothing has to be accepted": {Platform: vm.None, Memory: demo.DefaultMemory},
		"there are":                  {Platform: "sgx", Memory: demo.DefaultMemory},
		"512 MiB or more":            {Platform: vm.TDX, Memory: 256 << 20},
		"multiple of 2 MiB":          {Platform: vm.TDX, Memory: demo.DefaultMemory + 1},
	} {
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
}

func TestRunEndsEarly(t *testing.T) {
	d := &demo.Demonstration{Platform: vm.TDX, Memory: demo.DefaultMemory}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := demo.Run(ctx, d.Guests(), demo.Options{Ended: func(int, *demo.Result) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after the first guest: %v", err)
	}
	broken := d.Guests()
	broken[1].Config.Platform = "sgx"
	if _, err := demo.Run(t.Context(), broken, demo.Options{Workers: 2}); err == nil || !strings.Contains(err.Error(), "guest eager: ") {
		t.Errorf("a platform that there is not: %v", err)
	}
}
