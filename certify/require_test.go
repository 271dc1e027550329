package certify

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// asked makes a boot out of one in which firmware asked whether the system accepts memory.
func asked(b *Boot, answered bool) *Boot {
	b.Record.Negotiation = record.Negotiation{Offered: true, ExitBootServices: 1}
	if answered {
		b.Record.Negotiation.AllowedBy = append(b.Record.Negotiation.AllowedBy, "the image")
	}
	return b
}

func on(platform string, b *Boot) *Boot {
	b.Platform = platform
	return b
}

func leaving(bytes uint64, b *Boot) *Boot {
	*b.Record.Acceptance.UnacceptedAtInit = bytes
	return b
}

// What boots say of each requirement, and what becomes of the image and of its cases.
func TestRequirements(t *testing.T) {
	const all, lost, left = 3900 << 20, 200 << 20, 3840 << 20
	lazy := func() *Boot { return leaving(3000<<20, reported("lazy", all, left, 800<<20)) }
	for name, c := range map[string]struct {
		require string
		boots   []*Boot
		want    map[string]Answer
		result  Result
		failed  int // cases, without that of the verdict
	}{
		"all of it": {
			"tdx,tdx-guest,lazy,negotiate", []*Boot{asked(lazy(), true), lazy()},
			map[string]Answer{"tdx": Yes, "tdx-guest": Yes, "lazy": Yes, "negotiate": Yes}, Passed, 0,
		},
		"loses": {
			"tdx,tdx-guest,lazy", []*Boot{reported("lazy", lost, left, 0)},
			map[string]Answer{"tdx": No, "tdx-guest": Yes, "lazy": No}, Failed, 1,
		},
		"loses, and nothing is required": {"", []*Boot{reported("lazy", lost, left, 0)}, map[string]Answer{}, Passed, 0},
		"loses under one policy of two": {
			"tdx", []*Boot{lazy(), reported("upstream", lost, left, 0)}, map[string]Answer{"tdx": No}, Failed, 1,
		},
		"triple fault": {
			"tdx,tdx-guest,negotiate", []*Boot{asked(ended("negotiate", record.TripleFault), false), ended("lazy", record.TripleFault)},
			map[string]Answer{"tdx": No, "tdx-guest": No, "negotiate": No}, Failed, 2,
		},
		"triple fault, and nothing is required": {"", []*Boot{ended("lazy", record.TripleFault)}, map[string]Answer{}, Passed, 0},
		"a violation after it has answered": {
			"negotiate", []*Boot{asked(ended("negotiate", record.Violation), true)}, map[string]Answer{"negotiate": Yes}, Passed, 0,
		},
		"dies under one policy of two": {
			"tdx-guest,lazy", []*Boot{reported("eager", all, 0, 0), ended("lazy", record.Violation)},
			map[string]Answer{"tdx-guest": No, "lazy": No}, Failed, 1,
		},
		"all at once": {
			"tdx,lazy", []*Boot{reported("lazy", all, left, left)}, map[string]Answer{"tdx": Yes, "lazy": No}, Failed, 1,
		},
		"a guest on one platform, lazily": {
			"lazy,snp", []*Boot{on(vm.SNP, lazy()), ended("lazy", record.TripleFault)}, map[string]Answer{"lazy": Yes, "snp": Yes}, Passed, 0,
		},
		"asked, and no answer": {
			"negotiate", []*Boot{asked(reported("negotiate", all, 0, 0), false)}, map[string]Answer{"negotiate": No}, Failed, 1,
		},
		"a boot without an end": {
			"tdx", []*Boot{lazy(), ended("upstream", record.Limit)}, map[string]Answer{"tdx": Unknown}, Unjudged, 0,
		},
		"a boot without an end, and one that loses": {
			"tdx", []*Boot{reported("lazy", lost, left, 0), ended("upstream", record.Limit)}, map[string]Answer{"tdx": No}, Failed, 1,
		},
		"nothing to accept":   {"tdx", []*Boot{reported("eager", all, 0, 0)}, map[string]Answer{"tdx": Unknown}, Unjudged, 0},
		"nothing is accepted": {"tdx", []*Boot{reported("lazy", all, left, 0)}, map[string]Answer{"tdx": Unknown}, Unjudged, 0},
		"did not run":         {"tdx,negotiate", []*Boot{{Platform: vm.TDX, Error: "no memory"}}, map[string]Answer{"tdx": Unknown, "negotiate": Unknown}, Unjudged, 0},
	} {
		required, err := inspect.ParseRequirements(c.require)
		if c.require != "" && err != nil {
			t.Fatal(err)
		}
		v := judge(Subject{Image: &image.Image{}}, 0, c.boots)
		v.require(required, c.boots)
		v.conclude()
		if !maps.Equal(v.Required, c.want) || v.Result != c.result {
			t.Errorf("%s: %s, %v, %q; want %s, %v", name, v.Result, v.Required, v.unmet, c.result, c.want)
		}
		failed := 0
		for _, b := range c.boots {
			if f := b.junit().Failure; f != nil {
				failed++
			}
		}
		verdict := v.junit()
		if failed != c.failed || (verdict.Failure != nil) != (c.result == Failed) || (verdict.Error != nil) != (c.result == Unjudged) {
			t.Errorf("%s: %d failures of boots, want %d; verdict %+v", name, failed, c.failed, verdict)
		}
	}
}

