package house

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A page is what a Markdown file links to, and what can be linked to in it.
type page struct {
	links   []string
	anchors map[string]bool
}

// notInAnchors are the characters of a heading that its anchor leaves out, as GitHub has it: all but letters, digits, _, -
// and space.
var notInAnchors = regexp.MustCompile(`[^\p{L}\p{M}\p{N}_\- ]`)

func read(t *testing.T, path string) page {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := page{anchors: map[string]bool{}}
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err = ast.Walk(markdown, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.Heading:
			anchor := strings.ReplaceAll(notInAnchors.ReplaceAllString(words(n, source), ""), " ", "-")
			p.anchors[strings.Map(unicode.ToLower, anchor)] = true
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// words is the text of a node, without what marks it up.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // it returns no error
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// Every link of every page to a file, a directory or a heading of this repository leads there.
func TestLinks(t *testing.T) {
	const root = "../.."
	pages := map[string]page{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name() == "kernels" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md"):
			pages[path] = read(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for path, p := range pages {
		for _, link := range p.links {
			if strings.Contains(link, ":") { // elsewhere
				continue
			}
			checked++
			file, anchor, _ := strings.Cut(link, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
			}
			if _, err := os.Stat(to); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s leads to no file", path, link)
			} else if err != nil {
				t.Error(err)
			} else if anchor != "" && !pages[to].anchors[anchor] {
				t.Errorf("%s: %s leads to no heading", path, link)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d links were found", checked)
	}
}
