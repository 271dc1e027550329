package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func readFile(name string) ([]byte, error) { return os.ReadFile(name) }

// elsewhere are tests of other packages that are asked about a change which a package's own tests let pass: not to
// count it as noticed, but to know.
var elsewhere = map[string][]string{
	"./internal/x86":        {"./internal/x86/oracle", "-run", "Recorded|PastFailures"},
	"./internal/x86/decode": {"./internal/x86/oracle", "-run", "Recorded|PastFailures"},
	"./internal/softfloat":  {"./internal/x86/oracle", "-run", "Recorded|PastFailures"},
}

// test runs tests, with a changed file in place of another where overlay names one, and returns what they print and
// whether they pass.
func test(ctx context.Context, patience time.Duration, overlay string, arguments ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience+time.Minute) // building takes time, too
	defer cancel()
	args := append([]string{"test", "-count=1", "-failfast", "-vet=off", "-timeout", patience.String(), "-overlay", overlay}, arguments...)
	c := exec.CommandContext(ctx, "go", args...)
	// Its children as well.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	out, err := c.CombinedOutput()
	if ctx.Err() != nil && err != nil {
		return "panic: test timed out", err
	}
	return string(out), err
}

// baselinePatience is how long a change may take at least.
var baselinePatience = 30 * time.Second

// baseline runs the tests of all packages as they are: they have to pass. It returns how long a change may take.
func baseline(ctx context.Context, packages []string) (patience map[string]time.Duration, err error) {
	patience = map[string]time.Duration{}
	for _, p := range packages {
		began := time.Now()
		if out, err := test(ctx, 10*time.Minute, "", p); err != nil {
			return nil, fmt.Errorf("the tests of %s fail without any change: %w\n%s", p, err, out)
		}
		patience[p] = max(baselinePatience, 5*time.Since(began)).Round(time.Second)
	}
	return patience, nil
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// try makes the change and runs the tests of its package.
func try(ctx context.Context, m *mutant, patience time.Duration) (r result) {
	began := time.Now()
	r.mutant = *m
	defer func() { r.Seconds = float64(time.Since(began).Milliseconds()) / 1000 }()
	overlay, remove, err := m.overlay()
	if err != nil {
		r.Result, r.By = unbuilt, err.Error()
		return r
	}
	defer remove()
	out, err := test(ctx, patience, overlay, m.Package)
	switch {
	case err == nil:
		r.Result = survived
		if others := elsewhere[m.Package]; others != nil {
			if _, err := test(ctx, patience, overlay, others...); err != nil {
				r.By = others[0]
			}
		}
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		r.Result = unbuilt
	case strings.Contains(out, "panic: test timed out"):
		r.Result = timedOut
	default:
		r.Result = killed
		if name := failedTest.FindStringSubmatch(out); name != nil {
			r.By = name[1]
		}
	}
	return r
}

// overlay writes the changed file and the description that the go command wants of it.
func (m *mutant) overlay() (name string, remove func(), err error) {
	source, err := readFile(m.File)
	if err != nil {
		return "", nil, err
	}
	changed, err := m.apply(source)
	if err != nil {
		return "", nil, err
	}
	path, err := filepath.Abs(m.File)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, filepath.Base(m.File))
	name = filepath.Join(dir, "overlay.json")
	description, err := json.Marshal(map[string]map[string]string{"Replace": {path: file}})
	err = errors.Join(err, os.WriteFile(file, changed, 0o644), os.WriteFile(name, description, 0o644))
	return name, func() { _ = os.RemoveAll(dir) }, err
}

// describe says what is tried, where, and when. The code is all of the module's but for this program's own.
func describe(seed uint64) (h header, err error) {
	h = header{Seed: seed, Date: time.Now().UTC().Format(time.DateOnly)}
	sum := sha256.New()
	err = filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasPrefix(path, "internal/mutate") {
			return err
		}
		b, err := readFile(path)
		fmt.Fprintf(sum, "%s %d\n", path, len(b))
		sum.Write(b)
		return err
	})
	h.Code = fmt.Sprintf("%x", sum.Sum(nil)[:8])
	if out, err := exec.Command("git", "describe", "--always", "--abbrev=12").Output(); err == nil {
		h.Commit = strings.TrimSpace(string(out))
		if exec.Command("git", "diff", "--quiet", "HEAD", "--", "*.go").Run() != nil {
			h.Commit += "-dirty"
		}
	}
	h.Processor = "unknown"
	if b, err := readFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			h.Processor = strings.Trim(line, " \t:")
		}
	}
	return h, err
}

// summarize prints how many changes were noticed, by package, and the others one by one.
func (r *results) summarize(w io.Writer) {
	counts := map[string]map[string]int{}
	for _, x := range r.all {
		if counts[x.Package] == nil {
			counts[x.Package] = map[string]int{}
		}
		counts[x.Package][x.Result]++
	}
	fmt.Fprintf(w, "seed %d, %s, commit %s, %s\n\n", r.head.Seed, r.head.Date, r.head.Commit, r.head.Processor)
	fmt.Fprintf(w, "%-20s %8s %8s %9s %17s\n", "package", killed, timedOut, survived, unbuilt)
	total := map[string]int{}
	for _, p := range slices.Sorted(maps.Keys(counts)) {
		c := counts[p]
		fmt.Fprintf(w, "%-20s %8d %8d %9d %17d\n", p, c[killed], c[timedOut], c[survived], c[unbuilt])
		for k, v := range c {
			total[k] += v
		}
	}
	fmt.Fprintf(w, "%-20s %8d %8d %9d %17d\n\n", "all", total[killed], total[timedOut], total[survived], total[unbuilt])
	var lines []string
	for _, x := range r.all {
		if x.Result == survived {
			line := fmt.Sprint(&x.mutant)
			if x.By != "" {
				line += " (noticed by " + x.By + ")"
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
