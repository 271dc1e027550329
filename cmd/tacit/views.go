package main

import (
	"context"
	"errors"
	"io"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/page"
	"github.com/tacit-vm/tacit/record/perfetto"
	"github.com/tacit-vm/tacit/record/pprof"
	"github.com/tacit-vm/tacit/record/timeline"
)

// views are the files that are written about a run, each nil where it is not asked for.
type views struct {
	json, profile, trace, report, save, screenshot *output

	events *record.Lines // goes to its file while the guest runs
}

// views creates the files, and tells the machine what it has to keep for them.
func (f *runFlags) views(ctx context.Context, out *outputs, s *settings) (v views, err error) {
	var events *output
	for _, file := range []struct {
		at   **output
		path string
	}{{&v.json, f.json}, {&events, f.events}, {&v.profile, f.profile}, {&v.trace, f.trace}, {&v.report, f.report}, {&v.save, f.save}, {&v.screenshot, f.screenshot}} {
		if *file.at, err = out.create(ctx, file.path); err != nil {
			return v, err
		}
	}
	if events != nil {
		v.events = record.NewLines(events)
		s.events = v.events
	}
	if v.trace != nil || v.report != nil {
		s.timeline = new(timeline.Recorder)
	}
	if v.save != nil {
		s.save = v.save.fill
	}
	if v.screenshot != nil {
		s.screenshot = v.screenshot.fill
	}
	return v, nil
}

// closeEvents ends the file of events.
func (v *views) closeEvents() error {
	if v.events == nil {
		return nil
	}
	return v.events.Close()
}

// fill writes the rest.
func (v *views) fill(r *record.Record, t *timeline.Recorder) error {
	return errors.Join(
		v.json.fill(r.WriteJSON),
		v.profile.fill(func(w io.Writer) error { return pprof.Write(w, r) }),
		v.trace.fill(func(w io.Writer) error { return perfetto.Write(w, r, t.Timeline()) }),
		v.report.fill(func(w io.Writer) error { return page.Write(w, r, t.Timeline()) }),
	)
}
