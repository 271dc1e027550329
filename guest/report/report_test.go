package report

import (
	"reflect"
	"strings"
	"testing"
)

// example is what the init reported from Debian's 6.12 kernel, with shorter texts.
const example = `tacit 1
begin init
end init
meminfo MemTotal=990176 MemFree=956724 MemAvailable=885624 Unaccepted=516096
vmstat nr_free_pages=239181 nr_unaccepted=129024 nr_anon_pages=560 pgfault=98
clock monotonic=2103278137 realtime=1795346113240492974
uname 6.12.117+deb13-cloud-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1
cmdline console=ttyS0 tacit.touch=300M
cpuflags fpu sse2 tdx_guest
vmpl 2
touched 314572800
begin touched
end touched
meminfo MemTotal=990176 MemFree=649524
error power-off operation not permitted
done
`

func TestParse(t *testing.T) {
	level := 2
	want := Report{
		Version:  1,
		Release:  "6.12.117+deb13-cloud-amd64",
		Build:    "#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1",
		Cmdline:  "console=ttyS0 tacit.touch=300M",
		CPUFlags: []string{"fpu", "sse2", "tdx_guest"},
		VMPL:     &level,
		Touched:  300 << 20,
		Snapshots: []Snapshot{{
			Name: "init",
			Meminfo: map[string]uint64{"MemTotal": 990176 << 10, "MemFree": 956724 << 10, "MemAvailable": 885624 << 10,
				"Unaccepted": 504 << 20},
			VMStat:    map[string]uint64{"nr_free_pages": 239181, "nr_unaccepted": 129024, "nr_anon_pages": 560, "pgfault": 98},
			Monotonic: 2103278137,
			Realtime:  1795346113240492974,
		}, {
			Name:    "touched",
			Meminfo: map[string]uint64{"MemTotal": 990176 << 10, "MemFree": 649524 << 10},
			VMStat:  map[string]uint64{},
		}},
		Errors: []string{"power-off operation not permitted"},
		Done:   true,
	}
	if got := Parse([]byte(example)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := Parse([]byte(strings.ReplaceAll(example, "\n", "\r\n"))); !reflect.DeepEqual(got, want) {
		t.Errorf("with carriage returns: got %+v", got)
	}
	got := Parse([]byte(example))
	s, ok := got.Snapshot("init")
	if !ok || s.Meminfo["Unaccepted"] != 129024*4096 {
		t.Errorf("snapshot init: %+v, %v", s, ok)
	}
}

// The machine reads its own books in OnMark, so the call must come with the line's last byte, neither earlier nor
// later.
func TestMarksComeWithTheirLastByte(t *testing.T) {
	var marks []Mark
	p := Parser{OnMark: func(m Mark) { marks = append(marks, m) }}
	var after []int
	for i := range len(example) {
		before := len(marks)
		p.Write([]byte{example[i]})
		if len(marks) > before {
			after = append(after, i)
		}
	}
	wantMarks := []Mark{{"init", false}, {"init", true}, {"touched", false}, {"touched", true}}
	var wantAfter []int
	for _, line := range []string{"begin init\n", "end init\n", "begin touched\n", "end touched\n"} {
		wantAfter = append(wantAfter, strings.Index(example, line)+len(line)-1)
	}
	if !reflect.DeepEqual(marks, wantMarks) || !reflect.DeepEqual(after, wantAfter) {
		t.Errorf("got marks %v after bytes %v, want %v after %v", marks, after, wantMarks, wantAfter)
	}
}

func TestParseSkipsWhatIsNoReport(t *testing.T) {
	for _, test := range []struct {
		name, text string
		ignored    int
		check      func(Report) bool
	}{
		{"a console on the port", "[    0.0] Linux\nmeminfo MemTotal=1\n", 2, func(r Report) bool { return reflect.DeepEqual(r, Report{}) }},
		{"firmware's console on the port, in the middle of a line", "BdsDxe: loading\r\n\x1b[2J\x1b[01;01Htacit 1\nerror x\n", 1, func(r Report) bool {
			return r.Version == 1 && len(r.Errors) == 1
		}},
		{"a newer language", "tacit 7\nphase 3\nbegin a\nmeminfo MemTotal=1 MemNew=2\n", 1, func(r Report) bool {
			return r.Version == 7 && r.Snapshots[0].Meminfo["MemTotal"] == 1024 && len(r.Snapshots[0].Meminfo) == 1
		}},
		{"values before a snapshot", "tacit 1\nmeminfo MemTotal=1\n", 1, func(r Report) bool { return len(r.Snapshots) == 0 }},
		{"a number too large", "tacit 1\nbegin a\nmeminfo MemTotal=18446744073709551615\n", 1, func(r Report) bool {
			return len(r.Snapshots[0].Meminfo) == 0
		}},
		{"an end without begin", "tacit 1\nbegin a\nend b\n", 1, func(r Report) bool { return len(r.Snapshots) == 1 }},
		{"one snapshot twice", "tacit 1\nbegin a\nend a\nbegin a\n", 1, func(r Report) bool { return len(r.Snapshots) == 1 }},
		{"a second report", "tacit 1\ndone\ntacit 1\nerror no\n", 2, func(r Report) bool { return r.Done && r.Errors == nil }},
		{"no such VMPL", "tacit 1\nvmpl 4\n", 1, func(r Report) bool { return r.VMPL == nil }},
		{"a line without end", "tacit 1\nerror x", 0, func(r Report) bool { return r.Errors == nil }},
	} {
		var p Parser
		p.Write([]byte(test.text))
		if r := p.Report(); !test.check(r) || p.Ignored() != test.ignored {
			t.Errorf("%s: %d lines ignored, %+v", test.name, p.Ignored(), r)
		}
	}
}

func TestLine(t *testing.T) {
	var l Line
	got := string(l.Start(Meminfo).Field("MemTotal", 0).Field("MemFree", 1<<64-1).Bytes())
	if want := "meminfo MemTotal=0 MemFree=18446744073709551615\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = string(l.Start(Error).Text("a\nb\rc").Number(1034).Bytes())
	if want := "error a b c 1034\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := len(l.Start(Cmdline).Text(strings.Repeat("x", 2*MaxLine)).Bytes()); n != MaxLine+1 {
		t.Errorf("an overlong line has %d bytes, want %d and a newline", n, MaxLine)
	}
}

// Whatever a guest writes, in whatever pieces: no panic, bounded memory, and the pieces make no difference.
func FuzzParser(f *testing.F) {
	f.Add([]byte(example), uint8(7))
	f.Add([]byte("tacit 1\nbegin a\nmeminfo MemTotal=9007199254740993\nclock monotonic==\n"), uint8(1))
	f.Add([]byte("tacit 1\n"+strings.Repeat("begin x\nerror \n", 40)), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, piece uint8) {
		whole := Parse(text)
		var p Parser
		for rest := text; len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			p.Write(rest[:n])
			rest = rest[n:]
		}
		if got := p.Report(); !reflect.DeepEqual(got, whole) {
			t.Errorf("in pieces of %d: %+v\nat once: %+v", piece+1, got, whole)
		}
		if len(whole.Snapshots) > maxSnapshots || len(whole.Errors) > maxErrors || len(whole.Cmdline) > MaxLine {
			t.Errorf("more than the bounds: %+v", whole)
		}
		for _, s := range whole.Snapshots {
			if len(s.Meminfo) > len(MeminfoFields) || len(s.VMStat) > len(VMStatFields) {
				t.Errorf("more fields than there are: %+v", s)
			}
		}
	})
}
