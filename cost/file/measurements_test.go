package file_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/cost/measure"
)

// What is written is read as the same.
func TestMeasurementsWriteAndRead(t *testing.T) {
	for _, s := range []measure.Set{
		{Platform: "tdx", HostPage: "4K", Kernel: "6.12", Processor: `a "quoted" one`, Measured: map[string]measure.Sample{
			measure.Syscall: {Low: 1, Median: 1.5, High: 2, Count: 9}, measure.Accept: {Low: 800_000, Median: 812_345.6, High: 900_000, Count: 48},
		}},
		{Platform: "none", Measured: map[string]measure.Sample{}},
	} {
		noted := s
		noted.Notes = []string{"accept-block: not \x1b here"}
		var b bytes.Buffer
		if err := file.WriteMeasurements(&b, noted); err != nil {
			t.Fatal(err)
		}
		if len(s.Measured) == 0 {
			b = *bytes.NewBufferString(strings.Replace(b.String(), "measured:\n", "measured: {}\n", 1))
		}
		back, err := file.ReadMeasurements(&b)
		if err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%+v, %v; want %+v", back, err, s)
		}
	}
}

func TestWrongMeasurements(t *testing.T) {
	const head = "schema: tacit.measurements/1\nplatform: tdx\n"
	for _, c := range []struct{ file, want string }{
		{"platform: tdx\n", "line 1: schema is missing"},
		{"schema: tacit.measurements/2\n", "line 1: schema \"tacit.measurements/2\": want tacit.measurements/1"},
		{"schema: tacit.measurements/1\nplatform: arm\n", "line 2: no platform \"arm\""},
		{head, "line 1: measured is missing"},
		{head + "measured:\n", "measured is a mapping"},
		{head + "host_page: 1G\nmeasured: {}\n", "line 3: host_page \"1G\": want 2M or 4K"},
		{head + "kernel: \"\\e[31m\"\nmeasured: {}\n", "line 3: kernel cannot be printed"},
		{head + "measured:\n  hypercall: {}\n", "line 4: measured has no \"hypercall\""},
		{head + "measured:\n  syscall: {ns: 1, low: 1, high: 1}\n", "line 4: syscall: count is missing"},
		{head + "measured:\n  syscall: {ns: -1, low: 1, high: 1, count: 1}\n", "line 4: syscall: ns is \"-1\""},
		{head + "measured:\n  syscall: {ns: NaN, low: 1, high: 1, count: 1}\n", "line 4: syscall: ns is \"NaN\""},
		{head + "measured:\n  syscall: {ns: 1, low: 1, high: 1, count: x}\n", "line 4: syscall: count is \"x\""},
		{head + "costs: {}\n", "line 3: a file of measurements has no \"costs\""},
	} {
		_, err := file.ReadMeasurements(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\nsays %v, want %s", c.file, err, c.want)
		}
	}
}

// Whatever the bytes, there is no panic.
func FuzzMeasurements(f *testing.F) {
	f.Add([]byte("schema: tacit.measurements/1\nplatform: tdx\nmeasured:\n  syscall: {ns: 1, low: 1, high: 1, count: 9}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = file.ReadMeasurements(bytes.NewReader(b)) // an error is fine
	})
}
