// Package file reads and writes cost models as files of YAML. docs/cost.md describes them:
//
//	name: granite-rapids
//	base: tdx-estimate-1
//	costs:
//	  exit: {ns: 2100, source: "measured: …"}
//	holds:
//	  halt: {lock: td, ns: 1200, source: "measured: …"}
//
// A file is believed in nothing: it is bounded, aliases are refused, and what is wrong with it is said with the line.
package file

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tacit-vm/tacit/cost"
)

// maxFile bounds a file, in bytes. A model has some twenty rows.
const maxFile = 64 << 10

// Read reads a model.
func Read(r io.Reader) (cost.Model, error) {
	root, err := document(r)
	if err != nil {
		return cost.Model{}, err
	}
	keys, err := mapping(root, "a model", "name", "platform", "base", "costs", "holds")
	if err != nil {
		return cost.Model{}, err
	}
	name, err := text(keys["name"], root, "name")
	if err != nil {
		return cost.Model{}, err
	}
	if err := cost.CheckName(name); err != nil {
		return cost.Model{}, at(keys["name"], "%v", err)
	}
	platform, rows, err := origin(root, keys)
	if err != nil {
		return cost.Model{}, err
	}
	lines, err := readRows(keys["costs"], root, rows)
	if err != nil {
		return cost.Model{}, err
	}
	holds, of, err := readHolds(keys["holds"])
	if err != nil {
		return cost.Model{}, err
	}
	m, err := cost.New(name, platform, rows.list(), holds)
	if wrong := (*cost.RowError)(nil); errors.As(err, &wrong) {
		return m, at(lines[wrong.Event], "%v", wrong) // of the mapping where there is no row
	}
	if wrong := (*cost.HoldError)(nil); errors.As(err, &wrong) {
		return m, at(of[wrong.Hold], "%v", wrong)
	}
	return m, err
}

// rows are those of a model that is being read.
type rows map[cost.Event]cost.Row

func (r rows) list() (all []cost.Row) {
	for _, e := range cost.Events() {
		if row, ok := r[e]; ok {
			all = append(all, row)
		}
	}
	return all
}

// origin finds the platform, and the rows of the model that this one is based on.
func origin(root *yaml.Node, keys map[string]*yaml.Node) (platform string, r rows, err error) {
	r = rows{}
	if keys["platform"] != nil {
		if platform, err = text(keys["platform"], root, "platform"); err != nil {
			return "", nil, err
		}
		if _, err := cost.Of(platform); err != nil {
			return "", nil, at(keys["platform"], "%v", err)
		}
	}
	if keys["base"] == nil {
		if platform == "" {
			return "", nil, at(root, "a model needs a platform, or a base that has one")
		}
		own, err := cost.Of(platform)
		r[cost.Instruction] = own.Row(cost.Instruction)
		return platform, r, err
	}
	name, err := text(keys["base"], root, "base")
	if err != nil {
		return "", nil, err
	}
	base, err := cost.Named(name)
	if err != nil {
		return "", nil, at(keys["base"], "base: %v", err)
	}
	if platform != "" && platform != base.Platform() {
		return "", nil, at(keys["base"], "%s is a model for platform %s, and this one is for %s", name, base.Platform(), platform)
	}
	for _, row := range base.Table() {
		r[row.Event] = row
	}
	return base.Platform(), r, nil
}

// readRows reads the rows of a file over those of its base, and says where each stands.
func readRows(n, root *yaml.Node, r rows) (lines map[cost.Event]*yaml.Node, err error) {
	var names []string
	lines = map[cost.Event]*yaml.Node{}
	for _, e := range cost.Events() {
		names, lines[e] = append(names, e.String()), root
	}
	if n == nil {
		return lines, nil
	}
	all, err := mapping(n, "costs", names...)
	if err != nil {
		return nil, err
	}
	for _, e := range cost.Events() {
		value := all[e.String()]
		if value == nil {
			continue
		}
		lines[e] = value
		row := cost.Row{Event: e}
		if _, row.NS, row.Source, err = number(value, e.String()); err != nil {
			return nil, err
		}
		r[e] = row
	}
	return lines, nil
}

// number reads a number of nanoseconds with its source, and what else is there under keys that are known.
func number(value *yaml.Node, what string, known ...string) (keys map[string]*yaml.Node, ns int64, source string, err error) {
	if keys, err = mapping(value, what, append(known, "ns", "source")...); err != nil {
		return nil, 0, "", err
	}
	digits, err := text(keys["ns"], value, what+": ns")
	if err != nil {
		return nil, 0, "", err
	}
	if ns, err = strconv.ParseInt(digits, 10, 64); err != nil {
		return nil, 0, "", at(keys["ns"], "%s: %q is not a whole number of nanoseconds", what, shortened(digits))
	}
	source, err = text(keys["source"], value, what+": source")
	return keys, ns, source, err
}

