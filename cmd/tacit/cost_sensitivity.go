package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// sensitivitySchema names the form of what tacit cost sensitivity --json prints; docs/cost.md describes it.
const sensitivitySchema = "tacit.sensitivity/1"

type sensitivityFlags struct {
	until choice
	cost  string
	json  bool
}

func costSensitivityCommand() *cobra.Command {
	f := sensitivityFlags{until: choice{"init", []string{"init", "end"}}}
	cmd := &cobra.Command{
		Use:   "sensitivity RECORD [RECORD]",
		Short: "Say how a time, or the ratio of two, moves with each estimate",
		Long: "sensitivity takes the record of a run (tacit boot --json) and says how the virtual time until init moves when each\n" +
			"estimate of the cost model is halved and doubled, the one that moves it most first. Of two records it says so of the\n" +
			"first time divided by the second.\n\n" +
			"It runs nothing: it prices what the records have counted. A guest that takes longer also has its timer tick more\n" +
			"often; that is left out, and so is any change in the time that it waits.",
		Example: "  tacit boot --append accept_memory=eager --json eager.json IMAGE\n" +
			"  tacit boot --json lazy.json IMAGE\n" +
			"  tacit cost sensitivity eager.json lazy.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return fmt.Errorf("tacit cost sensitivity takes one RECORD, or two to divide, and here are %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.OutOrStdout(), args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&f.until, "until", "which time: until init, or until the end")
	flags.StringVar(&f.cost, "cost", "", "the `MODEL` that the records name, where that is a file")
	flags.BoolVar(&f.json, "json", false, "print the answer as JSON")
	completeWith(cmd, "cost", completeModel)
	return cmd
}

// A counted is what is needed of a record.
type counted struct {
	path, model, platform string
	tally                 cost.Tally
	ns                    int64 // that it took
}

func (f *sensitivityFlags) run(stdout io.Writer, paths []string) error {
	var all []counted
	for _, path := range paths {
		c, err := f.read(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if len(all) > 0 && c.model != all[0].model {
			return fmt.Errorf("%s was made with %s, and %s with %s: figures of two models are not comparable", all[0].path, all[0].model, c.path, c.model)
		}
		all = append(all, c)
	}
	m, err := f.modelFor(all[0].model)
	if err != nil {
		return err
	}
	for _, c := range all {
		if ns := c.tally.Time(m); ns != c.ns {
			return fmt.Errorf("%s: what it counted takes %s by %s, and it says %s", c.path, record.FormatNS(ns), m.Name(), record.FormatNS(c.ns))
		}
	}
	s := cost.SensitivityOfTime(m, all[0].tally)
	if len(all) == 2 {
		if s, err = cost.SensitivityOfRatio(m, all[0].tally, all[1].tally); err != nil {
			return err
		}
	}
	if f.json {
		return f.writeJSON(stdout, m, s, len(all) == 2)
	}
	return onPaper(stdout, func(w io.Writer) error { return f.write(w, all, m, s) })
}

// maxRecord bounds a record, in bytes: callers and steps of a long run take a few MiB.
const maxRecord = 256 << 20

func openRecord(path string) (*record.Record, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	if size > maxRecord {
		return nil, fmt.Errorf("larger than %s: this is no record", record.FormatBytes(maxRecord))
	}
	var r record.Record
	if err := json.NewDecoder(io.LimitReader(file, maxRecord)).Decode(&r); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			err = fmt.Errorf("it has a %s for %s", wrong.Value, wrong.Field)
		}
		return nil, fmt.Errorf("this is no record: %w", err)
	}
	if r.Schema != record.Schema {
		return nil, fmt.Errorf("its schema is %q and not %s: this is no record", r.Schema, record.Schema)
	}
	return &r, nil
}

func (f *sensitivityFlags) read(path string) (c counted, err error) {
	r, err := openRecord(path)
	if err != nil {
		return c, err
	}
	c = counted{path: record.Printable(filepath.Base(path)), model: r.CostModel, platform: r.Platform, ns: r.VirtualNS.Total}
	spent := &r.Costs.Total
	if len(spent.Events) > 0 && f.until.word == "init" {
		if r.VirtualNS.Init == nil || r.Costs.Init == nil {
			return c, errors.New("the guest did not reach its init: ask for --until end")
		}
		spent, c.ns = r.Costs.Init, *r.VirtualNS.Init
	}
	c.tally, err = spent.Tally()
	return c, err
}

