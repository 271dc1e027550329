// Package matrix boots every combination of what a file lists, and holds what came of each against a table that was kept
// earlier: what changed is the answer.
//
//	file.go    what is combined, read from YAML
//	cell.go    one combination, and what it shows
//	run.go     boots them
//	table.go   the table, as CSV, and what changed
package matrix

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tacit-vm/tacit/internal/strictyaml"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

// Honest is what stands for no attack.
const Honest = "none"

// OwnGuest is what stands for tacit's own guest among images.
const OwnGuest = "own-guest"

// A Matrix is what is combined. Each list has at least one item.
type Matrix struct {
	Images       []string // paths or patterns, from the directory of the file, or OwnGuest
	Platforms    []string
	Policies     []string
	Memory       []uint64 // bytes
	Processors   []int
	Attacks      []string // as package trial has them, or Honest
	CommandLines []string // added to the images' own
	Expected     string   // the file of the table, from the directory of the file; empty: beside it
	Amounts      bool     // the table has amounts of memory, too, which differ from build to build
}

// Read reads a matrix. A size is an amount of memory as people write it.
func Read(r io.Reader, size func(string) (uint64, error)) (*Matrix, error) {
	root, err := strictyaml.Document(r)
	if err != nil {
		return nil, err
	}
	if at := keyOf(root, "kernels"); at != nil {
		return nil, strictyaml.At(at, "kernels are images here: list them under images. A disk starts the kernels that are on it, and no other")
	}
	keys, err := strictyaml.Mapping(root, "a matrix", "images", "platforms", "policies", "memory", "processors", "attacks", "command_lines", "expected", "amounts")
	if err != nil {
		return nil, err
	}
	m := &Matrix{
		Platforms: vm.ConfidentialPlatforms(), Policies: vm.FirmwarePolicies, Memory: []uint64{4 << 30},
		Processors: []int{1}, Attacks: []string{Honest}, CommandLines: []string{""},
	}
	if keys["images"] == nil {
		return nil, strictyaml.At(root, "images is missing")
	}
	words := func(what string, allowed []string) func(*yaml.Node) (string, error) {
		return func(n *yaml.Node) (string, error) {
			text, err := strictyaml.Text(n, root, what)
			if err == nil && allowed != nil && !slices.Contains(allowed, text) {
				err = strictyaml.At(n, "%s: there is no %q: there are %s", what, strictyaml.Shortened(text), strings.Join(allowed, ", "))
			}
			return text, err
		}
	}
	err = errors.Join(
		list(keys, "images", &m.Images, words("images", nil)),
		list(keys, "platforms", &m.Platforms, words("platforms", vm.PlatformNames())),
		list(keys, "policies", &m.Policies, words("policies", vm.FirmwarePolicies)),
		list(keys, "memory", &m.Memory, func(n *yaml.Node) (uint64, error) {
			bytes, err := size(n.Value)
			if err == nil {
				err = vm.Config{Memory: bytes}.Check()
			}
			if err == nil && bytes == 0 {
				err = errors.New("memory is 0")
			}
			return bytes, in(n, err)
		}),
		list(keys, "processors", &m.Processors, func(n *yaml.Node) (int, error) {
			cpus, err := strconv.Atoi(n.Value)
			if err != nil || cpus < 1 {
				return 0, strictyaml.At(n, "processors: %q is no number from 1", strictyaml.Shortened(n.Value))
			}
			return cpus, in(n, vm.Config{CPUs: cpus}.Check())
		}),
		list(keys, "attacks", &m.Attacks, func(n *yaml.Node) (string, error) {
			if n.Value == Honest {
				return Honest, nil
			}
			return n.Value, in(n, (&trial.Config{Attacks: []string{n.Value}}).Check())
		}),
		list(keys, "command_lines", &m.CommandLines, func(n *yaml.Node) (string, error) {
			if n.Kind != yaml.ScalarNode || strings.ContainsAny(n.Value, "\n\r\x00") {
				return "", strictyaml.At(n, "a command line is one line of text")
			}
			return n.Value, nil
		}),
	)
	if err != nil {
		return nil, first(err)
	}
	if n := keys["expected"]; n != nil {
		if m.Expected, err = strictyaml.Text(n, root, "expected"); err != nil {
			return nil, err
		}
	}
	if n := keys["amounts"]; n != nil {
		if m.Amounts, err = strconv.ParseBool(n.Value); err != nil {
			return nil, strictyaml.At(n, "amounts is true or false")
		}
	}
	return m, nil
}

// keyOf is where a mapping has a key; nil where it has none.
func keyOf(root *yaml.Node, key string) *yaml.Node {
	for i := 0; root.Kind == yaml.MappingNode && i < len(root.Content); i += 2 {
		if root.Content[i].Value == key {
			return root.Content[i]
		}
	}
	return nil
}

// list reads the list under a key, where there is one.
func list[T any](keys map[string]*yaml.Node, key string, to *[]T, item func(*yaml.Node) (T, error)) error {
	n := keys[key]
	if n == nil {
		return nil
	}
	all, err := strictyaml.List(n, key, item)
	if err == nil {
		*to = all
	}
	return err
}

// in says where an error is.
func in(n *yaml.Node, err error) error {
	if err == nil {
		return nil
	}
	return strictyaml.At(n, "%v", err)
}

// first is the first of several errors: the rest may be of the same cause.
func first(err error) error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()[0]
	}
	return fmt.Errorf("%w", err)
}
