package trial_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/trial"
)

// own is tacit's own guest in Go.
func own(t *testing.T) trial.Subject {
	t.Helper()
	img, err := image.Parse(guest.DemoName, guest.Demo())
	if err != nil {
		t.Fatal(err)
	}
	return trial.Subject{Image: img}
}

// The report has each trial, in every form; an image that cannot be read is in it, and no success.
func TestReport(t *testing.T) {
	t.Parallel()
	broken := trial.Subject{Path: "broken.efi", Err: errors.New("it is no image")}
	r, err := trial.Run(t.Context(), trial.Config{
		Subjects: []trial.Subject{own(t), broken}, Platforms: []string{"snp"}, Attacks: []string{"drop", "mtrr", "map-key", "vc-vmmcall"}, Seeds: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	const each = 7 // a lie has no seed
	if len(r.Trials) != 2*each || len(r.Guests) != 2 || r.Guests[1].Error == "" || r.Count(trial.Unjudged) != each {
		t.Fatalf("%d trials of %+v; %s", len(r.Trials), r.Guests, r.Summary())
	}
	for _, a := range r.Trials[:each] {
		if a.Verdict != trial.Held || a.Record == nil || a.Why == "" {
			t.Errorf("%s: %s: %s", a.As, a.Verdict, a.Why)
		}
	}
	var table, junit, markdown bytes.Buffer
	if err := errors.Join(r.WriteTable(&table), r.WriteJUnit(&junit), r.WriteMarkdown(&markdown)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"drop", "UNJUDGED", "it is no image", "14 trials: 7 held"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, table.String())
		}
	}
	var suites struct {
		Suite []struct {
			Errors int `xml:"errors,attr"`
			Tests  int `xml:"tests,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil || len(suites.Suite) != 2 || suites.Suite[0].Errors != 0 || suites.Suite[1].Errors != each {
		t.Errorf("%+v, %v", suites, err)
	}
	if !strings.Contains(markdown.String(), "| `drop` | held: violation |") {
		t.Errorf("the page's table:\n%s", markdown.String())
	}
}

// Told to end, it makes no more machines, and says that nothing is shown.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := trial.Run(ctx, trial.Config{Subjects: []trial.Subject{own(t)}})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Count(trial.Unjudged); n == 0 || n != len(r.Trials) {
		t.Errorf("%s", r.Summary())
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  trial.Config
		want string
	}{
		{trial.Config{Attacks: []string{"steal"}}, `host attack "steal"`},
		{trial.Config{Platforms: []string{"none"}}, "promises nothing"},
		{trial.Config{Platforms: []string{"tdx"}, Attacks: []string{"fetch"}}, "is for platform snp"},
		{trial.Config{Seeds: -1}, "-1 seeds"},
	} {
		if err := c.cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
