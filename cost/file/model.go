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
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/strictyaml"
)

// Read reads a model.
func Read(r io.Reader) (cost.Model, error) {
	root, err := strictyaml.Document(r)
	if err != nil {
		return cost.Model{}, err
	}
	keys, err := strictyaml.Mapping(root, "a model", "name", "platform", "base", "costs", "holds")
	if err != nil {
		return cost.Model{}, err
	}
	name, err := strictyaml.Text(keys["name"], root, "name")
	if err != nil {
		return cost.Model{}, err
	}
	if err := cost.CheckName(name); err != nil {
		return cost.Model{}, strictyaml.At(keys["name"], "%v", err)
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
		return m, strictyaml.At(lines[wrong.Event], "%v", wrong) // of the mapping where there is no row
	}
	if wrong := (*cost.HoldError)(nil); errors.As(err, &wrong) {
		return m, strictyaml.At(of[wrong.Hold], "%v", wrong)
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
		if platform, err = strictyaml.Text(keys["platform"], root, "platform"); err != nil {
			return "", nil, err
		}
		if _, err := cost.Of(platform); err != nil {
			return "", nil, strictyaml.At(keys["platform"], "%v", err)
		}
	}
	if keys["base"] == nil {
		if platform == "" {
			return "", nil, strictyaml.At(root, "a model needs a platform, or a base that has one")
		}
		own, err := cost.Of(platform)
		r[cost.Instruction] = own.Row(cost.Instruction)
		return platform, r, err
	}
	name, err := strictyaml.Text(keys["base"], root, "base")
	if err != nil {
		return "", nil, err
	}
	base, err := cost.Named(name)
	if err != nil {
		return "", nil, strictyaml.At(keys["base"], "base: %v", err)
	}
	if platform != "" && platform != base.Platform() {
		return "", nil, strictyaml.At(keys["base"], "%s is a model for platform %s, and this one is for %s", name, base.Platform(), platform)
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
	all, err := strictyaml.Mapping(n, "costs", names...)
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
	if keys, err = strictyaml.Mapping(value, what, append(known, "ns", "source")...); err != nil {
		return nil, 0, "", err
	}
	digits, err := strictyaml.Text(keys["ns"], value, what+": ns")
	if err != nil {
		return nil, 0, "", err
	}
	if ns, err = strconv.ParseInt(digits, 10, 64); err != nil {
		return nil, 0, "", strictyaml.At(keys["ns"], "%s: %q is not a whole number of nanoseconds", what, strictyaml.Shortened(digits))
	}
	source, err = strictyaml.Text(keys["source"], value, what+": source")
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
	lines, err = strictyaml.Mapping(n, "holds", names...)
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
		lock, err := strictyaml.Text(keys["lock"], value, h.Name()+": lock")
		if err != nil {
			return nil, nil, err
		}
		var is bool
		if h.Lock, is = cost.LockNamed(lock); !is {
			return nil, nil, strictyaml.At(keys["lock"], "%s: there is no lock %q: there are %s", h.Name(), strictyaml.Shortened(lock), strings.Join(locks, ", "))
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
type Error = strictyaml.Error
