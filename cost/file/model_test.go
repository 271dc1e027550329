package file_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
)

func read(t *testing.T, text string) cost.Model {
	t.Helper()
	m, err := file.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m
}

const small = `# what my machine does
name: my-tdx
base: tdx-estimate-1
costs:
  exit: {ns: 2100, source: "measured: on the third floor"}
  accept-2m:
    ns: 90000
    source: "derived: from nothing"
`

// A file changes the rows that it has, and no others; its name tells its numbers from others.
func TestFileOverBase(t *testing.T) {
	m := read(t, small)
	for _, row := range cost.TDX().Table() {
		want := row
		switch row.Event {
		case cost.Exit:
			want.NS, want.Source = 2100, "measured: on the third floor"
		case cost.TDXAccept2M:
			want.NS, want.Source = 90000, "derived: from nothing"
		}
		if got := m.Row(row.Event); got != want {
			t.Errorf("%v: %+v, want %+v", row.Event, got, want)
		}
	}
	if m.Platform() != "tdx" {
		t.Errorf("platform %q", m.Platform())
	}
	name, digest, _ := strings.Cut(m.Name(), "@")
	if name != "my-tdx" || len(digest) != 12 {
		t.Errorf("name %q", m.Name())
	}
	if other := read(t, strings.Replace(small, "2100", "2101", 1)); other.Name() == m.Name() {
		t.Errorf("other numbers, and the name %s", other.Name())
	}
	if other := read(t, strings.Replace(small, "third", "fourth", 1)); other.Name() != m.Name() {
		t.Errorf("%s and %s for the same numbers", m.Name(), other.Name())
	}
}

// What is written is read as the same model.
func TestWriteAndRead(t *testing.T) {
	for _, text := range []string{small, small + "  ve: {ns: 0, source: 'estimate: \"quoted\": a µs, and \\ too'}\n"} {
		m := read(t, text)
		var b bytes.Buffer
		if err := file.Write(&b, m); err != nil {
			t.Fatal(err)
		}
		back := read(t, b.String())
		if back.Name() != m.Name() {
			t.Errorf("%s has become %s", m.Name(), back.Name())
		}
		for _, row := range m.Table() {
			if got := back.Row(row.Event); got != row {
				t.Errorf("%+v has become %+v", row, got)
			}
		}
	}
	for _, m := range cost.Models() { // what tacit cost show prints to begin with
		var b bytes.Buffer
		if err := file.Write(&b, m); err != nil {
			t.Fatal(err)
		}
		read(t, strings.Replace(b.String(), "name: ", "name: my-", 1))
	}
}

