package catalogue

import (
	"context"
	"io"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A late shelf tells of a result before it has it, as servers do of which one answers that has not caught up with the others.
type late struct {
	*shelf
	heard  func(string)
	asked  int
	behind int // so many looks it does not have what it has told of
}

func (l *late) KeepImage(context.Context, string, *io.SectionReader) error { return nil }

func (l *late) Kept(_ context.Context, heard func(string)) error { l.heard = heard; return nil }

func (l *late) Ask(ctx context.Context, tool string, j Job) error {
	if l.asked++; l.asked > 1 {
		return nil // a worker finds that it is known already, and nobody is told again
	}
	key := j.Key(tool)
	l.heard(key)
	return l.Keep(ctx, &Result{Schema: ResultSchema, Key: key, Tool: tool, Job: j, Final: true,
		Record: &record.Record{Schema: record.Schema, Outcome: record.PowerOff, Image: record.Image{SHA256: j.SHA256}}})
}

func (l *late) Result(ctx context.Context, key string) (*Result, error) {
	if l.asked > 0 && l.behind > 0 {
		l.behind--
		return nil, ErrUnknown
	}
	return l.shelf.Result(ctx, key)
}

// A result that was told of and is not there yet is looked for, and not asked for again: nothing would be heard of it twice.
func TestSpreadLooksForWhatItHeardOf(t *testing.T) {
	img, err := image.Parse(guest.DemoName, guest.Demo())
	if err != nil {
		t.Fatal(err)
	}
	l := &late{shelf: &shelf{has: map[string]*Result{}}, behind: 5}
	s, err := NewSpread(t.Context(), l, "v1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(t.Context(), &certify.Subject{Image: img}, vm.Config{Platform: vm.TDX, FirmwarePolicy: "lazy", Memory: 512 << 20, MaxInstructions: 1})
	if err != nil || r.Outcome != record.PowerOff || l.asked != 1 || l.behind != 0 {
		t.Errorf("%+v, %v: asked %d times", r, err, l.asked)
	}
}
