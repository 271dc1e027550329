package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unused are exported identifiers of internal packages that nothing outside their package names, and why they are exported
// all the same.
var unused = map[string]string{
	"internal/pefile.PE32":      "beside PE32Plus",
	"internal/state.ErrEarlier": "for who wants to know",
	"internal/state.ErrForeign": "for who wants to know",
	"internal/state.ErrLater":   "for who wants to know",
}

// unruly are packages of which this has yet to be made true.
var unruly = map[string]bool{
	"internal/attack": true, "internal/bench": true, "internal/x86": true, "internal/x86/oracle": true,
}

// A declared package is what one internal package exports at its top level.
type declaredPackage struct {
	names  map[string]*ast.Ident // by name
	typeOf map[string]string     // of a constant or variable: the type that its group has
	shows  map[string][]string   // the exported names in a declaration: types of fields, parameters, results
}

// Each exported type, function, variable and constant of an internal package is named by another package, or by the
// package's own external tests; or it is shown by one that is: a result's type, a field's. Constants stand for all of their
// type. Methods and fields are left alone, since interfaces may want them.
func TestExportedIsUsed(t *testing.T) {
	const root = "../.."
	files := token.NewFileSet()
	declared := map[string]*declaredPackage{}
	used := map[string]map[string]bool{} // package, name
	use := func(path, name string) {
		if used[path] == nil {
			used[path] = map[string]bool{}
		}
		used[path][name] = true
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (name == "kernels" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		named(file, use)
		if strings.HasPrefix(dir, "internal/") && !strings.HasSuffix(path, "_test.go") && file.Name.Name != "main" {
			if declared[dir] == nil {
				declared[dir] = &declaredPackage{map[string]*ast.Ident{}, map[string]string{}, map[string][]string{}}
			}
			declared[dir].add(file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(declared)) {
		if unruly[dir] {
			continue
		}
		p := declared[dir]
		reached := p.reached(used[dir])
		for _, name := range slices.Sorted(maps.Keys(p.names)) {
			full := dir + "." + name
			excepted := unused[full] != ""
			if !reached[name] && !excepted {
				t.Errorf("%v: %s is exported, and no other package names it", files.Position(p.names[name].Pos()), full)
			} else if reached[name] && excepted {
				t.Errorf("%s is among the exceptions, and is used", full)
			}
		}
	}
}

// named calls use for each identifier of an internal package that a file names.
func named(file *ast.File, use func(path, name string)) {
	imports := map[string]string{}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		dir, own := strings.CutPrefix(path, module)
		if !own || !strings.HasPrefix(dir, "internal/") {
			continue
		}
		name := dir[strings.LastIndex(dir, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = dir
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] != "" {
				use(imports[x.Name], s.Sel.Name)
			}
		}
		return true
	})
}

// add adds what a file declares.
func (p *declaredPackage) add(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				p.show(receiver(d.Recv), d.Type)
				continue
			}
			p.name(d.Name)
			p.show(d.Name.Name, d.Type)
		case *ast.GenDecl:
			of := ""
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					p.name(spec.Name)
					p.show(spec.Name.Name, spec.Type)
				case *ast.ValueSpec:
					if id, ok := spec.Type.(*ast.Ident); ok {
						of = id.Name
					} else if len(spec.Values) > 0 {
						of = ""
					}
					for _, n := range spec.Names {
						p.name(n)
						p.typeOf[n.Name] = of
						if spec.Type != nil {
							p.show(n.Name, spec.Type)
						}
						for _, v := range spec.Values {
							p.show(n.Name, v)
						}
					}
				}
			}
		}
	}
}

func (p *declaredPackage) name(id *ast.Ident) {
	if id.IsExported() {
		p.names[id.Name] = id
	}
}

// show notes the exported names in a declaration.
func (p *declaredPackage) show(name string, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.IsExported() {
			p.shows[name] = append(p.shows[name], id.Name)
		}
		_, body := n.(*ast.BlockStmt)
		return !body
	})
}

func receiver(list *ast.FieldList) (name string) {
	ast.Inspect(list.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

// reached are the names that are used, and what they show.
func (p *declaredPackage) reached(used map[string]bool) map[string]bool {
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		if reached[name] {
			return
		}
		reached[name] = true
		for _, n := range p.shows[name] {
			reach(n)
		}
		for c, of := range p.typeOf {
			if of == name {
				reach(c)
			}
		}
		if of := p.typeOf[name]; of != "" {
			reach(of)
		}
	}
	for name := range used {
		reach(name)
	}
	return reached
}