// A file changes the holds that it has, and no others; its name tells them from others, and from none.
func TestHoldsOfAFile(t *testing.T) {
	const own = small + "holds:\n  halt: {lock: td, ns: 1200, source: 'measured: there'}\n  mapgpa-4k: {lock: page-tables, ns: 0, source: 'estimate: none'}\n"
	m, without := read(t, own), read(t, small)
	for _, was := range without.Holds() {
		want := was
		switch was.Name() {
		case "halt":
			want.NS, want.Source = 1200, "measured: there"
		case "mapgpa-4k":
			want.Lock, want.NS, want.Source = cost.PageTables, 0, "estimate: none"
		}
		got := m.Hold(was.Event)
		if was.Halt {
			got = m.HaltHold()
		}
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if m.Name() == without.Name() {
		t.Errorf("other holds, and the name %s", m.Name())
	}
	if other := read(t, strings.Replace(own, "1200", "1201", 1)); other.Name() == m.Name() {
		t.Errorf("others again, and the name %s", m.Name())
	}
	// What a file says as its base has it changes nothing; and an event that takes less holds for less.
	if same := read(t, small+"holds:\n  exit: {lock: td, ns: 100, source: 'measured: here'}\n"); same.Name() != without.Name() {
		t.Errorf("the holds of the base: %s and %s", same.Name(), without.Name())
	}
	if h := read(t, "name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 7, source: 'measured: y'}\n").Hold(cost.Exit); h.NS != 7 {
		t.Errorf("an exit of 7 ns holds %+v", h)
	}
	var out bytes.Buffer
	if err := file.Write(&out, m); err != nil {
		t.Fatal(err)
	}
	if back := read(t, out.String()); back.Name() != m.Name() || back.HaltHold() != m.HaltHold() {
		t.Errorf("%s has become %s", m.Name(), back.Name())
	}
}

// What is wrong with a file is said in one line, with where it is.
func TestWrongFiles(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "the file is empty"},
		{"costs", "line 1: a model is a mapping"},
		{"name: x\n---\nname: y\n", "more than one document"},
		{"name: [x\n", "line"},
		{"name: x\n", "line 1: a model needs a platform, or a base that has one"},
		{"platform: tdx\n", "line 1: name is missing"},
		{"name:\nplatform: tdx\n", "line 1: name has no value"},
		{"name: Über\nplatform: tdx\n", "line 1: \"Über\" is no name for a model"},
		{"name: tdx-estimate-1\nbase: tdx-estimate-1\n", "line 1: tdx-estimate-1 is the name of another model"},
		{"name: x\nplatform: arm\n", "line 2: no platform \"arm\": there are tdx, snp, none"},
		{"name: x\nbase: y\n", "line 2: base: no cost model \"y\""},
		{"name: x\nplatform: snp\nbase: tdx-estimate-1\n", "line 3: tdx-estimate-1 is a model for platform tdx, and this one is for snp"},
		{"name: x\nbase: tdx-estimate-1\nprices: {}\n", "line 3: a model has no \"prices\": there are name, platform, base, costs"},
		{"name: x\nbase: tdx-estimate-1\nname: y\n", "line 3: a model has name twice"},
		{"name: x\nbase: tdx-estimate-1\ncosts: 7\n", "line 3: costs is a mapping"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exits: {ns: 1, source: 'measured: y'}\n", "line 4: costs has no \"exits\": there are instruction, exit"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: 1\n", "line 4: exit is a mapping"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1}\n", "line 4: exit: source is missing"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit:\n    source: 'measured: y'\n", "line 5: exit: ns is missing"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1.5, source: 'measured: y'}\n", "line 4: exit: \"1.5\" is not a whole number"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: -1, source: 'measured: y'}\n", "line 4: exit cannot cost -1 ns"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 10000000001, source: 'measured: y'}\n", "line 4: exit cannot cost 10000000001 ns: that is more than"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 99999999999999999999, source: 'measured: y'}\n", "line 4: exit: \"99999999999999999999\" is not"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1, source: 'guessed: y'}\n", "line 4: exit has the source \"guessed: y\": want one of published, derived, measured, estimate"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1, source: 'measured:'}\n", "line 4: exit has the source"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1, source: \"measured: \\e[31m\"}\n", "line 4: exit has a source that cannot be printed"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 1, source: 'measured: " + strings.Repeat("y", 2000) + "'}\n", "line 4: exit has a source of 2010 bytes"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  vc: {ns: 1, source: 'measured: y'}\n", "line 4: vc never happens on platform tdx"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  instruction: {ns: 2, source: 'measured: y'}\n", "line 4: instruction takes 1 ns by definition"},
		{"name: x\nplatform: none\ncosts:\n  exit: {ns: 1, source: 'measured: y'}\n", "line 1: host-add-4k costs nothing yet"},
		{"name: x\nbase: tdx-estimate-1\nholds: 7\n", "line 3: holds is a mapping"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  halts: {lock: td, ns: 1, source: 'measured: y'}\n", "line 4: holds has no \"halts\": there are instruction, exit"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  exit: {ns: 1, source: 'measured: y'}\n", "line 4: exit: lock is missing"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  exit: {lock: td, source: 'measured: y'}\n", "line 4: exit: ns is missing"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  exit: {lock: mmu, ns: 1, source: 'measured: y'}\n", "line 4: exit: there is no lock \"mmu\": there are td, page-tables, attributes"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  exit: {lock: td, ns: 2501, source: 'measured: y'}\n", "line 4: holds: exit cannot hold it for 2501 ns: the event takes 2500"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  halt: {lock: td, ns: 10000000001, source: 'measured: y'}\n", "line 4: holds: halt cannot hold it for 10000000001 ns"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  halt: {lock: td, ns: -1, source: 'measured: y'}\n", "line 4: holds: halt cannot hold it for -1 ns"},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  halt: {lock: td, ns: 1, source: 'guessed: y'}\n", "line 4: holds: halt has the source \"guessed: y\""},
		{"name: x\nbase: tdx-estimate-1\nholds:\n  psc: {lock: td, ns: 1, source: 'measured: y'}\n", "line 4: holds: psc never happens on platform tdx"},
		{"a: &a [x, x]\nname: *a\n", "line 1: a model has no \"a\""},
		{"name: &a x\nbase: *a\n", "line 2: base has no value"},
		{"name: x\nbase: tdx-estimate-1\ncosts:\n  <<: {exit: {ns: 1, source: 'measured: y'}}\n", "line 4: costs has no \"<<\""},
		{strings.Repeat("#", 64<<10+1), "larger than 64 KiB"},
		{strings.Repeat("[", 60<<10), "nested too deep: this is no such file"},
	} {
		_, err := file.Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.200s\nsays %v, want %s", c.file, err, c.want)
		}
	}
}

// Whatever the bytes, there is a model that can be written and read again, or an error.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("name: x\nplatform: none\ncosts:\n  exit: {ns: 1, source: 'measured: y'}\n"))
	f.Add([]byte(small + "holds:\n  halt: {lock: td, ns: 1200, source: 'measured: there'}\n"))
	f.Add([]byte("{[}: &a *a\n---\n!!binary x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := file.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := file.Write(&out, m); err != nil {
			t.Fatal(err)
		}
		if back, err := file.Read(&out); err != nil || back.Name() != m.Name() {
			t.Fatalf("%s has become %s, %v", m.Name(), back.Name(), err)
		}
	})
}
