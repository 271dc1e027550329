package pprof

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/tacit-vm/tacit/record"
)

// callers is a record of two stacks, of which one asked again after init.
func callers() *record.Record {
	r := record.NewLog(nil).Record()
	r.Platform, r.CostModel, r.Image.Kernel = "snp", "a-model", "6.12"
	early := record.Stack{"__tdcall+0x1e", "accept_memory+0x1ad", "swiotlb_init_remap+0xcb", "start_kernel+0x51b"}
	late := record.Stack{"__tdcall+0x1e", "accept_memory+0x1ad", "pte_alloc_one+0x1a", "asm_exc_page_fault+0x26", "process init"}
	r.Acceptance.Callers = []record.Caller{
		{Stack: early, Count: record.Count{Bytes: 64 << 20, Operations: 32}, VirtualNS: 5000},
		{Stack: late, Count: record.Count{Bytes: 4 << 20, Operations: 2}, VirtualNS: 300, AfterInit: true},
	}
	return r
}

func TestSamplesAndLabels(t *testing.T) {
	var w, again bytes.Buffer
	if err := errors.Join(Write(&w, callers()), Write(&again, callers())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.Bytes(), again.Bytes()) {
		t.Error("the same record gives other bytes")
	}
	p, err := profile.ParseData(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, v := range p.SampleType {
		types = append(types, v.Type+"/"+v.Unit)
	}
	if want := []string{"accepted/bytes", "operations/count", "virtual_time/nanoseconds"}; !slices.Equal(types, want) {
		t.Errorf("sample types %v, want %v", types, want)
	}
	for i, want := range []struct {
		values []int64
		phase  string
	}{{[]int64{64 << 20, 32, 5000}, "until init"}, {[]int64{4 << 20, 2, 300}, "after init"}} {
		s := p.Sample[i]
		if !slices.Equal(s.Value, want.values) || !slices.Equal(s.Label["phase"], []string{want.phase}) ||
			!slices.Equal(s.Label["platform"], []string{"snp"}) || !slices.Equal(s.Label["processor"], []string{"0"}) {
			t.Errorf("sample %d has values %v and labels %v", i, s.Value, s.Label)
		}
	}
}

// The go command's own reader opens it: as a table, by each type and by labels, and as a page.
func TestGoToolPprof(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.pb.gz")
	var w bytes.Buffer
	if err := errors.Join(Write(&w, callers()), os.WriteFile(file, w.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ flags, says string }{
		{"-top", "68MB"}, {"-top -sample_index=operations", "34"}, {"-top -sample_index=virtual_time", "5300ns"},
		{"-top -tagfocus=phase=after.init", "process init"}, {"-traces", "swiotlb_init_remap"}, {"-tags", "snp"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", append(append([]string{"tool", "pprof"}, strings.Fields(c.flags)...), file)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Errorf("go tool pprof %s: %v; %q is missing in\n%s", c.flags, err, c.says, out)
		}
	}

	// The program itself, so that it is what hears of the end.
	tool, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "pprof").Output()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	server := exec.CommandContext(ctx, strings.TrimSpace(string(tool)), "-no_browser", "-http="+address, file)
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, says string }{{"/ui/flamegraph", "swiotlb_init_remap"}, {"/ui/top", "pte_alloc_one"}} {
		if page := fetch(t, "http://"+address+c.path); !strings.Contains(page, c.says) {
			t.Errorf("%s has no %q:\n%.2000s", c.path, c.says, page)
		}
	}
	stop()
	if err := server.Wait(); errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("the server did not end: %v\n%s", err, said.String())
	}
}

// freeAddress is one of the loopback interface at which no program listens.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// fetch gets a page from a server that may not listen yet.
func fetch(t *testing.T, url string) string {
	t.Helper()
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			continue
		}
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", url, response.Status, err)
		}
		return string(page)
	}
}

// A guest for which firmware has accepted everything, one that needs nothing accepted, and one that was stopped before,
// have an empty profile. Where it is not known who asked for all of it, there is none.
func TestNothingAccepted(t *testing.T) {
	r := record.NewLog(nil).Record()
	r.Acceptance.By.Firmware.Bytes = 4 << 30
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	if p, err := profile.ParseData(b.Bytes()); err != nil || len(p.Sample) != 0 || len(p.SampleType) != 3 {
		t.Errorf("the profile of a guest that accepted nothing is %v, %v", p, err)
	}
	r.Acceptance.By.Kernel.Bytes = 4 << 20
	for _, c := range [][]record.Caller{nil, {{Stack: []string{"f"}, Count: record.Count{Bytes: 2 << 20, Operations: 1}}}} {
		if r.Acceptance.Callers = c; !errors.Is(Write(io.Discard, r), ErrNoCallers) {
			t.Errorf("of %d bytes %v asked, and there is a profile", r.Acceptance.By.Kernel.Bytes, c)
		}
	}
}
