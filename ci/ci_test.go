// Package ci has what runs tacit certify in the continuous integration of others: a GitHub Action and a template for
// GitLab. The tests run their shell steps as those systems do.
package ci

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tacit-vm/tacit/guest"
)

// An action is what is looked at of an action.yml.
type action struct {
	Inputs  map[string]struct{ Default, Description string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID, Name, Uses, Shell, Run string
	Env                        map[string]string
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// A run is a job on a runner: its directories and files, and what it printed.
type run struct {
	status               int
	output               string
	work, temp           string
	summary, stepOutputs string
}

var expression = regexp.MustCompile(`\$\{\{ *inputs\.([a-z]+) *\}\}`)

// github runs the shell steps of the action with inputs, in a directory that has these files.
func github(t *testing.T, inputs, files map[string]string, path string) run {
	t.Helper()
	var a action
	read(t, "github/action.yml", &a)
	if a.Runs.Using != "composite" || a.Outputs["status"].Value != "${{ steps.certify.outputs.status }}" {
		t.Errorf("%+v", a)
	}
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("the action has no input %s", name)
		}
	}
	here, err := filepath.Abs("github")
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(t, files)
	summary, outputs := filepath.Join(r.temp, "summary"), filepath.Join(r.temp, "outputs")
	for _, s := range a.Runs.Steps {
		if s.Uses != "" {
			if _, version, pinned := strings.Cut(s.Uses, "@"); !pinned || version == "main" {
				t.Errorf("%s is not pinned", s.Uses)
			}
			continue
		}
		if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
			t.Errorf("step %s: a shell script that an input could change, or none for bash", s.Name)
		}
		env := []string{"RUNNER_TEMP=" + r.temp, "GITHUB_ACTION_PATH=" + here, "GITHUB_STEP_SUMMARY=" + summary, "GITHUB_OUTPUT=" + outputs}
		for name, value := range s.Env {
			env = append(env, name+"="+expression.ReplaceAllStringFunc(value, func(e string) string {
				input := expression.FindStringSubmatch(e)[1]
				declared, ok := a.Inputs[input]
				if !ok {
					t.Errorf("step %s: there is no input %s", s.Name, input)
				}
				if given, ok := inputs[input]; ok {
					return given
				}
				return declared.Default
			}))
		}
		if r.sh(t, []string{"bash", "--noprofile", "--norc", "-e", "-o", "pipefail"}, s.Run, path, env); r.status != 0 {
			break
		}
	}
	r.summary, r.stepOutputs = text(summary), text(outputs)
	return r
}

// gitlab runs the job of the template with variables.
func gitlab(t *testing.T, variables, files map[string]string, path string) run {
	t.Helper()
	var jobs map[string]struct {
		Image        string
		Variables    map[string]string
		BeforeScript []string `yaml:"before_script"`
		Script       []string
		Artifacts    struct {
			When    string
			Reports struct{ JUnit string }
		}
	}
	read(t, "gitlab/certify.yml", &jobs)
	job, ok := jobs[".tacit-certify"]
	if !ok || job.Artifacts.When != "always" || job.Artifacts.Reports.JUnit != "tacit-junit.xml" {
		t.Fatalf("%+v", jobs)
	}
	var env []string
	for name, value := range job.Variables {
		if given, ok := variables[name]; ok {
			value = given
		}
		env = append(env, name+"="+value)
	}
	r := newRun(t, files)
	r.sh(t, []string{"sh", "-e"}, strings.Join(append(job.BeforeScript, job.Script...), "\n"), path, env)
	return r
}

