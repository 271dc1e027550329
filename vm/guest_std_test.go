package vm_test

import (
	"bufio"
	"debug/buildinfo"
	"flag"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// stdStep is how many packages scripts/soak guest-std has tested at a time.
const stdStep = 10

var stdFirst = flag.Int("guest-std-first", -1, "run the tests of as many packages of testdata/guest-std.txt as a step has, from the `N`th on, and not of those marked quick (scripts/soak guest-std)")

var stdOnly = flag.String("guest-std", "", "run the tests of the packages of testdata/guest-std.txt whose paths a regular `EXPRESSION` matches")

// guestGo is a release of Go that the go command can fetch. The guest's kernel is always built with the one that builds tacit.
var guestGo = flag.String("guest-go", "", "the `RELEASE` of Go, such as go1.25.14, whose standard library is tested, and which builds the tests; without it the one that runs them")

// A stdPackage is a line of testdata/guest-std.txt.
type stdPackage struct {
	path  string
	quick bool
	since string   // the release that the package, or its tests, came with; empty for all that are supported
	skip  string   // a regular expression for tests that need what is not there
	files []string // directories of the standard library that the tests read, beside their own
	root  bool     // the tests look for these where GOROOT says
}

// stdReasons are the packages that are not in the list, by why.
func stdReasons(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/guest-std.txt")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, "- ")
		if !ok {
			continue
		}
		paths, reason, ok := strings.Cut(strings.TrimSpace(rest), ": ")
		if !ok {
			t.Errorf("%q has no reason", line)
		}
		reasons[reason] = append(reasons[reason], strings.Split(paths, ", ")...)
	}
	return reasons
}

// stdPackages reads the list. Packages that do not pass, or were not tried, have a reason instead.
func stdPackages(t *testing.T) (all []stdPackage) {
	t.Helper()
	f, err := os.Open("testdata/guest-std.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		words := strings.Fields(s.Text())
		if len(words) == 0 || words[0] == "#" || words[0] == "-" {
			continue
		}
		p := stdPackage{path: words[0]}
		for _, w := range words[1:] {
			switch name, value, _ := strings.Cut(w, "="); name {
			case "quick":
				p.quick = true
			case "goroot":
				p.root = true
			case "since":
				p.since = value
			case "skip":
				p.skip = value
			case "files":
				p.files = append(p.files, value)
			default:
				t.Fatalf("%s: %q is no option", p.path, w)
			}
		}
		all = append(all, p)
	}
	return all
}

// The standard library's own tests pass in the guest, compiled as go test -c does it.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	environment := append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0", "GOFLAGS=")
	if *guestGo != "" {
		environment = append(environment, "GOTOOLCHAIN="+*guestGo)
	}
	goEnv := exec.Command("go", "env", "GOROOT")
	goEnv.Env = environment
	root, err := goEnv.Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src")
	if n := len(stdPackages(t)); n < 60 {
		t.Errorf("%d packages are listed, at least 60 are wanted", n)
	}
	only, err := regexp.Compile(*stdOnly)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.DeleteFunc(stdPackages(t), func(p stdPackage) bool {
		if *stdOnly != "" {
			return !only.MatchString(p.path)
		}
		return !p.quick && *stdFirst < 0
	})
	if first := min(*stdFirst, len(all)); first >= 0 {
		all = all[first:min(first+stdStep, len(all))]
	}
	var paths []string
	for _, p := range all {
		paths = append(paths, p.path)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			t.Logf("ended with: %s pass on all platforms", strings.Join(paths, ", "))
		}
	})
	for _, p := range all {
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			if *guestGo != "" && p.since != "" && version.Compare(*guestGo, p.since) < 0 {
				t.Skipf("%s came with %s", p.path, p.since)
			}
			directory := filepath.Join(source, p.path)
			file := filepath.Join(t.TempDir(), "test")
			build := exec.Command("go", "test", "-vet=off", "-trimpath", "-c", "-o", file, ".")
			build.Dir = directory
			build.Env = environment
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			program := efi.Program{Arguments: []string{"/program", "-test.short"}, Directory: directory}
			if program.Executable, err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
			switch info, err := buildinfo.ReadFile(file); {
			case err != nil:
				t.Fatal(err)
			case *guestGo != "" && info.GoVersion != *guestGo:
				t.Fatalf("it was built with %s, not %s", info.GoVersion, *guestGo)
			}
			if p.root {
				program.Environment = []string{"GOROOT=" + filepath.Dir(source)}
			}
			if p.skip != "" {
				program.Arguments = append(program.Arguments, "-test.skip="+p.skip)
			}
			program.Files = stdFiles(t, source, p)
			img := packed(t, program)
			for _, platform := range vm.PlatformNames() {
				b := boot(t, vm.Config{Platform: platform, Image: img, MaxInstructions: 40_000_000_000, FirmwareAccepts: 512 << 20})
				if b.Outcome != record.PowerOff || !strings.HasSuffix(b.console, "PASS\n") {
					t.Errorf("%s: outcome %s, %+v\n%s", platform, b.Outcome, b.Diagnosis, b.console)
				}
			}
		})
	}
}

// stdFiles are the files of a package's directory and its testdata, and the others that its tests read, where they are
// on this host.
func stdFiles(t *testing.T, source string, p stdPackage) []byte {
	t.Helper()
	var files efi.Archive
	directory := filepath.Join(source, p.path)
	if err := files.AddFiles(directory, directory); err != nil {
		t.Fatal(err)
	}
	for _, more := range append([]string{p.path + "/testdata"}, p.files...) {
		from := filepath.Join(source, more)
		if _, err := os.Stat(from); err != nil && more == p.path+"/testdata" {
			continue
		}
		if err := files.AddTree(from, from); err != nil {
			t.Fatal(err)
		}
	}
	b, err := files.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The list says of each package of the standard library that its tests pass, or why not: of the release that it was made with.
func TestStandardLibraryListIsWhole(t *testing.T) {
	const made = "go1.26"
	if version.Lang(runtime.Version()) != made {
		t.Skipf("the list is of %s, this is %s", made, runtime.Version())
	}
	list := exec.Command("go", "list", "-f", "{{.ImportPath}} {{len .TestGoFiles}} {{len .XTestGoFiles}}", "std")
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, files, _ := strings.Cut(strings.TrimSpace(line), " ")
		tests[path] = files != "0 0"
	}
	said := map[string]string{}
	say := func(path, what string) {
		if before, ok := said[path]; ok {
			t.Errorf("%s is there twice: %s; %s", path, before, what)
		}
		if _, ok := tests[path]; !ok {
			t.Errorf("%s, which is said to be %q, is no package of the standard library", path, what)
		}
		said[path] = what
	}
	for _, p := range stdPackages(t) {
		say(p.path, "passes")
	}
	const none = "no tests"
	for reason, paths := range stdReasons(t) {
		for _, path := range paths {
			say(path, reason)
		}
	}
	for path, has := range tests {
		switch what, ok := said[path]; {
		case !ok:
			t.Errorf("%s is not in the list; it has tests: %t", path, has)
		case has == (what == none):
			t.Errorf("%s: %s; it has tests: %t", path, what, has)
		}
	}
}
