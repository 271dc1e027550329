package study_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// variants are those of their names.
func variants(t *testing.T, names ...string) (all []study.Variant) {
	t.Helper()
	for _, name := range names {
		v, err := study.ParseVariant(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func conditions(t *testing.T, texts ...string) (all []compare.Condition) {
	t.Helper()
	for _, text := range texts {
		c, err := compare.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// ownGuest is a small study of tacit's own guest.
func ownGuest(t *testing.T, names ...string) study.Config {
	return study.Config{
		Subjects: []study.Subject{{}}, Platforms: []string{vm.TDX}, Memory: []uint64{512 << 20}, Variants: variants(t, names...), Workers: 2,
		Append: "hold=300M",
	}
}

func run(t *testing.T, cfg study.Config) *study.Study {
	t.Helper()
	s, err := study.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func table(t *testing.T, s *study.Study, o study.Options) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return s.WriteTable(w, o) })
}

func TestWords(t *testing.T) {
	for _, w := range study.Words() {
		name := w.Name
		if strings.HasSuffix(name, "=") {
			name += "8"
		}
		if _, err := study.ParseVariant(name); err != nil || w.Meaning == "" {
			t.Errorf("%s: %v, %q", w.Name, err, w.Meaning)
		}
	}
	for text, want := range map[string]string{
		"":                            `"" is no way to start a guest`,
		"lazy+":                       `"" is no way`,
		"eager":                       `"eager" is no way`,
		"cpus=0":                      "cpus=0: 0 processors",
		"lazy+cpus=256":               "cpus=256: 256 processors: want 1 to 255",
		"lazy+cpus=many":              "cpus=many: want a whole number after the =",
		"cpus=2+cpus=3":               "exclude each other",
		"cpus":                        `"cpus" is no way`,
		"lazy=2":                      `"lazy=2" is no way`,
		"lazy+eager-kernel":           "lazy and eager-kernel exclude each other",
		"host-page-4K+host-page-2M":   "exclude each other",
		"host-page-4K+host-page-4K":   "exclude each other",
		"upstream+host-page-4K+negot": `"negot" is no way`,
	} {
		if _, err := study.ParseVariant(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var wrong *study.WordError
	if _, err := study.ParseVariant("lazy+hostpage"); !errors.As(err, &wrong) || wrong.Word != "hostpage" {
		t.Errorf("%v does not say which word", err)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for want, change := range map[string]func(*study.Config){
		"nothing to compare: an image":  func(c *study.Config) { c.Subjects = nil },
		"platform none has nothing":     func(c *study.Config) { c.Platforms = append(c.Platforms, vm.None) },
		`platform "sgx"`:                func(c *study.Config) { c.Platforms = []string{"sgx"} },
		"multiple of 2 MiB":             func(c *study.Config) { c.Memory = []uint64{1<<30 + 1} },
		"memory 512 MiB is there twice": func(c *study.Config) { c.Memory = append(c.Memory, 512<<20) },
		"variant lazy is there twice":   func(c *study.Config) { c.Variants = append(c.Variants, c.Variants[0]) },
		"base eager is none of":         func(c *study.Config) { c.Base = "eager" },
	} {
		cfg := ownGuest(t, "lazy", "eager-kernel")
		change(&cfg)
		if s, err := study.Run(t.Context(), cfg); s != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What is compared is what the machines did.
func TestOwnGuest(t *testing.T) {
	cfg := ownGuest(t, "lazy", "eager-firmware", "eager-kernel", "lazy+host-page-4K", "eager-kernel+host-page-4K")
	cfg.Platforms = vm.ConfidentialPlatforms()
	s := run(t, cfg)
	if !s.Complete() || len(s.Blocks) != 2 || len(s.Boots) != 10 || s.ByImage {
		t.Fatalf("complete %v, %d blocks, %d boots", s.Complete(), len(s.Blocks), len(s.Boots))
	}
	for _, block := range s.Blocks {
		rows := s.Rows(block)
		for i, with := range []string{"lazy", "eager-firmware", "eager-kernel", "lazy+host-page-4K", "eager-kernel+host-page-4K"} {
			row := rows[i]
			by, c := &row.Record.Acceptance.By, &row.Record.Config
			if row.With != with || row.Base != rows[0].Boot || row.Note != "" {
				t.Errorf("%s: row %d is %s against %s: %s", block.Title, i, row.With, row.Base.With, row.Note)
			}
			if fourK := strings.Contains(with, "4K"); (c.HostPageBytes == 4<<10) != fourK || (by.Kernel.Sizes["4K"].Operations > 0) != fourK {
				t.Errorf("%s: host pages of %d, kernel accepts %v", with, c.HostPageBytes, by.Kernel.Sizes)
			}
			if byFirmware := with == "eager-firmware"; (by.Firmware.Bytes == row.Memory) != byFirmware || (by.Kernel.Bytes == 0) != byFirmware {
				t.Errorf("%s: firmware accepts %d, the kernel %d", with, by.Firmware.Bytes, by.Kernel.Bytes)
			}
			if eager := strings.HasPrefix(with, "eager"); eager != (row.Eager != nil) {
				t.Errorf("%s: eager is %+v", with, row.Eager)
			}
			if e := row.Eager; e != nil && (e.Times < 1.5 || e.Why != "" || e.Range.Low > e.Times || e.Range.High < e.Times || e.Range.Low == e.Range.High) {
				t.Errorf("%s: %.2f times, from %.2f to %.2f; %s", with, e.Times, e.Range.Low, e.Range.High, e.Why)
			}
		}
		// The last is held against the lazy one with pages of 4 KiB, not against its base.
		last, lazy := rows[4], rows[3]
		if want := float64(*last.Record.VirtualNS.Init) / float64(*lazy.Record.VirtualNS.Init); last.Eager.Times != want {
			t.Errorf("%s: eager : lazy is %v, want %v", last.With, last.Eager.Times, want)
		}
	}
	t.Run("page", func(t *testing.T) { pageOf(t, written(t, s.WritePage)) })
	t.Run("picture", func(t *testing.T) { pictureOf(t, written(t, s.WritePicture)) })
	t.Run("json", func(t *testing.T) { jsonOf(t, s) })
}

// elements reads what is well-formed, and needs nothing from elsewhere.
func elements(t *testing.T, text string) map[string]int {
	t.Helper()
	for _, never := range []string{"https:", "<script", "<img", "url(", "@import", "ZgotmplZ", "\x00"} {
		if strings.Contains(text, never) {
			t.Errorf("it has %q", never)
		}
	}
	all := map[string]int{}
	for x := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := x.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			all[e.Name.Local]++
			for _, a := range e.Attr {
				if slices.Contains([]string{"src", "href", "srcset", "style"}, a.Name.Local) || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func pageOf(t *testing.T, text string) {
	found := elements(t, text)
	// Two blocks of five boots; a detail about callers for each that is no base and differs, and one about costs for each eager one.
	if found["h1"] != 1 || found["h2"] != 3 || found["svg"] != 3+10 || found["details"] < 6 || found["table"] != 2+found["details"] {
		t.Errorf("it has %v", found)
	}
	text = html.UnescapeString(text)
	for _, want := range []string{"demo.efi, tdx, 512 MiB", "eager-kernel+host-page-4K", "prefers-color-scheme: dark", "accept-2m", "kernel.(*kernel)", "width=device-width"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	if strings.Contains(text, "http:") {
		t.Error("the page names an address")
	}
}

func pictureOf(t *testing.T, text string) {
	found := elements(t, text)
	if found["svg"] != 1 || found["text"] != 3+2*(1+2*5) || found["rect"] < 1+3+10 {
		t.Errorf("it has %v", found)
	}
	if rest := strings.Replace(text, `xmlns="http://www.w3.org/2000/svg"`, "", 1); strings.Contains(rest, "http:") || rest == text {
		t.Error("its only address should be that of its format")
	}
}

func jsonOf(t *testing.T, s *study.Study) {
	var got struct {
		Schema   string
		Complete bool
		Boots    []struct {
			With    string
			Metrics map[string]uint64
			Times   map[string]float64
			Base    *struct{ With string }
			Eager   *struct{ Times, Low, High float64 } `json:"eager_to_lazy"`
			Changes []compare.Change
			Record  record.Record
		}
	}
	if err := json.Unmarshal([]byte(written(t, s.WriteJSON)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != study.Schema || !got.Complete || len(got.Boots) != len(s.Boots) {
		t.Errorf("%s, complete %v, %d boots", got.Schema, got.Complete, len(got.Boots))
	}
	for i, b := range got.Boots {
		for _, m := range compare.Metrics() {
			if want := m.Of(&b.Record); want == nil || b.Metrics[m.Name] != *want {
				t.Errorf("%s: %s is %d, and in its record %v", b.With, m.Name, b.Metrics[m.Name], want)
			}
		}
		if isBase := i%5 == 0; isBase != (b.Base == nil) || isBase != (b.Times["init"] == 1) || isBase && len(b.Changes) > 0 {
			t.Errorf("%s: base %v, times %v, changes %v", b.With, b.Base, b.Times, b.Changes)
		}
		if eager := strings.HasPrefix(b.With, "eager"); eager != (b.Eager != nil) || eager && b.Eager.Low >= b.Eager.High {
			t.Errorf("%s: %+v", b.With, b.Eager)
		}
	}
}

// The base is what is asked for, and stands first.
func TestBase(t *testing.T) {
	img := func(name string) study.Subject {
		i, err := image.Parse(name, guest.Demo())
		if err != nil {
			t.Fatal(err)
		}
		return study.Subject{Path: name, Image: i}
	}
	cfg := ownGuest(t, "lazy", "negotiate")
	cfg.Subjects = []study.Subject{img("x/old.efi"), img("new.efi"), img("y/old.efi")}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for base, want := range map[string]string{
		"":          "lazy: x/old.efi new.efi y/old.efi; negotiate: x/old.efi new.efi y/old.efi; ",
		"new.efi":   "lazy: new.efi x/old.efi y/old.efi; negotiate: new.efi x/old.efi y/old.efi; ",
		"negotiate": "x/old.efi: negotiate lazy; new.efi: negotiate lazy; y/old.efi: negotiate lazy; ",
	} {
		cfg.Base = base
		s, err := study.Run(over, cfg) // what would be run
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, b := range s.Blocks {
			common, _, _ := strings.Cut(b.Title, ",")
			got += common + ":"
			for _, boot := range b.Boots {
				if s.ByImage {
					got += " " + boot.Image
				} else {
					got += " " + boot.With
				}
			}
			got += "; "
		}
		if got != want {
			t.Errorf("base %q: %s, want %s", base, got, want)
		}
	}
	cfg.Base, cfg.Subjects, cfg.Variants = "", cfg.Subjects[:2], cfg.Variants[:1]
	if text := table(t, run(t, cfg), study.Options{}); !strings.Contains(text, "new.efi : old.efi: the same in all that is compared") {
		t.Errorf("one image under two names:\n%s", text)
	}
}

// A condition that is met is said, with its numbers.
func TestConditions(t *testing.T) {
	cfg := ownGuest(t, "lazy", "eager-kernel")
	cfg.Conditions = conditions(t, "init > 1.05x", "kernel < 0.5x", "host > 100x")
	s := run(t, cfg)
	var met []string
	for _, v := range s.Verdicts {
		if v.Met {
			met = append(met, v.Condition.String())
		}
	}
	text := table(t, s, study.Options{Callers: true})
	if !s.Met() || !s.Complete() || !slices.Equal(met, []string{"init > 1.05x"}) {
		t.Errorf("met: %v", met)
	}
	for _, want := range []string{
		"FAILED  init > 1.05x: demo.efi, eager-kernel: tdx, 512 MiB: init is ", "conditions: 3 judged, 1 met, 0 could not be told",
		"\nfor kernel.", "(*kernel).ownMemory", "eager-kernel : lazy",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	// A guest that dies of what it does is not compared.
	cfg.Append, cfg.Conditions = "touch", conditions(t, "end > 2x")
	if s := run(t, cfg); s.Complete() || s.Met() || s.Verdicts[0].Err == nil {
		t.Errorf("complete %v: %+v", s.Complete(), s.Verdicts)
	}
}

// A variant that is not what it is called is not believed.
func TestNotes(t *testing.T) {
	cfg := ownGuest(t, "lazy", "eager-kernel", "eager-firmware")
	cfg.Append = "unaccepted=unknown"
	s := run(t, cfg)
	rows := s.Rows(s.Blocks[0])
	if !strings.Contains(rows[0].Note, "accepts nothing, and keeps no book") || !strings.Contains(rows[1].Note, "it is not eager: at init 256 MiB") || rows[2].Note != "" {
		t.Errorf("%q, %q, %q", rows[0].Note, rows[1].Note, rows[2].Note)
	}
	if rows[1].Eager != nil || rows[2].Eager != nil || !strings.Contains(table(t, s, study.Options{}), rows[1].Note) {
		t.Errorf("%+v, %+v", rows[1].Eager, rows[2].Eager)
	}
}

// The rest of a study that is told to end is not there, and what had ended is.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := ownGuest(t, "lazy", "eager-firmware", "eager-kernel")
	cfg.Workers = 1
	cfg.Progress = func(int, int, *study.Boot) { cancel() }
	s, err := study.Run(ctx, cfg)
	if err != nil || s.Complete() || s.Boots[0].Record == nil || s.Boots[1].Record != nil || s.Boots[2].Record != nil {
		t.Fatalf("%v: %+v", err, s)
	}
	text := table(t, s, study.Options{})
	if !strings.Contains(text, "poweroff") || strings.Count(text, "cancelled\n") != 2 || !strings.Contains(text, "eager-kernel: it was not run to its end") {
		t.Errorf("%s", text)
	}
	elements(t, written(t, s.WritePage))
	elements(t, written(t, s.WritePicture))
}

// With a stock kernel: eager acceptance costs time, the base is lazy, and the callers are the kernel's.
func TestStockKernel(t *testing.T) {
	img := kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb")
	cfg := ownGuest(t, "lazy", "eager-kernel")
	cfg.Subjects, cfg.Append, cfg.Memory = []study.Subject{{Path: "x.deb", Image: img}}, "", []uint64{4 << 30}
	s := run(t, cfg)
	rows := s.Rows(s.Blocks[0])
	e := rows[1].Eager
	if e == nil || e.Series != 2.5 || e.Times < 1.1 || e.Times > 1.6 || e.Range.Low < 1 || e.Range.High < e.Times {
		t.Fatalf("%+v", e)
	}
	changes := compare.Changes(rows[1].Record, rows[0].Record)
	if len(changes) == 0 || !strings.Contains(changes[0].Asked, "init") {
		t.Errorf("%+v", changes)
	}
	if text := table(t, s, study.Options{}); !strings.Contains(text, "2.50    poweroff") || !strings.Contains(text, "PATCHv7") {
		t.Errorf("%s", text)
	}
}

func kernel(t *testing.T, pattern string) *image.Image {
	t.Helper()
	found, err := filepath.Glob("../../kernels/" + pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no kernels/%s: scripts/fetch-kernels gets it", pattern)
	}
	img, err := image.Open(t.Context(), found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A file is what a boot was kept in, as a file that is opened for appending is.
type file struct {
	bytes.Buffer
	whole []byte
}

func (f *file) Write(p []byte) (int, error) {
	f.whole = append(f.whole, p...)
	return len(p), nil
}

// Boots that were kept are not run again, and those that were not kept whole are.
func TestSaved(t *testing.T) {
	cfg := ownGuest(t, "lazy", "eager-firmware", "eager-kernel")
	cfg.Workers, cfg.Append = 1, "hold=32M"
	load := func(text []byte, program string) (*study.Saved, *file) {
		f := &file{whole: slices.Clone(text)}
		f.Buffer.Write(text)
		saved, err := study.Load(t.Context(), f, program)
		if err != nil {
			t.Fatal(err)
		}
		return saved, f
	}
	again := func(s *study.Study) (n int) {
		for _, b := range s.Boots {
			if b.Again {
				n++
			}
		}
		return n
	}

	// The first time it is told to end after two boots.
	ctx, cancel := context.WithCancel(t.Context())
	first, f := load(nil, "p")
	cfg.Saved, cfg.Progress = first, func(done, _ int, _ *study.Boot) {
		if done == 2 {
			cancel()
		}
	}
	if _, err := study.Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	kept := f.whole
	if n := bytes.Count(kept, []byte("\n")); n != 2 || !bytes.HasSuffix(kept, []byte("}\n")) {
		t.Fatalf("%d lines were kept", n)
	}
	cfg.Progress = nil
	cfg.Saved, f = load(kept, "p")
	resumed := run(t, cfg)
	if again(resumed) != 2 || bytes.Count(f.whole, []byte("\n")) != 3 {
		t.Errorf("%d boots were taken from what was kept, want 2", again(resumed))
	}
	whole := f.whole
	cfg.Saved = nil
	if fresh := run(t, cfg); table(t, fresh, study.Options{Callers: true}) != table(t, resumed, study.Options{Callers: true}) || written(t, fresh.WritePage) != written(t, resumed.WritePage) {
		t.Error("a study in two parts shows something else than one in one part")
	}

	lines := bytes.SplitAfter(whole, []byte("\n"))
	flipped := slices.Clone(whole)
	at := bytes.Index(flipped, []byte(`"instructions":`)) + len(`"instructions":`)
	flipped[at] ^= 1 // one digit for another
	otherMemory, otherWords := cfg, cfg
	otherMemory.Memory, otherWords.Append = []uint64{512<<20 + 2<<20}, "hold=64M"
	for what, c := range map[string]struct {
		kept    []byte
		program string
		cfg     study.Config
		again   int
		damaged int
	}{
		"all":             {whole, "p", cfg, 3, 0},
		"another program": {whole, "q", cfg, 0, 0},
		"other memory":    {whole, "p", otherMemory, 0, 0},
		"other words":     {whole, "p", otherWords, 0, 0},
		"a changed digit": {flipped, "p", cfg, 2, 1},
		"half a line":     {whole[:len(whole)-100], "p", cfg, 2, 1},
		"no end of line":  {whole[:len(whole)-1], "p", cfg, 3, 0},
		"something else":  {slices.Concat([]byte("hello\n\n{}\n"), lines[1]), "p", cfg, 1, 2},
		"two in one line": {slices.Concat(lines[0][:len(lines[0])-1], lines[1]), "p", cfg, 0, 1},
	} {
		saved, f := load(c.kept, c.program)
		c.cfg.Saved = saved
		s := run(t, c.cfg)
		if got := again(s); got != c.again || saved.Damaged != c.damaged || !s.Complete() {
			t.Errorf("%s: %d were taken from what was kept, want %d; %d damaged, want %d", what, got, c.again, saved.Damaged, c.damaged)
		}
		// Afterwards everything is there, also after a line that was torn.
		after, _ := load(f.whole, c.program)
		c.cfg.Saved = after
		if got := again(run(t, c.cfg)); got != 3 {
			t.Errorf("%s: afterwards %d are taken from what was kept, want 3", what, got)
		}
	}

	// A file of somebody else's is left alone; one that a first line was torn in is not taken for one.
	for text, own := range map[string]bool{"{\n  \"schema\": \"tacit.record/1\"\n}\n": false, "a word": false, "\n": true, `{"sch`: true, `{"schema":"tacit.boot/1","pro`: true} {
		if _, err := study.Load(t.Context(), &file{Buffer: *bytes.NewBufferString(text)}, "p"); (err == nil) != own {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := study.Load(t.Context(), &file{}, ""); err == nil {
		t.Error("boots of a program that is not known are kept")
	}
	cancel()
	if _, err := study.Load(ctx, &file{}, "p"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Any bytes can stand in the file.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"schema":"tacit.boot/1","program":"p","key":"k","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","record":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := study.Load(t.Context(), struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(text), failing{}}, "p")
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, %v", s, err)
		}
		if err == nil && s.Damaged > bytes.Count(text, []byte("\n"))+1 {
			t.Errorf("%d damaged lines", s.Damaged)
		}
	})
}

// What ended at a limit, which may have been the host's, is not kept; and a file that cannot be written to is said.
func TestNotKept(t *testing.T) {
	cfg := ownGuest(t, "lazy")
	cfg.MaxVirtual = 1
	f := &file{}
	var err error
	if cfg.Saved, err = study.Load(t.Context(), f, "p"); err != nil {
		t.Fatal(err)
	}
	if s := run(t, cfg); s.Boots[0].Record.Outcome != record.Limit || len(f.whole) != 0 {
		t.Errorf("%s, %d bytes are kept", s.Boots[0].Record.Outcome, len(f.whole))
	}
	cfg.MaxVirtual = 0
	full := struct {
		io.Reader
		io.Writer
	}{strings.NewReader(""), failing{}}
	if cfg.Saved, err = study.Load(t.Context(), full, "p"); err != nil {
		t.Fatal(err)
	}
	if s, err := study.Run(t.Context(), cfg); s == nil || s.Boots[0].Record == nil || err == nil || err.Error() != "disk full" {
		t.Errorf("%v, %v", s, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// A record is the same after it has been kept.
func TestRecordsSurvive(t *testing.T) {
	r := run(t, ownGuest(t, "lazy")).Boots[0].Record
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again record.Record
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*r, again) {
		other, _ := json.Marshal(again)
		t.Errorf("%s\nbecame\n%s", text, other)
	}
}
