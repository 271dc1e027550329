package page

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/browsertest"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

var pictures = flag.String("pictures", "", "keep pictures of the pages that TestViews looks at in this directory")

// file is the address of a page in a file.
func file(t *testing.T, page []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, page, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// fine says that a page has asked for nothing but itself, and that nothing went wrong in it.
func fine(t *testing.T, p *browsertest.Page, address string) {
	t.Helper()
	if e := p.Errors(); len(e) > 0 {
		t.Errorf("in the page: %s", strings.Join(e, "\n"))
	}
	if r := p.Requests(); !slices.Equal(r, []string{address}) {
		t.Errorf("the page asked for %q", r)
	}
}

var views = []browsertest.View{
	{Width: 1440, Height: 900}, {Width: 1440, Height: 900, Dark: true}, {Width: 360, Height: 740}, {Width: 360, Height: 740, Dark: true},
}

// The page shows itself on a large screen and on a phone, light and dark, without a network, without an error, and without
// anything that is wider than the screen. Its map shows of each state as many squares as there are units.
func TestViews(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	address := file(t, written(t, r, tl))
	for _, v := range views {
		t.Run(fmt.Sprintf("%d,dark=%v", v.Width, v.Dark), func(t *testing.T) {
			p := b.Open(t, address, v)
			mapShows(t, p, tl, *r.VirtualNS.Init)
			var wide int
			p.Eval(&wide, "document.documentElement.scrollWidth")
			if wide > v.Width {
				t.Errorf("the page is %d pixels wide", wide)
			}
			var sizes []int
			p.Eval(&sizes, `[document.querySelector("#chart canvas").width, document.querySelectorAll("#flame [role=treeitem]").length, document.querySelector("#map").height]`)
			if sizes[0] < v.Width/2 || sizes[1] < 12 || sizes[2] < 100 {
				t.Errorf("chart, flame graph and map are %v", sizes)
			}
			var back string
			p.Eval(&back, "getComputedStyle(document.body).backgroundColor")
			if want := map[bool]string{false: "rgb(255, 255, 255)", true: "rgb(13, 17, 23)"}[v.Dark]; back != want {
				t.Errorf("the page's ground is %s, want %s", back, want)
			}
			fine(t, p, address)
			if *pictures != "" {
				name := fmt.Sprintf("%d-%v.png", v.Width, map[bool]string{false: "light", true: "dark"}[v.Dark])
				if err := os.WriteFile(filepath.Join(*pictures, name), p.Screenshot(true), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// states are those of all units of memory at an instant, by the timeline.
func states(tl *timeline.Timeline, ns int64) (all []timeline.State) {
	units := map[uint32]timeline.State{}
	for _, c := range tl.Changes {
		if c.NS <= ns {
			for u := c.First; u < c.First+c.Units; u++ {
				units[u] = c.To
			}
		}
	}
	for _, a := range tl.RAM {
		for u := a.Start / timeline.UnitBytes; u < a.End/timeline.UnitBytes; u++ {
			all = append(all, units[uint32(u)])
		}
	}
	return all
}

// drawn are the states whose colours the squares of the map have, one after the other; -1 is no state's. It knows how a map of
// squares of 2 MiB is laid out: 62 pixels for addresses at the left, 14 between two areas of memory.
const drawn = `(() => {
	const map = document.getElementById("map"), copy = document.createElement("canvas"), found = [];
	copy.width = map.width;
	copy.height = map.height;
	const context = copy.getContext("2d", {willReadFrequently: true});
	context.drawImage(map, 0, 0);
	const d = context.getImageData(0, 0, map.width, map.height).data;
	const style = getComputedStyle(document.documentElement);
	const colours = ["unaccepted", "firmware", "stub", "kernel", "shared"].map(s => style.getPropertyValue("--" + s).trim());
	const columns = Number(document.getElementById("scale").textContent.match(/row ([0-9]+) MiB/)[1]) / 2, side = (map.width - 62 - 2) / columns;
	let top = 0;
	for (const [start, end] of JSON.parse(document.getElementById("run").textContent).areas) {
		const squares = (end - start) / 2 ** 21;
		for (let i = 0; i < squares; i++) {
			const x = 62 + (i % columns + .5) * side, y = top + (Math.floor(i / columns) + .5) * side, at = 4 * (Math.floor(y) * map.width + Math.floor(x));
			found.push(colours.indexOf("#" + [d[at], d[at + 1], d[at + 2]].map(b => b.toString(16).padStart(2, "0")).join("")));
		}
		top += Math.ceil(squares / columns) * side + 14;
	}
	return found;
})()`

// mapShows holds the map, square by square, and the amounts beside it against the timeline, and returns the map.
func mapShows(t *testing.T, p *browsertest.Page, tl *timeline.Timeline, ns int64) (found []int) {
	t.Helper()
	want := states(tl, ns)
	p.Eval(&found, drawn)
	if len(found) != len(want) {
		t.Fatalf("the map has %d squares, want %d", len(found), len(want))
	}
	var count [timeline.States]uint64
	for i, state := range want {
		if found[i] != int(state) {
			t.Fatalf("at %d ns square %d shows state %d, want %d", ns, i, found[i], state)
		}
		count[state]++
	}
	for state, n := range count {
		var said string
		p.Eval(&said, fmt.Sprintf(`document.querySelector("[data-state='%d']").textContent`, state))
		if amount := record.FormatCount(n*2) + " MiB"; said != amount {
			t.Errorf("at %d ns the page says of state %d %q, want %q", ns, state, said, amount)
		}
	}
	return found
}

// To move the slider, by hand or by keyboard, or to go to a phase, moves map, amounts and console; and back.
func TestScrubbing(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	address := file(t, written(t, r, tl))
	p := b.Open(t, address, views[0])
	const steps = 1000
	var seen [][]int
	for _, step := range []int64{0, 100, 480, 700, 1000, 480, 0} {
		p.Eval(nil, fmt.Sprintf(`(s => { s.value = %d; s.dispatchEvent(new Event("input")); })(document.getElementById("slider"))`, step))
		seen = append(seen, mapShows(t, p, tl, step*tl.End/steps))
	}
	if slices.Equal(seen[0], seen[2]) || slices.Equal(seen[2], seen[4]) || !slices.Equal(seen[2], seen[5]) || !slices.Equal(seen[0], seen[6]) {
		t.Error("the map does not move with time, and back")
	}

	value := func() (v int) {
		t.Helper()
		p.Eval(&v, `Number(document.getElementById("slider").value)`)
		return v
	}
	p.Eval(nil, `document.getElementById("slider").focus()`)
	for _, k := range []struct {
		key  string
		want int
	}{{"End", steps}, {"ArrowLeft", steps - 1}, {"PageDown", steps - 101}, {"Home", 0}, {"ArrowRight", 1}} {
		p.Press(k.key)
		if got := value(); got != k.want {
			t.Errorf("%s leads to step %d, want %d", k.key, got, k.want)
		}
		mapShows(t, p, tl, int64(k.want)*tl.End/steps)
	}

	for _, phase := range r.Phases {
		p.Eval(nil, fmt.Sprintf(`document.querySelector("[data-ns='%d']").click()`, phase.VirtualNS))
		mapShows(t, p, tl, phase.VirtualNS)
		var at, line, accepted string
		p.Eval(&at, `document.getElementById("at").textContent`)
		if !strings.HasPrefix(at, record.FormatNS(phase.VirtualNS)) || !strings.Contains(at, phaseWords[phase.Phase].name) {
			t.Errorf("at %s the page says that it is at %q", phase.Phase, at)
		}
		p.Eval(&line, `(document.querySelector("#lines [aria-current] span") || {}).textContent || ""`)
		want := ""
		for _, l := range tl.Lines {
			if l.NS <= phase.VirtualNS {
				want = l.Text
			}
		}
		if line != want {
			t.Errorf("at %s the console's line is %q, want %q", phase.Phase, line, want)
		}
		p.Eval(&accepted, `document.querySelector("[data-value=accepted]").textContent`)
		for _, s := range tl.Samples {
			if s.NS == phase.VirtualNS && accepted != strings.ReplaceAll(mib(s.Accepted), "\u00a0", " ") {
				t.Errorf("at %s the page says that %q is accepted, want %s", phase.Phase, accepted, mib(s.Accepted))
			}
		}
	}
	// The slider stays in sight of what it moves.
	for _, what := range []string{"map", "lines"} {
		var top, height float64
		p.Eval(nil, fmt.Sprintf(`document.getElementById("%s").scrollIntoView({behavior: "instant"})`, what))
		p.Eval(&top, `document.getElementById("slider").getBoundingClientRect().top`)
		p.Eval(&height, `innerHeight`)
		if top < 0 || top > height-20 {
			t.Errorf("with %s in sight, the slider is at %.0f of %.0f", what, top, height)
		}
	}
	fine(t, p, address)
}

// A square says what it is, since when, and for whom.
func TestSquares(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	address := file(t, written(t, r, tl))
	for _, v := range views[1:3] {
		p := b.Open(t, address, v)
		p.Eval(nil, `document.getElementById("map").focus()`)
		p.Press("ArrowRight")
		said := func() (text string) {
			p.Eval(&text, `document.getElementById("picked").textContent`)
			return text
		}
		if got := said(); !strings.HasPrefix(got, "0x0 to 0x200000 (2 MiB): accepted by firmware since ") {
			t.Errorf("the first square: %q", got)
		}
		for range 1024 { // the first of those above 4 GiB
			p.Press("ArrowRight")
		}
		if got := said(); !strings.HasPrefix(got, "0x100000000 to 0x100200000 (2 MiB): accepted by the kernel since ") ||
			!strings.HasSuffix(got, ", asked for by paging_init → sparse_init.") {
			t.Errorf("the first square above 4 GiB: %q", got)
		}
		p.Eval(nil, `document.querySelector("[data-ns]").click()`)
		if got := said(); !strings.Contains(got, "not accepted since the start") {
			t.Errorf("the same square at the start: %q", got)
		}
		fine(t, p, address)
	}
}

// The flame graph adds up to what was accepted, and is read and moved by keyboard.
func TestFlame(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	address := file(t, written(t, r, tl))
	p := b.Open(t, address, views[0])
	frame := func(name string) (label string, width float64) {
		t.Helper()
		var found struct {
			Label string
			Width float64
		}
		p.Eval(&found, fmt.Sprintf(`(f => ({label: f.getAttribute("aria-label"), width: parseFloat(f.style.width) / document.getElementById("flame").clientWidth}))
			([...document.querySelectorAll("#flame [role=treeitem]")].find(f => f.textContent === %q))`, name))
		return found.Label, found.Width
	}
	for name, want := range map[string]string{
		"all that was accepted": "all that was accepted: 644 MiB (100.0 %), 1,344 operations, ",
		"firmware":              "firmware: 256 MiB (39.8 %), 128 operations, 53.248 ms",
		"start_kernel":          "start_kernel: 256 MiB (39.8 %), 128 operations, 53.248 ms",
		"sparse_init":           "sparse_init: 256 MiB (39.8 %), 128 operations, 53.248 ms",
		"kernel_init":           "kernel_init: 64 MiB (9.9 %), 32 operations, 13.312 ms",
		"exc_page_fault":        "exc_page_fault: 64 MiB (9.9 %), 32 operations, 13.312 ms",
	} {
		if got, _ := frame(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var classes []string
	p.Eval(&classes, `["efi_stub_entry", "start_kernel", "accept_memory", "firmware"].map(name => [...document.querySelectorAll("#flame [role=treeitem]")].find(f => f.title.startsWith(name + ":")).classList[0])`)
	if !slices.Equal(classes, []string{"stub", "asker", "on", "firmware"}) {
		t.Errorf("frames are %v", classes)
	}
	if _, got := frame("start_kernel"); got < 0.39 || got > 0.41 {
		t.Errorf("start_kernel is %.2f wide", got)
	}
	p.Eval(nil, `document.querySelector("[data-measure=operations]").click()`)
	if _, got := frame("efi_stub_entry"); got < 0.75 || got > 0.77 { // 1,024 of 1,344
		t.Errorf("by operations efi_stub_entry is %.2f wide", got)
	}
	p.Eval(nil, `document.querySelector("[data-measure=bytes]").click()`)

	focused := func() (name string) {
		t.Helper()
		p.Eval(&name, `document.activeElement.textContent`)
		return name
	}
	p.Eval(nil, `document.querySelector("#flame [tabindex='0']").focus()`)
	for _, k := range []struct{ key, want string }{
		{"ArrowDown", "firmware"}, {"ArrowRight", "start_kernel"}, {"ArrowDown", "paging_init"}, {"Enter", "paging_init"}, {"ArrowUp", "start_kernel"},
		{"ArrowUp", "all that was accepted"}, {"Escape", "all that was accepted"},
	} {
		p.Press(k.key)
		if got := focused(); got != k.want {
			t.Errorf("%s leads to %q, want %q", k.key, got, k.want)
		}
		if k.key == "Enter" {
			if _, got := frame("sparse_init"); got < 0.99 {
				t.Errorf("enlarged, sparse_init is %.2f wide", got)
			}
		}
	}
	fine(t, p, address)
}

// Everything that can be done can be done by keyboard, and where the keyboard is can be seen.
func TestKeyboard(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	p := b.Open(t, file(t, written(t, r, tl)), views[2])
	reached := map[string]bool{}
	for range 80 {
		p.Press("Tab")
		var at struct{ Name, Outline string }
		p.Eval(&at, `(e => ({name: e.id || e.dataset.series || e.dataset.measure || e.closest("[id]")?.id || e.tagName, outline: getComputedStyle(e).outlineStyle}))(document.activeElement)`)
		reached[at.Name] = true
		if at.Outline == "none" && at.Name != "BODY" {
			t.Errorf("%s has the focus, and that is not seen", at.Name)
		}
	}
	for _, want := range []string{"play", "slider", "accepted", "map", "lines", "operations", "flame"} {
		if !reached[want] {
			t.Errorf("the keyboard does not reach %s, but %v", want, reached)
		}
	}
}

// Playing moves time on, also for those who want no motion, and stops where they say.
func TestPlay(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	for _, still := range []bool{false, true} {
		p := b.Open(t, file(t, written(t, r, tl)), browsertest.View{Width: 800, Height: 600, Still: still})
		at := func() (step int) {
			p.Eval(&step, `Number(document.getElementById("slider").value)`)
			return step
		}
		p.Eval(nil, `document.querySelector("[data-ns]").click()`)
		p.Eval(nil, `document.getElementById("play").click()`)
		for deadline := time.Now().Add(time.Minute); at() < 100; {
			if time.Now().After(deadline) {
				t.Fatal("time does not go on")
			}
		}
		p.Eval(nil, `document.getElementById("play").click()`)
		stopped := at()
		time.Sleep(500 * time.Millisecond) // longer than a step
		if got := at(); got != stopped {
			t.Errorf("stopped at %d, it goes on to %d", stopped, got)
		}
	}
}

// Words of a hostile guest or archive are words, wherever they come from.
func TestHostileWords(t *testing.T) {
	const evil = `</script><script>window.taken=1</script><img src="http://127.0.0.1:9/" onerror="window.taken=1">'"><svg onload=window.taken=1>` +
		"{{.}}<!--]]>\u2028\u202e\x00\x1b[31m\xff`${window.taken=1}`"
	g := newGuest(4 * gibi)
	g.marks(record.FirmwareStart)
	g.marks(record.KernelEntry)
	g.asks("__tdcall", evil, evil+"2", "</title>")
	g.accepts(record.Running, 4*gibi, 64*mebi, physical.Size2M)
	for range 3 {
		g.says("%s", evil)
	}
	g.log.Call(record.Called{Interface: record.VE, Name: evil, Status: evil})
	g.marks(record.Init)
	r, tl := g.ends()
	r.Image = record.Image{Kernel: evil, SHA256: evil}
	r.Acceptance.By.Stub.Name, r.Config.CommandLine, r.Guest.CommandLine, r.CostModel = evil, evil, evil, evil
	r.Negotiation.LookedUpBy, r.Negotiation.AllowedBy = []string{evil}, []string{evil}
	r.Outcome = record.Violation
	r.Diagnosis = &record.Diagnosis{Summary: evil, Symbol: evil, RIP: new(record.Address(1)), PageState: evil, Instruction: &record.Instruction{Text: evil}}
	page := written(t, r, tl)

	b := browsertest.Start(t)
	address := file(t, page)
	p := b.Open(t, address, views[0])
	p.Eval(nil, `document.querySelectorAll("details").forEach(d => d.open = true)`)
	var found struct {
		Taken           *int
		Scripts, Others int
		Line, Title     string
	}
	p.Eval(&found, `({taken: window.taken, scripts: document.scripts.length, others: document.querySelectorAll("img, iframe, object, embed, link, svg [onload], [onerror], [style*=url]").length,
		line: document.querySelector("#lines li span").textContent, title: document.title})`)
	if found.Taken != nil || found.Scripts != 2 || found.Others != 0 {
		t.Errorf("the guest is in the page: %+v", found)
	}
	if !strings.HasPrefix(found.Line, `</script><script>window.taken=1</script>`) || !strings.Contains(found.Line, `{{.}}<!--]]>\u2028\u202e\x00\x1b[31m\xff`) {
		t.Errorf("the console's line is %q", found.Line)
	}
	if !strings.HasPrefix(found.Title, `</script>`) {
		t.Errorf("the title is %q", found.Title)
	}
	fine(t, p, address)
}

// The page's policy is in force: what its author never meant does not run, and nothing is fetched.
func TestPolicy(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	address := file(t, written(t, r, tl))
	p := b.Open(t, address, views[0])
	p.Eval(nil, `document.body.insertAdjacentHTML("beforeend", "<img src='http://127.0.0.1:9/a.png' onerror='window.taken = 1'><p id='p' style='color: red'>")`)
	var answer, colour string
	p.Eval(&answer, `fetch("http://127.0.0.1:9/").then(() => "fetched", () => "refused")`)
	p.Eval(&colour, `getComputedStyle(document.getElementById("p")).color`)
	var taken any
	p.Eval(&taken, `window.taken || null`)
	refused := 0
	for _, e := range p.Errors() {
		if strings.Contains(e, "Content Security Policy") {
			refused++
		}
	}
	if answer != "refused" || taken != nil || colour == "rgb(255, 0, 0)" || refused < 3 {
		t.Errorf("fetch was %s, the handler left %v, the colour is %s, the policy refused %d times: %v", answer, taken, colour, refused, p.Errors())
	}
}

// A run of which nothing is known, and one in which nothing has to be accepted, have pages that work.
func TestLittle(t *testing.T) {
	b := browsertest.Start(t)
	r, tl := booted()
	for _, r.Platform = range []string{"none", "tdx"} {
		for _, tl := range []*timeline.Timeline{tl, {}} {
			address := file(t, written(t, r, tl))
			p := b.Open(t, address, views[0])
			var title string
			p.Eval(&title, "document.querySelector('h1').textContent")
			if !strings.HasPrefix(title, "6.12.0-test") {
				t.Errorf("the title is %q", title)
			}
			fine(t, p, address)
		}
	}
}

// What the script reads is JSON, as any other reader finds it.
func TestData(t *testing.T) {
	r, tl := booted()
	_, text, _ := strings.Cut(string(written(t, r, tl)), `<script type="application/json" id="run">`)
	text, _, _ = strings.Cut(text, "</script>")
	var d data
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if d.Memory != 4*gibi || d.End != tl.End || d.Start != *r.VirtualNS.Init || len(d.Phases) != len(r.Phases) {
		t.Errorf("the script reads %+v", d)
	}
}
