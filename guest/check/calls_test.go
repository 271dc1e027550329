package check

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestServed holds the list against the kernel's source: each number that a case of its is about.
func TestServed(t *testing.T) {
	numbers, cased := map[string]uint64{}, map[string]bool{}
	for _, name := range []string{"syscallnumbers.go", "syscall.go", "syscallfiles.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), "../kernel/"+name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if v, ok := n.Values[0].(*ast.BasicLit); ok && len(n.Names) == 1 && strings.HasPrefix(n.Names[0].Name, "sys") {
					number, err := strconv.ParseUint(v.Value, 0, 64)
					if err != nil {
						t.Fatal(err)
					}
					numbers[n.Names[0].Name] = number
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					if id, ok := e.(*ast.Ident); ok {
						cased[id.Name] = true
					}
				}
			}
			return true
		})
	}
	var want []uint64
	for name, number := range numbers {
		if !cased[name] {
			t.Errorf("%s is served nowhere", name)
		}
		want = append(want, number)
	}
	want = append(want, 1<<20, 1<<20+1, 1<<20+6, 1<<20+7) // those of the kernel's own that a program of somebody else's has: program.go there
	slices.Sort(want)
	if len(want) < 50 || !slices.Equal(served, want) {
		t.Errorf("served is not what the kernel serves, which is\n%s", strings.Trim(strings.ReplaceAll(fmt.Sprint(want), " ", ", "), "[]"))
	}
}

const header = "package main\n"

// programs are programs, and the system calls in them that no one serves: the numbers, and the way there in package main.
var programs = map[string]struct {
	source string
	want   string
}{
	"hello":  {`import "fmt"; func main() { fmt.Println("hello") }`, ""},
	"direct": {`import "syscall"; func main() { syscall.Mount("a", "b", "c", 0, "") }`, "165 main.main"},
	"number": {`import "syscall"; func main() { syscall.Syscall(syscall.SYS_ACCT, 0, 0, 0) }`, "163 main.main"},
	"raw":    {`import "syscall"; func main() { syscall.RawSyscall6(syscall.SYS_REBOOT, 1, 2, 3, 4, 5, 6) }`, "169 main.main"},
	"deep": {`import "syscall"; func main() { a() }
//go:noinline
func a() { b() }
//go:noinline
func b() { syscall.Chroot("/") }`, "161 main.main ← main.a ← main.b"},
	"command": {`import "os/exec"; func main() { exec.Command("true").Run() }`, ""},
	"profile": {`import ("os"; "runtime/pprof"); func main() { pprof.StartCPUProfile(os.Stdout) }`, ""},
	"web":     {`import "net/http"; func main() { http.ListenAndServe(":80", nil) }`, ""},
	"value":   {`import ("syscall"; "os"); var f = map[string]func(){"x": name}; func name() { syscall.Sethostname(nil) }; func main() { f[os.Args[1]]() }`, "170 main.name"},
}

// TestUnserved finds in programs what they would call.
func TestUnserved(t *testing.T) {
	for name, c := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			executable := build(t, c.source)
			calls, err := Unserved(executable)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, call := range calls {
				if i := slices.IndexFunc(call.Path, func(f string) bool { return !strings.HasPrefix(f, "main.") }); call.Path != nil {
					got = append(got, fmt.Sprintf("%d %s", call.Number, strings.Join(call.Path[:cmp.Or(max(i, 0), len(call.Path))], " ← ")))
				}
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("%q, not %q; in all %v", text, c.want, calls)
			}
		})
	}
}

// A way names its beginning and its end, however long it is.
func TestCallIsOneLine(t *testing.T) {
	var path []string
	for i := range 40 {
		path = append(path, fmt.Sprint("f", i))
	}
	for _, c := range []struct {
		call Call
		want string
	}{
		{Call{Number: 1, By: "alone"}, "1, called by alone"},
		{Call{Number: 2, Path: path[:3]}, "2, called by f2 ← f1 ← f0"},
		{Call{Number: 3, Path: path[:13]}, "3, called by f12 ← f11 ← f10 ← f9 ← f8 ← f7 ← f6 ← f5 ← f4 ← f3 ← f2 ← f1 ← f0"},
		{Call{Number: 4, Path: path}, "4, called by f39 ← f38 ← f37 ← f36 ← f35 ← f34 ← f33 ← f32 ← 28 more ← f3 ← f2 ← f1 ← f0"},
	} {
		if got := c.call.String(); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

func build(t *testing.T, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(header+source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "program"), filepath.Join(dir, "main.go"))
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOfTests: a program of tests comes to nothing that is not served.
func TestOfTests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.test")
	cmd := exec.Command("go", "test", "-c", "-o", path, ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	executable, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := Unserved(executable)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if c.Path != nil {
			t.Errorf("system call %v", c)
		}
	}
}

// TestCut: what is left of an executable is an error, or is read; it is no end of the process.
func TestCut(t *testing.T) {
	executable := build(t, programs["hello"].source)
	for n := 0; n < len(executable); n += len(executable)/40 + 1 {
		damaged := slices.Clone(executable)
		clear(damaged[n:min(n+len(executable)/40, len(damaged))])
		if calls, err := Calls(damaged); err == nil && len(calls) > 10000 {
			t.Errorf("%d calls", len(calls))
		}
		if _, err := Calls(executable[:n]); err == nil {
			t.Errorf("the first %d bytes are a program", n)
		}
	}
}
