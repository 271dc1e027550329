package perfetto_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/perfetto"
	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/vm"
)

// The tests here read traces with a parser of protocol buffers that is not ours, by the format's definitions.

// A trace is what was read: tracks by their names, which no two have in common.
type trace struct {
	tracks map[string]*track
	labels string
}

type track struct {
	parent   string
	unit     string
	slices   []slice // in the order of time; instants do not last
	counters []point
}

type slice struct {
	name     string
	from, to int64
	numbers  map[string]uint64
	words    map[string]string
	stack    []string
}

type point struct{ ns, value int64 }

// read reads a trace, and fails where the definitions do not know a field, or where an event is not as the format says.
func read(t *testing.T, b []byte) trace {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{"testdata"}}}
	files, err := compiler.Compile(context.Background(), "trace.proto")
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(files[0].Messages().ByName("Trace"))
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	noUnknownFields(t, m)

	all := trace{tracks: map[string]*track{}}
	byNumber, names := map[uint64]*track{}, map[uint64]string{}
	texts := map[uint64]string{}
	open := map[uint64][]int{}
	var last int64
	for i, p := range listOf(m, "packet") {
		if p.get("trusted_packet_sequence_id").Uint() != 1 {
			t.Fatalf("packet %d is of no sequence", i)
		}
		if flags := p.get("sequence_flags").Uint(); i == 0 && flags != 1 || i > 0 && p.has("track_event") && flags != 2 {
			t.Fatalf("packet %d has flags %d", i, flags)
		}
		for _, s := range listOf(p.get("interned_data").Message(), "debug_annotation_string_values") {
			texts[s.get("iid").Uint()] = string(s.get("str").Bytes())
		}
		if p.has("track_descriptor") {
			d := object{p.get("track_descriptor").Message()}
			number, name := d.get("uuid").Uint(), d.get("name").String()
			for _, field := range []string{"process", "thread"} {
				if d.has(protoreflect.Name(field)) {
					o := object{d.get(protoreflect.Name(field)).Message()}
					name = o.get(protoreflect.Name(field + "_name")).String()
					if field == "process" {
						for _, l := range strs(o, "process_labels") {
							all.labels += l + "; "
						}
					}
				}
			}
			if byNumber[number] != nil || all.tracks[name] != nil {
				t.Fatalf("there are two tracks %d, or of name %q", number, name)
			}
			tr := &track{parent: names[d.get("parent_uuid").Uint()]}
			if d.has("counter") {
				c := object{d.get("counter").Message()}
				tr.unit = string(c.Descriptor().Fields().ByName("unit").Enum().Values().ByNumber(c.get("unit").Enum()).Name())
			}
			byNumber[number], names[number], all.tracks[name] = tr, name, tr
		}
		if !p.has("track_event") {
			continue
		}
		ns := int64(p.get("timestamp").Uint())
		if ns < last {
			t.Fatalf("packet %d is of %d, the one before of %d", i, ns, last)
		}
		last = ns
		e := object{p.get("track_event").Message()}
		number := e.get("track_uuid").Uint()
		tr := byNumber[number]
		if tr == nil {
			t.Fatalf("packet %d is of track %d, which is not described before it", i, number)
		}
		switch kind := e.get("type").Enum(); kind {
		case 1, 3:
			s := slice{e.get("name").String(), ns, ns, map[string]uint64{}, map[string]string{}, nil}
			for _, a := range listOf(e, "debug_annotations") {
				name := a.get("name").String()
				switch {
				case a.has("uint_value"):
					s.numbers[name] = a.get("uint_value").Uint()
				case a.has("pointer_value"):
					s.numbers[name] = a.get("pointer_value").Uint()
				case a.has("string_value"):
					s.words[name] = a.get("string_value").String()
				}
				for _, f := range listOf(a, "array_values") {
					text, known := texts[f.get("string_value_iid").Uint()]
					if !known {
						t.Fatalf("packet %d refers to a string that does not come before it", i)
					}
					s.stack = append(s.stack, text)
				}
			}
			tr.slices = append(tr.slices, s)
			if kind == 1 {
				if len(open[number]) > 0 {
					t.Fatalf("packet %d begins what lies within %+v", i, tr.slices[open[number][0]])
				}
				open[number] = append(open[number], len(tr.slices)-1)
			}
		case 2:
			if len(open[number]) != 1 {
				t.Fatalf("packet %d ends what has not begun", i)
			}
			tr.slices[open[number][0]].to = ns
			open[number] = nil
		case 4:
			tr.counters = append(tr.counters, point{ns, e.get("counter_value").Int()})
		default:
			t.Fatalf("packet %d is of type %d", i, kind)
		}
	}
	for number, o := range open {
		if len(o) > 0 {
			t.Errorf("track %s does not end %+v", names[number], byNumber[number].slices[o[0]])
		}
	}
	return all
}