// modelFor finds the model of a record.
func (f *sensitivityFlags) modelFor(name string) (cost.Model, error) {
	if f.cost == "" {
		m, err := cost.Named(name)
		if err != nil {
			return m, fmt.Errorf("the cost model is %q: give its file with --cost", name)
		}
		return m, nil
	}
	m, err := modelOf(f.cost)
	if err == nil && m.Name() != name {
		err = fmt.Errorf("%s is %s, and the cost model of the record is %q", f.cost, m.Name(), name)
	}
	return m, err
}

// figure writes a time or a ratio.
func figure(v float64, ratio bool) string {
	if ratio {
		return fmt.Sprintf("%.3f", v)
	}
	return record.FormatNS(int64(min(v, math.MaxInt64/2)))
}

func (f *sensitivityFlags) write(w io.Writer, all []counted, m cost.Model, s cost.Sensitivity) error {
	out := &errWriter{w: w}
	ratio := len(all) == 2
	what := "virtual time until " + f.until.word
	if ratio {
		out.printf("%s, %s : %s: %s\n", what, all[0].path, all[1].path, figure(s.Figure, true))
	} else {
		out.printf("%s, %s: %s\n", what, all[0].path, figure(s.Figure, false))
	}
	out.printf("%s to %s where each estimate of %s is between half and double, whichever way\n", figure(s.Low, ratio), figure(s.High, ratio), m.Name())
	if len(s.Swings) == 0 {
		out.printf("no estimate moves it\n")
		return out.err
	}
	out.printf("\n%-14s%12s%14s%14s  %s\n", "estimate", "virtual ns", "halved", "doubled", "")
	low, high := s.Figure, s.Figure
	for _, swing := range s.Swings {
		low, high = min(low, swing.Halved, swing.Doubled), max(high, swing.Halved, swing.Doubled)
	}
	for _, swing := range s.Swings {
		out.printf("%-14v%12d%14s%14s  %s\n", swing.Event, swing.NS, figure(swing.Halved, ratio), figure(swing.Doubled, ratio),
			tornado(low, high, s.Figure, swing))
	}
	out.printf("\nThe guest's timer ticks, and the time that it waits, are taken as they were.\n")
	return out.err
}

// tornado draws how far a swing reaches, with a mark where the figure is.
func tornado(low, high, at float64, s cost.Swing) string {
	const width = 32
	column := func(v float64) int {
		if high <= low {
			return 0
		}
		return int(math.Round((v - low) / (high - low) * (width - 1)))
	}
	from, to := column(min(s.Halved, s.Doubled)), column(max(s.Halved, s.Doubled))
	var b strings.Builder
	for i := range to + 1 {
		switch {
		case i == column(at):
			b.WriteRune('│')
		case i >= from:
			b.WriteRune('█')
		default:
			b.WriteRune(' ')
		}
	}
	return b.String()
}

// sensitivityJSON is the JSON of tacit cost sensitivity.
type sensitivityJSON struct {
	Schema    string      `json:"schema"`
	CostModel string      `json:"cost_model"`
	Until     string      `json:"until"`
	Unit      string      `json:"unit"` // "ns" or "ratio"
	Figure    float64     `json:"figure"`
	Low       float64     `json:"low"`
	High      float64     `json:"high"`
	Estimates []swingJSON `json:"estimates"`
}

type swingJSON struct {
	rowJSON
	Halved  float64 `json:"halved"`
	Doubled float64 `json:"doubled"`
}

func (f *sensitivityFlags) writeJSON(w io.Writer, m cost.Model, s cost.Sensitivity, ratio bool) error {
	out := sensitivityJSON{sensitivitySchema, m.Name(), f.until.word, "ns", s.Figure, s.Low, s.High, []swingJSON{}}
	if ratio {
		out.Unit = "ratio"
	}
	for _, swing := range s.Swings {
		out.Estimates = append(out.Estimates, swingJSON{rowJSON{swing.Event.String(), swing.NS, swing.Source}, swing.Halved, swing.Doubled})
	}
	return schema.Write(w, out)
}
