package alloc_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sources returns the package's files without its tests.
func sources(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	fset := token.NewFileSet()
	files := map[string]*ast.File{}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if files[name], err = parser.ParseFile(fset, name, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	return fset, files
}

// The package imports nothing but accept, and does not use what needs Go's runtime in a handler of page faults.
func TestBareMetal(t *testing.T) {
	fset, files := sources(t)
	for _, file := range files {
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); path != "github.com/tacit-vm/tacit/accept" {
				t.Errorf("%v: imports %s", fset.Position(spec.Pos()), path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.FuncLit:
				what = "a closure"
			case *ast.MapType:
				what = "a map"
			case *ast.ChanType:
				what = "a channel"
			case *ast.DeferStmt:
				what = "defer"
			case *ast.GoStmt:
				what = "go"
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "append" || f.Name == "make" || f.Name == "new" || f.Name == "panic") {
					what = f.Name
				}
			}
			if what != "" {
				t.Errorf("%v: %s", fset.Position(n.Pos()), what)
			}
			return true
		})
	}
}

// Only Init and what it calls to lay out the books store pointers: nowhere else has the compiler put a write barrier.
func TestNoPointersStored(t *testing.T) {
	fset, files := sources(t)
	out, err := exec.Command("go", "build", "-gcflags=-d=wb=1", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := regexp.MustCompile(`(?m)^\./(\w+\.go):(\d+):\d+: write barrier`).FindAllSubmatch(out, -1)
	if len(lines) == 0 {
		t.Fatalf("Init stores pointers, and the compiler says nothing of write barriers:\n%s", out)
	}
	for _, m := range lines {
		line, _ := strconv.Atoi(string(m[2]))
		in := ""
		for _, decl := range files[string(m[1])].Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && fset.Position(f.Pos()).Line <= line && line <= fset.Position(f.End()).Line {
				in = f.Name.Name
			}
		}
		if in != "Init" && in != "put" {
			t.Errorf("%s stores a pointer: %s", in, bytes.TrimSpace(m[0]))
		}
	}
}