// readHolds reads what events hold, and says where each stands, by its name.
func readHolds(n *yaml.Node) (all []cost.Hold, lines map[string]*yaml.Node, err error) {
	if n == nil {
		return nil, nil, nil
	}
	var holds []cost.Hold // all that there could be
	for _, e := range cost.Events() {
		holds = append(holds, cost.Hold{Event: e})
	}
	holds = append(holds, cost.Hold{Event: cost.Exit, Halt: true})
	var names, locks []string
	for _, h := range holds {
		names = append(names, h.Name())
	}
	for _, l := range cost.Locks() {
		locks = append(locks, l.String())
	}
	lines, err = mapping(n, "holds", names...)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range holds {
		value := lines[h.Name()]
		if value == nil {
			continue
		}
		var keys map[string]*yaml.Node
		if keys, h.NS, h.Source, err = number(value, h.Name(), "lock"); err != nil {
			return nil, nil, err
		}
		lock, err := text(keys["lock"], value, h.Name()+": lock")
		if err != nil {
			return nil, nil, err
		}
		var is bool
		if h.Lock, is = cost.LockNamed(lock); !is {
			return nil, nil, at(keys["lock"], "%s: there is no lock %q: there are %s", h.Name(), shortened(lock), strings.Join(locks, ", "))
		}
		all = append(all, h)
	}
	return all, lines, nil
}

// Write writes a model as Read reads it: all of its rows, so that nothing depends on another model.
func Write(w io.Writer, m cost.Model) error {
	name, _, _ := strings.Cut(m.Name(), "@")
	if _, err := fmt.Fprintf(w, "name: %s\nplatform: %s\ncosts:\n", name, m.Platform()); err != nil {
		return err
	}
	for _, row := range m.Table() {
		if _, err := fmt.Fprintf(w, "  %v: {ns: %d, source: %s}\n", row.Event, row.NS, strconv.QuoteToGraphic(row.Source)); err != nil {
			return err
		}
	}
	for i, h := range m.Holds() {
		if i == 0 {
			if _, err := io.WriteString(w, "holds:\n"); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "  %s: {lock: %v, ns: %d, source: %s}\n", h.Name(), h.Lock, h.NS, strconv.QuoteToGraphic(h.Source)); err != nil {
			return err
		}
	}
	return nil
}

// An Error is what is wrong with a file, and where.
type Error struct {
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

func at(n *yaml.Node, format string, args ...any) error {
	return &Error{max(n.Line, 1), fmt.Sprintf(format, args...)}
}

// document reads the one document of a file.
func document(r io.Reader) (*yaml.Node, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxFile:
		return nil, fmt.Errorf("larger than %d KiB: this is no such file", maxFile>>10)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(b)))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, malformed(err)
	}
	switch err := decoder.Decode(new(yaml.Node)); {
	case err == nil:
		return nil, errors.New("there is more than one document in the file")
	case !errors.Is(err, io.EOF):
		return nil, malformed(err)
	}
	return doc.Content[0], nil
}

// malformed says in one line what is wrong with the form of a file. What is nested too deep for the library is no file of
// ours, whose own depth is three; the library says it in other words, and with what it limits.
func malformed(err error) error {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(said, "exceeded max depth") {
		return errors.New("nested too deep: this is no such file")
	}
	said, _, _ = strings.Cut(said, "\n")
	return errors.New(said)
}

// mapping reads a mapping whose keys are all among those that are known.
func mapping(n *yaml.Node, what string, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, at(n, "%s is a mapping, with a colon after each key", what)
	}
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			return nil, at(key, "%s has no %q: there are %s", what, shortened(key.Value), strings.Join(known, ", "))
		case found[key.Value] != nil:
			return nil, at(key, "%s has %s twice", what, key.Value)
		}
		found[key.Value] = n.Content[i+1]
	}
	return found, nil
}

// text reads a word, a number or a sentence; parent is what should have it.
func text(n, parent *yaml.Node, what string) (string, error) {
	switch {
	case n == nil:
		return "", at(parent, "%s is missing", what)
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "":
		return "", at(n, "%s has no value", what)
	}
	return n.Value, nil
}

// shortened is as much of a text as an error shows.
func shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