// An object is a message whose fields are asked for by their names.
type object struct{ protoreflect.Message }

func (o object) field(name protoreflect.Name) protoreflect.FieldDescriptor {
	return o.Descriptor().Fields().ByName(name)
}
func (o object) get(name protoreflect.Name) protoreflect.Value { return o.Get(o.field(name)) }
func (o object) has(name protoreflect.Name) bool               { return o.Has(o.field(name)) }

func listOf(m protoreflect.Message, name protoreflect.Name) (all []object) {
	list := object{m}.get(name).List()
	for i := range list.Len() {
		all = append(all, object{list.Get(i).Message()})
	}
	return all
}

func strs(o object, name protoreflect.Name) (all []string) {
	list := o.get(name).List()
	for i := range list.Len() {
		all = append(all, list.Get(i).String())
	}
	return all
}

func noUnknownFields(t *testing.T, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Fatalf("%s has fields that it should not have: % x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				noUnknownFields(t, v.List().Get(i).Message())
			}
		default:
			noUnknownFields(t, v.Message())
		}
		return true
	})
}

// written writes a trace and reads it.
func written(t *testing.T, r *record.Record, tl *timeline.Timeline) trace {
	t.Helper()
	var b, again bytes.Buffer
	if err := errors.Join(perfetto.Write(&b, r, tl), perfetto.Write(&again, r, tl)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("written twice, the trace is not the same")
	}
	return read(t, b.Bytes())
}

func (tr *track) last() int64 { return tr.counters[len(tr.counters)-1].value }

