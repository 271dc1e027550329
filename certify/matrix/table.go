package matrix

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// head are the columns of a table: the key's, and after them what is shown.
var head = []string{
	"image", "platform", "firmware_policy", "memory_bytes", "processors", "command_line", "attack",
	"init", "accepts", "loses", "negotiates", "attacked", "outcome", "amounts",
}

func (k *Key) cells() []string {
	return []string{k.Image, k.Platform, k.Policy, strconv.FormatUint(k.Memory, 10), strconv.Itoa(k.Processors), k.CommandLine, k.Attack}
}

func (s *Shown) fields() []*string {
	return []*string{&s.Init, &s.Accepts, &s.Loses, &s.Negotiates, &s.Attacked, &s.Outcome, &s.Amounts}
}

// Write writes a table, for Expect and for people: one row a cell. One that could not be judged has no place in it.
func Write(w io.Writer, cells []*Cell) error {
	t := csv.NewWriter(w)
	_ = t.Write(head) // an error comes again with Flush
	for _, c := range cells {
		if c.Shown == nil {
			return fmt.Errorf("%s could not be judged: %s", c.Name(), c.Error)
		}
		row := c.cells()
		for _, f := range c.Shown.fields() {
			row = append(row, *f)
		}
		_ = t.Write(row) // likewise
	}
	t.Flush()
	return t.Error()
}

// maxTable bounds a table that is read, in bytes.
const maxTable = 64 << 20

// Expect reads a table that Write has written.
func Expect(r io.Reader) (map[Key]Shown, error) {
	limited := &io.LimitedReader{R: r, N: maxTable}
	t := csv.NewReader(limited)
	t.FieldsPerRecord = len(head)
	expected := map[Key]Shown{}
	for first := true; ; first = false {
		row, err := t.Read()
		switch {
		case limited.N == 0:
			return nil, fmt.Errorf("larger than %s: this is no such table", record.FormatBytes(maxTable))
		case errors.Is(err, io.EOF) && first:
			return nil, errors.New("the table is empty")
		case errors.Is(err, io.EOF):
			return expected, nil
		case err != nil:
			return nil, err
		}
		line, _ := t.FieldPos(0)
		if first {
			if !slices.Equal(row, head) {
				return nil, fmt.Errorf("line %d: it does not have the columns of such a table", line)
			}
			continue
		}
		memory, err := strconv.ParseUint(row[3], 10, 64)
		cpus, err2 := strconv.Atoi(row[4])
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("line %d: memory %.20q and processors %.20q are not two numbers", line, row[3], row[4])
		}
		k := Key{row[0], row[1], row[2], memory, cpus, row[5], row[6]}
		if _, twice := expected[k]; twice {
			return nil, fmt.Errorf("line %d: it is there twice", line)
		}
		var s Shown
		for i, f := range s.fields() {
			*f = row[7+i]
		}
		expected[k] = s
	}
}

// A Change is a combination that shows something else than was expected. One side is nil where there is none.
type Change struct {
	Key
	Before *Shown `json:"before"`
	After  *Shown `json:"after"`
}

// Compare holds cells against a table. Those that could not be judged are no changes.
func Compare(expected map[Key]Shown, cells []*Cell) (changes []Change) {
	gone := maps.Clone(expected)
	for _, c := range cells {
		before, known := expected[c.Key]
		delete(gone, c.Key)
		switch {
		case c.Shown == nil:
		case !known:
			changes = append(changes, Change{c.Key, nil, c.Shown})
		case before != *c.Shown:
			changes = append(changes, Change{c.Key, &before, c.Shown})
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(gone), func(a, b Key) int { return slices.Compare(a.cells(), b.cells()) }) {
		before := gone[k]
		changes = append(changes, Change{k, &before, nil})
	}
	return changes
}

// Name is a combination in a line.
func (k *Key) Name() string {
	text := fmt.Sprintf("%s  %s  %s  %s", k.Image, k.Platform, k.Policy, record.FormatBytes(k.Memory))
	if k.Processors != 1 {
		text += fmt.Sprintf("  %d processors", k.Processors)
	}
	if k.CommandLine != "" {
		text += "  " + k.CommandLine
	}
	if k.Attack != Honest {
		text += "  under " + k.Attack
	}
	return record.Printable(text)
}

// Report is what a matrix showed, and what of it is not as was expected.
type Report struct {
	Schema  string   `json:"schema"`
	Tool    string   `json:"tool"`
	Cells   []*Cell  `json:"cells"`
	Changes []Change `json:"changes"`
}

// Schema names the version of the JSON form.
const Schema = "tacit.matrix/1"

// Unjudged is how many cells could not be judged.
func (r *Report) Unjudged() (n int) {
	for _, c := range r.Cells {
		if c.Shown == nil {
			n++
		}
	}
	return n
}

// Summary counts in one line.
func (r *Report) Summary() string {
	var changed, added, gone int
	for _, c := range r.Changes {
		switch {
		case c.Before == nil:
			added++
		case c.After == nil:
			gone++
		default:
			changed++
		}
	}
	unjudged := r.Unjudged()
	return fmt.Sprintf("%d boots: %d as expected, %d changed, %d new, %d gone, %d could not be judged",
		len(r.Cells), len(r.Cells)-changed-added-unjudged, changed, added, gone, unjudged)
}

// WriteText writes what changed, and counts.
func (r *Report) WriteText(w io.Writer) error {
	var b bytes.Buffer
	for _, c := range r.Changes {
		switch {
		case c.Before == nil:
			fmt.Fprintf(&b, "new      %s\n    %s\n", c.Name(), c.After)
		case c.After == nil:
			fmt.Fprintf(&b, "gone     %s\n", c.Name())
		default:
			fmt.Fprintf(&b, "changed  %s\n", c.Name())
			before := c.Before.fields()
			for i, after := range c.After.fields() {
				if *before[i] != *after {
					fmt.Fprintf(&b, "    %s: %s → %s\n", head[7+i], shown(*before[i]), shown(*after))
				}
			}
		}
	}
	for _, c := range r.Cells {
		if c.Shown == nil {
			fmt.Fprintf(&b, "unknown  %s\n    %s\n", c.Name(), record.Printable(c.Error))
		}
	}
	fmt.Fprintln(&b, r.Summary())
	_, err := w.Write(b.Bytes())
	return err
}

func shown(text string) string {
	if text == "" {
		return "–"
	}
	return record.Printable(text)
}

// String is all that is shown, in a line.
func (s *Shown) String() string {
	text := ""
	for i, f := range s.fields() {
		if *f != "" {
			text += fmt.Sprintf("%s %s, ", head[7+i], shown(*f))
		}
	}
	return text[:max(0, len(text)-2)]
}

// WriteJSON writes the report with every record.
func (r *Report) WriteJSON(w io.Writer) error {
	return schema.Write(w, r)
}