// Both commands speak one language.
func TestEveryRequirementHasACriterion(t *testing.T) {
	var names []string
	for _, r := range inspect.Requirements {
		names = append(names, r.Name)
	}
	if slices.Sort(names); !slices.Equal(names, slices.Sorted(maps.Keys(criteria))) {
		t.Errorf("package inspect has %q", names)
	}
}

// What no boot could show is a mistake in the configuration.
func TestRequiredInVain(t *testing.T) {
	for _, c := range []struct {
		require             string
		platforms, policies []string
		ok                  bool
	}{
		{"tdx", []string{vm.SNP}, nil, false},
		{"snp-guest", []string{vm.TDX}, nil, false},
		{"tdx", nil, []string{"eager"}, false},
		{"lazy", nil, []string{"eager"}, false},
		{"negotiate", nil, []string{"lazy", "eager"}, false},
		{"negotiate", []string{vm.TDX}, []string{"upstream"}, false},
		{"negotiate", []string{vm.SNP}, []string{"upstream"}, true},
		{"tdx-guest", []string{vm.TDX}, []string{"eager"}, true},
		{"tdx,snp,tdx-guest,snp-guest,negotiate,lazy", nil, nil, true},
	} {
		required, err := inspect.ParseRequirements(c.require)
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Platforms: c.platforms, Policies: c.policies, Require: required}
		if err := cfg.Check(); (err == nil) != c.ok {
			t.Errorf("%s on %v under %v: %v", c.require, c.platforms, c.policies, err)
		}
	}
}

// An image that cannot be opened, and one that cannot be booted, are rows. The others are certified.
func TestBadImagesEndNothing(t *testing.T) {
	old, err := image.Parse("old", bytes.Clone(stubless))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Run(t.Context(), Config{Subjects: []Subject{
		{Path: "missing.deb", Err: errors.New("stat missing.deb: no such file or directory")}, {Path: "old", Image: old}, {Image: own(t)},
	}, Platforms: []string{vm.TDX}, Policies: []string{"lazy"}, Memory: []uint64{512 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Boots) != 1 || c.Count(Passed) != 1 || c.Count(Unjudged) != 2 || c.OK() || c.Verdicts[1].Error == "" || len(c.Verdicts[0].Tags) > 0 {
		t.Errorf("%d boots, %+v", len(c.Boots), c.Verdicts)
	}
	var table, xml bytes.Buffer
	if err := errors.Join(c.WriteTable(&table), c.WriteJUnit(&xml)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(table.String()), "\n")
	if !strings.Contains(lines[1], "error: stat missing.deb") || !strings.Contains(lines[2], "error: ") || !strings.HasPrefix(lines[3], "demo.efi ") ||
		lines[len(lines)-1] != "3 images: 1 passed, 0 failed, 2 could not be judged; nothing was required" {
		t.Error(table.String())
	}
	suites, err := junit.Ingest(xml.Bytes())
	if err != nil || len(suites) != 3 || suites[0].Totals.Error != 1 || suites[2].Totals.Error != 0 {
		t.Errorf("%v: %s", err, &xml)
	}
}