func newRun(t *testing.T, files map[string]string) run {
	t.Helper()
	r := run{work: t.TempDir(), temp: t.TempDir()}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(r.work, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// sh runs a script from a file, as the systems do. A path is looked at before the usual ones.
func (r *run) sh(t *testing.T, shell []string, script, path string, env []string) {
	t.Helper()
	file := filepath.Join(r.temp, "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	if check, err := exec.LookPath("shellcheck"); err == nil {
		if out, err := exec.Command(check, "--shell", shell[0], file).CombinedOutput(); err != nil {
			t.Errorf("shellcheck: %s", out)
		}
	}
	cmd := exec.Command(shell[0], append(shell[1:], file)...)
	cmd.Dir, cmd.Env = r.work, append(os.Environ(), append(env, "PATH="+path+":"+os.Getenv("PATH"))...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r.status, r.output = cmd.ProcessState.ExitCode(), r.output+string(out)
}

func text(path string) string {
	b, _ := os.ReadFile(path) // what is not there is empty
	return string(b)
}

// failures counts in the JUnit XML that the run has left.
func (r *run) failures(t *testing.T) (tests, failures, errs int) {
	t.Helper()
	var suites struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(text(filepath.Join(r.work, "tacit-junit.xml"))), &suites); err != nil {
		t.Errorf("JUnit: %v", err)
	}
	for _, s := range suites.Suites {
		tests, failures, errs = tests+s.Tests, failures+s.Failures, errs+s.Errors
	}
	return tests, failures, errs
}

// fakes makes a directory with programs that are shell scripts.
func fakes(t *testing.T, programs map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// built is the directory of a tacit made from this source.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tacit-ci")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-C", "..", "-o", dir+"/", "./cmd/tacit").CombinedOutput()
	return dir, errors.Join(err, errors.New(string(out)))
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, _ := built(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// Both certify what they are told to, with the status, the certificate and the report of tacit's own.
func TestPipelines(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the runners that are imitated here are Linux")
	}
	efi := string(guest.Demo())
	for name, c := range map[string]struct {
		require, append, images   string
		files                     map[string]string
		status                    int
		tests, failures, mistakes int // in the report
		says                      string
	}{
		"passes":            {"tdx,negotiate", "hold=700M", "*.efi", map[string]string{"a.efi": efi, "b.efi": efi}, 0, 6, 0, 0, "2 images: 2 passed"},
		"fails":             {"tdx", "unaccepted=unknown", "a.efi", map[string]string{"a.efi": efi}, 3, 3, 2, 0, "it sees 249 MiB of 1 GiB"},
		"cannot be judged":  {"tdx", "hold=700M", "a.efi b.efi", map[string]string{"a.efi": efi, "b.efi": "text"}, 4, 4, 0, 1, "not a kernel package"},
		"matches nothing":   {"tdx", "hold=700M", "no*.efi", nil, 4, 1, 0, 1, "no*.efi"},
		"is no requirement": {"sev", "hold=700M", "a.efi", nil, 2, 0, 0, 0, `"sev" is not a requirement`},
	} {
		check := func(on string, r run) {
			t.Helper()
			if r.status != c.status || !strings.Contains(r.output, c.says) {
				t.Errorf("%s, %s: status %d, want %d with %q\n%s", on, name, r.status, c.status, c.says, r.output)
			}
			if c.status == 2 {
				return
			}
			tests, failures, errs := r.failures(t)
			if tests != c.tests || failures != c.failures || errs != c.mistakes {
				t.Errorf("%s, %s: %d tests, %d failures, %d errors", on, name, tests, failures, errs)
			}
			if !strings.Contains(text(filepath.Join(r.work, "tacit-certificate.json")), `"schema": "tacit.certificate/1"`) {
				t.Errorf("%s, %s: no certificate", on, name)
			}
		}
		r := github(t, map[string]string{
			"require": c.require, "platform": "tdx", "policy": "negotiate,lazy", "memory": "1G", "args": "--append\n" + c.append + "\n",
			"images": strings.ReplaceAll(c.images, " ", "\n"),
		}, c.files, "")
		check("GitHub", r)
		if r.stepOutputs != fmt.Sprintf("status=%d\n", c.status) || strings.Contains(r.summary, " could not be judged") != (c.status != 2) {
			t.Errorf("%s: outputs %q, summary %q", name, r.stepOutputs, r.summary)
		}
		dir, err := built()
		if dir == "" || err != nil && err.Error() != "" {
			t.Fatal(err)
		}
		check("GitLab", gitlab(t, map[string]string{
			"TACIT_VERSION": "v1.2.3", "TACIT_REQUIRE": c.require, "TACIT_PLATFORM": "tdx", "TACIT_POLICY": "negotiate,lazy", "TACIT_MEMORY": "1G",
			"TACIT_ARGS": "--append=" + c.append, "TACIT_IMAGES": c.images,
		}, c.files, fakes(t, map[string]string{"go": "exit 0"})+":"+dir))
	}
}

// Which tacit is used is pinned: the action's own, or the one that is named. GitLab has only the latter.
func TestPinnedVersion(t *testing.T) {
	called := filepath.Join(t.TempDir(), "called")
	path := fakes(t, map[string]string{
		"go":    `echo "$@" >>` + called + `; if [ -n "$GOBIN" ]; then mkdir -p "$GOBIN"; cp "$(dirname "$0")/tacit" "$GOBIN"; fi`,
		"tacit": `for w; do printf "<%s>" "$w"; done; exit 3`,
	})
	files := map[string]string{"an image.deb": "", "b.deb": ""}
	r := github(t, map[string]string{"version": "v1.2.3", "images": "*.deb\nnone", "json": "", "junit": "", "args": "--own-guest\n--append\ntwo words"}, files, path)
	if want := "<certify><--own-guest><--append><two words><--><an image.deb><b.deb><none>"; r.status != 3 || r.output != want {
		t.Errorf("GitHub: status %d, %s, want %s", r.status, r.output, want)
	}
	r = gitlab(t, map[string]string{"TACIT_VERSION": "v1.2.3", "TACIT_IMAGES": "b* none"}, files, path)
	if want := "<certify><--json><tacit-certificate.json><--junit><tacit-junit.xml><--><b.deb><none>"; r.status != 3 || r.output != want {
		t.Errorf("GitLab: status %d, %s, want %s", r.status, r.output, want)
	}
	install := "install github.com/tacit-vm/tacit/cmd/tacit@v1.2.3\n"
	if got := text(called); got != install+install {
		t.Errorf("called go with %q", got)
	}
	if r := gitlab(t, nil, files, path); r.status == 0 || !strings.Contains(r.output, "TACIT_VERSION") {
		t.Errorf("GitLab without a version: status %d, %s", r.status, r.output)
	}
}

// The page shows what exists.
func TestDocumented(t *testing.T) {
	page := text("../docs/certify.md")
	for _, name := range []string{"tacit-vm/tacit/ci/github@", "/ci/gitlab/certify.yml", ".tacit-certify"} {
		if !strings.Contains(page, name) {
			t.Errorf("docs/certify.md says nothing about %s", name)
		}
	}
}
