// Package deploy tests the files with which workers are deployed, without a cluster.
package deploy

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// built is tacit as the Containerfile builds it.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tacit-deploy")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tacit")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "../cmd/tacit")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // what is left is in the directory for such things
	}
	os.Exit(status)
}

// The manifests are what Kubernetes' own types take, strictly: no key is unknown or there twice. Workers want nothing of the
// node but processors and memory.
func TestManifests(t *testing.T) {
	parts := strings.Split(read(t, "kubernetes/worker.yaml"), "\n---\n")
	if len(parts) != 2 {
		t.Fatalf("%d objects", len(parts))
	}
	var d appsv1.Deployment
	var b policyv1.PodDisruptionBudget
	if err := yaml.UnmarshalStrict([]byte(parts[0]), &d); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(parts[1]), &b); err != nil {
		t.Fatal(err)
	}
	if d.APIVersion != "apps/v1" || d.Kind != "Deployment" || b.APIVersion != "policy/v1" || b.Kind != "PodDisruptionBudget" {
		t.Errorf("%s %s, %s %s", d.APIVersion, d.Kind, b.APIVersion, b.Kind)
	}
	labels := d.Spec.Template.Labels
	for _, selector := range []map[string]string{d.Spec.Selector.MatchLabels, b.Spec.Selector.MatchLabels} {
		for k, v := range selector {
			if labels[k] != v {
				t.Errorf("a selector wants %s=%s of pods with %v", k, v, labels)
			}
		}
	}
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	s := c.SecurityContext
	if !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser == 0 || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation ||
		len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || *pod.AutomountServiceAccountToken {
		t.Errorf("the pod may more than it needs: %+v, %+v", pod.SecurityContext, s)
	}
	if c.Resources.Limits.Memory().Value() != 3<<30 || c.Resources.Limits.Cpu().Value() != 4 {
		t.Errorf("limits %v", c.Resources.Limits)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("no volume %s", m.Name)
		}
	}
	flags(t, c.Args)
	wrong := strings.Replace(parts[0], "replicas:", "replica:", 1)
	if yaml.UnmarshalStrict([]byte(wrong), &d) == nil {
		t.Error("a key that Kubernetes does not know is taken")
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

// flags says that tacit takes a command line: with --help it gets as far as reading it.
func flags(t *testing.T, args []string) {
	t.Helper()
	path := program(t)
	if out, err := exec.Command(path, append(args, "--help")...).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Usage:")) {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
	if out, err := exec.Command(path, append(args, "--nonesuch")...).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("has no --nonesuch")) {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
}

// The program is static, and boots a guest in a root directory that has nothing else and cannot be
// written to, as nobody, without a capability: that is what a container of the image is.
func TestFromScratch(t *testing.T) {
	text := read(t, "Containerfile")
	_, last, _ := strings.Cut(text, "\nFROM scratch\n")
	if !regexp.MustCompile(`(?m)^USER [1-9][0-9]*:[1-9][0-9]*$`).MatchString(last) || !strings.Contains(last, "ENTRYPOINT [\"/tacit\"]") || strings.Contains(last, "\nRUN ") {
		t.Errorf("the image is not what it should be:\n%s", last)
	}
	if want := "CGO_ENABLED=0 GOOS=linux GOARCH=$TARGETARCH go build -trimpath -o /tacit ./cmd/tacit"; !strings.Contains(text, want) {
		t.Errorf("it is not built by %s", want)
	}
	path := program(t)
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 || f.Section(".interp") != nil {
		t.Errorf("libraries %q, %v", libraries, err)
	}
	if os.Geteuid() != 0 {
		t.Skip("it was not started in a root directory of its own: that takes root")
	}
	root := filepath.Dir(path)
	if err := os.Chmod(root, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/tacit", "boot", "-q", "--memory", "512M", "--json", "-")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	cmd.Dir, cmd.Env = "/", []string{}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var r struct{ Outcome string }
	if err != nil || json.Unmarshal(out, &r) != nil || r.Outcome != "poweroff" {
		t.Errorf("%v, %.200s, %s", err, out, &stderr)
	}
}

// The unit of systemd is one, by systemd's own checker where it is there, and its command line is one of tacit's.
func TestUnit(t *testing.T) {
	unit := "../docs/systemd/tacit-worker.service"
	var args []string
	for line := range strings.Lines(read(t, unit)) {
		if command, ok := strings.CutPrefix(line, "ExecStart=/usr/local/bin/tacit "); ok {
			args = strings.Fields(strings.NewReplacer("${TACIT_NATS}", "tls://nats.example:4222", "${CREDENTIALS_DIRECTORY}", "/run").Replace(command))
		}
	}
	flags(t, args)
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd has not read the unit: ", err)
	}
	out, _ := exec.Command("systemd-analyze", "verify", unit).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "tacit-worker.service") && !strings.Contains(line, "is not executable") && !strings.Contains(line, "Command 'man") {
			t.Error(line)
		}
	}
}
