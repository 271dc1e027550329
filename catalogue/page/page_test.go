package page

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/internal/browsertest"
)

// hostile are names that are something else to a browser, to a reader of Markdown, to a terminal, or to somebody's mail.
var hostile = []string{
	`<script>document.title="owned"</script>.efi`, `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "a|b", "`` ` |", `\|`, `back\`,
	"[link](http://example.org)", "![](http://example.org/x.png)", "**bold** _it_ ~~no~~", "@somebody http://example.org www.example.org",
	"\x1b[2J\u202egnp.efi", "{{.Tool}}", "</table></main>", "&lt;b&gt; &amp;", "# head", "-->", " ", "日本語.efi", strings.Repeat("long", 200),
}

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

// known is a history: each image with one verdict, and the first with three.
func known() (all []catalogue.Entry) {
	verdict := func(name string, result certify.Result, loses ...string) certify.Verdict {
		return certify.Verdict{
			Image: name, File: name, Line: name + ": tdx guest=yes loses-memory-under=" + strings.Join(loses, ","), Negotiates: certify.Yes,
			Platforms: map[string]certify.PlatformVerdict{"tdx": {Guest: certify.Yes, Accepts: certify.Yes, LosesUnder: loses}},
			Complete:  true, Result: result, Required: map[string]certify.Answer{"tdx": certify.Yes},
		}
	}
	for i, name := range hostile {
		v := verdict(name, certify.Passed)
		if i == 1 {
			v.Result, v.Required["tdx"], v.Disagreements = certify.Failed, certify.No, []string{"tdx guest: " + hostile[0]}
		}
		if i == 2 {
			v = certify.Verdict{Image: name, File: name, Error: "no kernel in " + hostile[1], Result: certify.Unjudged}
		}
		all = append(all, *catalogue.NewEntry(v, "platform=tdx append="+hostile[0], "tacit v1", day(20)))
	}
	all = append(all,
		*catalogue.NewEntry(verdict(hostile[0], certify.Passed, "lazy"), "platform=tdx append="+hostile[0], "tacit v2", day(22)),
		*catalogue.NewEntry(verdict(hostile[0], certify.Passed, "lazy", "eager"), "platform=tdx append="+hostile[0], "tacit v3", day(24)),
		*catalogue.NewEntry(verdict("a", certify.Passed), "platform=snp", "tacit v1", day(20)),
	)
	return all
}

func made() *Page {
	all := known()
	p := New("tacit v3", all)
	p.Compare("2026-11-20", "now", catalogue.Diff(all[:len(hostile)], all))
	return p
}

// The page in a browser has every name as text and nothing else: no script of theirs has run, nothing was fetched, and nothing
// is wider than the screen.
func TestInABrowser(t *testing.T) {
	var text bytes.Buffer
	if err := made().WriteHTML(&text); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browsertest.Start(t)
	for _, v := range []browsertest.View{{Width: 1440, Height: 900}, {Width: 360, Height: 740, Dark: true}} {
		p := b.Open(t, "file://"+path, v)
		if e := p.Errors(); len(e) > 0 {
			t.Errorf("in the page: %s", strings.Join(e, "\n"))
		}
		if r := p.Requests(); !slices.Equal(r, []string{"file://" + path}) {
			t.Errorf("the page asked for %q", r)
		}
		var seen struct {
			Title            string
			Scripts, Pics    int
			Wide             int
			Summary, Changes string
			Names            []string
			Earlier          int
		}
		p.Eval(&seen, `({
			Title: document.title, Scripts: document.scripts.length, Pics: document.images.length, Wide: document.documentElement.scrollWidth,
			Summary: document.getElementById("summary").textContent, Changes: document.querySelectorAll("#changes tbody tr").length + " " + document.querySelector("#changes tbody tr th").textContent,
			Names: [...document.querySelectorAll(".verdicts > tbody > tr > th")].map(th => th.firstChild.textContent), Earlier: document.querySelectorAll("details li").length,
		})`)
		if seen.Title != "What images do with unaccepted memory" || seen.Scripts != 0 || seen.Pics != 0 || seen.Wide > v.Width {
			t.Errorf("%+v", seen)
		}
		if want := fmt.Sprintf("%d verdicts: %d passed, 1 failed, 1 could not be judged.", len(hostile)+1, len(hostile)-1); seen.Summary != want {
			t.Errorf("%q, want %q", seen.Summary, want)
		}
		if !strings.HasPrefix(seen.Changes, "2 ") || seen.Earlier != 2 {
			t.Errorf("%q changes, %d earlier verdicts", seen.Changes, seen.Earlier)
		}
		for _, name := range hostile {
			if name == "\x1b[2J\u202egnp.efi" {
				name = `\x1b[2J\u202egnp.efi`
			}
			if !slices.ContainsFunc(seen.Names, func(s string) bool { return strings.TrimSuffix(s, "\n") == name }) {
				t.Errorf("%q is not there: %q", name, seen.Names)
			}
		}
	}
}

// Another's reader of Markdown makes tables of it with one row an image, in which every name is text.
func TestMarkdown(t *testing.T) {
	var text, html bytes.Buffer
	if err := made().WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	reader := goldmark.New(goldmark.WithExtensions(extension.GFM))
	if err := reader.Convert(text.Bytes(), &html); err != nil {
		t.Fatal(err)
	}
	got := html.String()
	for _, bad := range []string{"<script", "<img", "<a ", "<strong>bold", "<del>", "<h1>head"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s is in it", bad)
		}
	}
	if tables, rows := strings.Count(got, "<table>"), strings.Count(got, "<tr>"); tables != 3 || rows != 3+2+len(hostile)+1 {
		t.Errorf("%d tables, %d rows", tables, rows)
	}
	for row := range strings.SplitSeq(got, "</tr>") {
		if n := strings.Count(row, "<td>"); n != 0 && n != 4 && n != 8 {
			t.Errorf("%d cells: %s", n, row)
		}
	}
	if !strings.Contains(got, "<strong>failed</strong>") {
		t.Error("nothing has failed")
	}
}
