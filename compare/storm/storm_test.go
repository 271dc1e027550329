package storm_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/compare/storm"
	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

func boots(t *testing.T, cfg study.Config, pages []string, cpus ...int) *storm.Storm {
	t.Helper()
	var err error
	cfg.Platforms, cfg.Memory, cfg.Workers = []string{vm.TDX}, []uint64{1 << 30}, 2
	if cfg.Variants, err = storm.Variants([]string{"lazy"}, pages, cpus); err != nil {
		t.Fatal(err)
	}
	s, err := study.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return storm.Of(s)
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements counts those of a picture, which has to be well-formed.
func elements(t *testing.T, picture string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		} else if err != nil {
			t.Fatal(err)
		}
		if e, is := token.(xml.StartElement); is {
			count[e.Name.Local]++
		}
	}
}

// A stock kernel that accepts at each look for a page accepts more where it starts more processors. All views have what the
// boots did.
func TestMoreProcessorsAcceptMore(t *testing.T) {
	found, _ := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb") // the pattern is one
	if len(found) == 0 {
		t.Fatal("no 6.12 in kernels: scripts/fetch-kernels gets it")
	}
	img, err := image.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	s := boots(t, study.Config{Subjects: []study.Subject{{Path: found[0], Image: img}}}, []string{"4K"}, 8, 1)
	if len(s.Curves) != 1 || len(s.Curves[0].Rows) != 2 || !s.Complete {
		t.Fatalf("%+v", s)
	}
	c := s.Curves[0]
	one, eight := c.Rows[0], c.Rows[1]
	if one.CPUs != 1 || eight.CPUs != 8 || one.Boot == nil || eight.Boot == nil || c.With != "lazy+host-page-4K" {
		t.Fatalf("%+v", c)
	}
	if one.Most != 1 || one.First != one.All || len(one.Waited) != 0 || one.Over != nil {
		t.Errorf("one processor: %+v", one.Boot)
	}
	if eight.All <= one.All || eight.First == 0 || eight.First >= eight.All || eight.Most < 1 || eight.Most > 8 || eight.Over == nil {
		t.Errorf("eight processors: %+v, and one accepted %d bytes", eight.Boot, one.All)
	}
	if td := eight.Waited["td"]; td.First <= 0 || td.All <= td.First {
		t.Errorf("eight processors wait for each other: %+v", td)
	}
	for _, want := range []string{"\n1           ", "\n8           ", "all wait: td", "poweroff\n", img.Name + ", tdx, 1 GiB, lazy+host-page-4K\n"} {
		if text := written(t, s.WriteTable); !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	var got struct {
		Schema string
		Boots  []struct {
			CPUs  int
			Init  int64  `json:"init_ns"`
			First uint64 `json:"accepted_on_first_bytes"`
			All   uint64 `json:"accepted_bytes"`
		}
	}
	if err := json.Unmarshal([]byte(written(t, s.WriteJSON)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != storm.Schema || len(got.Boots) != 2 || got.Boots[1].CPUs != 8 || got.Boots[1].Init != eight.Init || got.Boots[1].All != eight.All || got.Boots[1].First != eight.First {
		t.Errorf("%+v", got)
	}
	// A dot in the legend and one a boot; a curve there and in the plot, and a strip.
	if n := elements(t, written(t, s.WritePicture)); n["circle"] != 3 || n["path"] != 3 {
		t.Errorf("the picture has %v", n)
	}
}

// Where no boot got to its first program, everything says so.
func TestNoBoot(t *testing.T) {
	s := boots(t, study.Config{Subjects: []study.Subject{{}}, MaxVirtual: 1}, []string{"4K", "2M"}, 1, 2)
	if s.Complete || len(s.Curves) != 2 {
		t.Fatalf("%+v", s)
	}
	if text := written(t, s.WriteTable); !strings.Contains(text, "2 processors: it did not get to its init") {
		t.Error(text)
	}
	if text := written(t, s.WriteJSON); !strings.Contains(text, `"init_ns": null`) {
		t.Error(text)
	}
	if text := written(t, s.WritePicture); elements(t, text)["path"] != 2 || !strings.Contains(text, "no boot got") {
		t.Error(text)
	}
}

// What is no way to accept is refused, and so is what would be said twice.
func TestVariants(t *testing.T) {
	for way, want := range map[string]string{"hasty": "hasty", "lazy+cpus=3": "exclude each other", "lazy+host-page-2M": "exclude each other"} {
		if _, err := storm.Variants([]string{way}, []string{"4K"}, []int{2}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// docs/storm.md names the schema and every key.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/storm.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range storm.Names() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("%s is not there", name)
		}
	}
}