// What the trace says is what the record says, to the byte and to the nanosecond.
func TestAgreesWithTheRecord(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			var recorder timeline.Recorder
			line := "hold=64M"
			r, err := vm.Run(context.Background(), vm.Config{Platform: platform, Memory: 1 << 30, CommandLine: &line, Callers: true, Misalign: true, Timeline: &recorder})
			if err != nil || r.Outcome != record.PowerOff {
				t.Fatalf("%v: %+v", err, r)
			}
			tl := recorder.Timeline()
			all := written(t, r, tl)

			for _, c := range []struct {
				name string
				want uint64
			}{
				{"unaccepted", *r.Acceptance.UnacceptedAtEnd},
				{"touched", tl.Samples[len(tl.Samples)-1].Touched},
				{"shared", tl.Samples[len(tl.Samples)-1].Shared},
				{"given by the host", tl.Samples[len(tl.Samples)-1].Given},
			} {
				tr := all.tracks[c.name]
				if got := tr.last(); uint64(got) != c.want || tr.unit != "UNIT_SIZE_BYTES" || tr.counters[len(tr.counters)-1].ns != r.VirtualNS.Total {
					t.Errorf("%s: %+v, at the end it is %d", c.name, tr, c.want)
				}
			}
			sum := uint64(all.tracks["accepted"].last() + all.tracks["shared"].last() + all.tracks["unaccepted"].last())
			if platform != vm.None && sum != r.MemoryBytes {
				t.Errorf("accepted, shared and unaccepted memory are %d bytes of %d", sum, r.MemoryBytes)
			}

			for name, want := range map[string]record.AgentAcceptance{
				"accepted by firmware": r.Acceptance.By.Firmware, "accepted by " + r.Acceptance.By.Stub.Name: r.Acceptance.By.Stub,
				"accepted by the kernel": r.Acceptance.By.Kernel,
			} {
				var got record.Count
				var cost uint64
				for _, s := range all.tracks[name].all() {
					got.Bytes += s.numbers["bytes"]
					got.Operations += s.numbers["operations"]
					cost += s.numbers["cost_ns"]
					if s.words["by"] == "kernel" && (len(s.stack) < 3 || s.name != record.Stack(s.stack).Asked()) {
						t.Errorf("%+v has no callers", s)
					}
				}
				if got != want.Count || cost != uint64(want.VirtualNS) {
					t.Errorf("%s: %+v in %d ns, the record says %+v", name, got, cost, want)
				}
			}
			var added, addedInRecord uint64
			for _, s := range all.tracks["pages added by the host"].all() {
				added += s.numbers["bytes"]
			}
			for _, c := range r.Added {
				addedInRecord += c.Bytes
			}
			if added != addedInRecord {
				t.Errorf("%d bytes added, the record says %d", added, addedInRecord)
			}

			phases := all.tracks["phases"].slices
			if len(phases) != len(r.Phases) {
				t.Fatalf("phases %+v, the record says %+v", phases, r.Phases)
			}
			for i, p := range r.Phases {
				until := r.Phases[min(i+1, len(r.Phases)-1)].VirtualNS
				if s := phases[i]; s.name != p.Phase.String() || s.from != p.VirtualNS || s.to != until || s.numbers["unaccepted_bytes"] != p.Unaccepted {
					t.Errorf("phase %+v, the record says %+v", s, p)
				}
			}

			calls := map[string]uint64{}
			for on, prefix := range map[string]string{"tdcall": "TDCALL ", "tdvmcall": "TDVMCALL ", "host_exit": "exit ", "ve": "#VE ", "vc": "#VC ", "rmp": "RMP ", "ghcb": "GHCB "} {
				for name, statuses := range r.Calls[on] {
					for _, n := range statuses {
						calls[prefix+name] += n
					}
				}
			}
			for name, tr := range all.tracks {
				if tr.parent == "exits" {
					if tr.last() != int64(calls[name]) || tr.unit != "UNIT_COUNT" {
						t.Errorf("%s: %d, the record says %d", name, tr.last(), calls[name])
					}
					delete(calls, name)
				}
			}
			if len(calls) > 0 {
				t.Errorf("the trace lacks exits %v", calls)
			}
			console := all.tracks["console"].slices
			if !slices.ContainsFunc(console, func(s slice) bool { return strings.Contains(s.name, "1,024 MiB of memory") }) {
				t.Errorf("the console says %+v", console)
			}
			if want := "platform " + platform + "; 1 GiB"; !strings.HasPrefix(all.labels, want) {
				t.Errorf("labels %s, want %s…", all.labels, want)
			}
		})
	}
}

func (tr *track) all() []slice {
	if tr == nil {
		return nil
	}
	return tr.slices
}

// What a guest writes reaches a viewer as text, and a trace of nothing is one.
func TestHostileText(t *testing.T) {
	const nasty = "\x1b[2J\x00\xff</script>\u202e"
	tl := &timeline.Timeline{
		Lines: []timeline.Line{{NS: 5, Text: nasty}},
		Taken: []timeline.Taken{{NS: -3, Last: -7, Cost: -1, By: record.Kernel, Stack: &record.Stack{nasty}}},
	}
	all := written(t, &record.Record{Image: record.Image{Kernel: nasty}}, tl)
	safe := record.Printable(nasty)
	if s := all.tracks["console"].slices[0]; s.name != safe {
		t.Errorf("a line reads %q", s.name)
	}
	if s := all.tracks["accepted by the kernel"].slices[0]; s.stack[0] != safe || s.from != 0 || s.to != 0 {
		t.Errorf("an acceptance reads %+v", s)
	}
	if all.tracks[safe] == nil {
		t.Errorf("the tracks are %v", all.tracks)
	}
	written(t, &record.Record{}, &timeline.Timeline{})
}

type full struct{ left int }

func (w *full) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, fmt.Errorf("no space")
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	tl := &timeline.Timeline{Lines: []timeline.Line{{Text: "a"}}}
	if err := perfetto.Write(&full{50}, &record.Record{}, tl); err == nil || err.Error() != "writing the trace: no space" {
		t.Errorf("error %v", err)
	}
}
