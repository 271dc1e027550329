package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A mutant is one change: some bytes of a file become others.
type mutant struct {
	Package string `json:"package"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Offset  int    `json:"offset"` // in the file, in bytes
	Kind    string `json:"kind"`
	Was     string `json:"was"`
	Is      string `json:"is"`
}

func (m *mutant) String() string {
	short := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		if len(s) > 60 {
			s = s[:60] + "…"
		}
		return s
	}
	return fmt.Sprintf("%s:%d: %s: %q becomes %q", m.File, m.Line, m.Kind, short(m.Was), short(m.Is))
}

// A goPackage is what go list says of one.
type goPackage struct {
	Dir        string
	ImportPath string
	GoFiles    []string
}

// choose draws n changes, as many of each package as far as it has them.
func choose(ctx context.Context, packages []string, n int, seed uint64) (chosen []*mutant, err error) {
	var all [][]*mutant
	for _, p := range packages {
		list, err := goList(ctx, p)
		if err != nil {
			return nil, err
		}
		var found []*mutant
		for _, name := range list.GoFiles {
			file := filepath.Join(p, name)
			if !strings.HasPrefix(file, ".") {
				file = "./" + file
			}
			in, err := sites(p, file)
			if err != nil {
				return nil, err
			}
			found = append(found, in...)
		}
		dice := rand.New(rand.NewPCG(seed, uint64(len(found))))
		dice.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		all = append(all, found)
	}
	for i := 0; len(chosen) < n; i++ {
		before := len(chosen)
		for _, found := range all {
			if i < len(found) && len(chosen) < n {
				chosen = append(chosen, found[i])
			}
		}
		if len(chosen) == before {
			break
		}
	}
	return chosen, nil
}

func goList(ctx context.Context, pattern string) (p goPackage, err error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-json=Dir,ImportPath,GoFiles", pattern).Output()
	if err != nil {
		return p, fmt.Errorf("go list %s: %w", pattern, err)
	}
	d := json.NewDecoder(strings.NewReader(string(out)))
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if err := d.Decode(&goPackage{}); !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("%s is more than one package", pattern)
	}
	return p, nil
}

// others are the operators that take an operator's place.
var others = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ}, token.LEQ: {token.LSS}, token.GTR: {token.GEQ}, token.GEQ: {token.GTR},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.ADD}, token.QUO: {token.MUL}, token.REM: {token.QUO},
	token.SHL: {token.SHR}, token.SHR: {token.SHL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.OR}, token.AND_NOT: {token.AND},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN}, token.OR_ASSIGN: {token.AND_ASSIGN, token.ASSIGN},
	token.AND_ASSIGN: {token.OR_ASSIGN}, token.AND_NOT_ASSIGN: {token.OR_ASSIGN}, token.INC: {token.DEC}, token.DEC: {token.INC},
}

// sites returns all changes of a file that can be made.
func sites(pkg, file string) (found []*mutant, err error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	source, err := readFile(file)
	if err != nil {
		return nil, err
	}
	text := func(n ast.Node) string {
		return string(source[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset])
	}
	add := func(at token.Pos, kind, was, is string) {
		p := fset.Position(at)
		found = append(found, &mutant{pkg, file, p.Line, p.Offset, kind, was, is})
	}
	operator := func(at token.Pos, op token.Token) {
		for _, other := range others[op] {
			add(at, "operator", op.String(), other.String())
		}
	}
	drop := func(s ast.Stmt) { add(s.Pos(), "statement dropped", text(s), "") }
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BinaryExpr:
			operator(n.OpPos, n.Op)
		case *ast.BasicLit:
			if v, err := strconv.ParseUint(strings.ReplaceAll(n.Value, "_", ""), 0, 63); n.Kind == token.INT && err == nil {
				add(n.Pos(), "constant", n.Value, strconv.FormatUint(v+1, 10))
				if v > 0 {
					add(n.Pos(), "constant", n.Value, strconv.FormatUint(v-1, 10))
				}
			}
		case *ast.IfStmt:
			add(n.Cond.Pos(), "condition", text(n.Cond), "!("+text(n.Cond)+")")
			if n.Else == nil && n.Init == nil {
				drop(n)
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				add(n.Pos(), "condition", text(n), text(n.X))
			}
		case *ast.Ident:
			if n.Name == "true" || n.Name == "false" {
				add(n.Pos(), "constant", n.Name, map[string]string{"true": "false", "false": "true"}[n.Name])
			}
		case *ast.ExprStmt:
			drop(n)
		case *ast.IncDecStmt:
			drop(n)
			operator(n.TokPos, n.Tok)
		case *ast.AssignStmt:
			operator(n.TokPos, n.Tok)
			if n.Tok != token.DEFINE {
				drop(n)
			}
		case *ast.BranchStmt:
			if n.Tok == token.BREAK || n.Tok == token.CONTINUE {
				drop(n)
			}
		case *ast.ReturnStmt:
			// An error that is swallowed.
			if len(n.Results) > 0 {
				if last := n.Results[len(n.Results)-1]; isError(last) {
					add(last.Pos(), "error swallowed", text(last), "nil")
				}
			}
		}
		return true
	})
	slices.SortFunc(found, func(a, b *mutant) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return strings.Compare(a.Kind+a.Is, b.Kind+b.Is)
	})
	return found, nil
}

// isError says whether an expression looks like an error: its name does, or what makes it.
func isError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "err" || strings.HasPrefix(e.Name, "err") && len(e.Name) > 3 && e.Name[3] >= 'A' && e.Name[3] <= 'Z'
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		return ok && (f.Sel.Name == "Errorf" || f.Sel.Name == "New" && fmt.Sprint(f.X) == "errors")
	}
	return false
}

// apply returns the file with the change.
func (m *mutant) apply(source []byte) ([]byte, error) {
	if !strings.HasPrefix(string(source[min(m.Offset, len(source)):]), m.Was) {
		return nil, fmt.Errorf("%v: the file is another", m)
	}
	return slices.Concat(source[:m.Offset], []byte(m.Is), source[m.Offset+len(m.Was):]), nil
}
