// Package strictyaml reads YAML that people write, and says in which line something is wrong: a key that is not known, one that
// is there twice, or a value of another kind is an error.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An Error is what is wrong with a file, and where.
type Error struct {
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// At is an error in the line of a node.
func At(n *yaml.Node, format string, args ...any) error {
	return &Error{max(n.Line, 1), fmt.Sprintf(format, args...)}
}

// maxFile bounds a file, in bytes: people write them.
const maxFile = 64 << 10

// Document reads the one document of a file.
func Document(r io.Reader) (*yaml.Node, error) {
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
// ours; the library says it in other words, and with what it limits.
func malformed(err error) error {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(said, "exceeded max depth") {
		return errors.New("nested too deep: this is no such file")
	}
	said, _, _ = strings.Cut(said, "\n")
	return errors.New(said)
}

// Mapping reads a mapping whose keys are all among those that are known; what says of an error what it is in.
func Mapping(n *yaml.Node, what string, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, At(n, "%s is a mapping, with a colon after each key", what)
	}
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			return nil, At(key, "%s has no %q: there are %s", what, Shortened(key.Value), strings.Join(known, ", "))
		case found[key.Value] != nil:
			return nil, At(key, "%s has %s twice", what, key.Value)
		}
		found[key.Value] = n.Content[i+1]
	}
	return found, nil
}

// Text reads a word, a number or a sentence; parent is what should have it.
func Text(n, parent *yaml.Node, what string) (string, error) {
	switch {
	case n == nil:
		return "", At(parent, "%s is missing", what)
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "":
		return "", At(n, "%s has no value", what)
	}
	return n.Value, nil
}

// Shortened is as much of a text as an error shows.
func Shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// List reads a list, or one value in place of a list of one. Each item is read by item, and is there once.
func List[T any](n *yaml.Node, what string, item func(*yaml.Node) (T, error)) (all []T, err error) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		return nil, At(n, "%s is an empty list", what)
	}
	seen := map[string]bool{}
	for _, i := range items {
		if i.Kind == yaml.ScalarNode && seen[i.Value] {
			return nil, At(i, "%s has %q twice", what, Shortened(i.Value))
		}
		seen[i.Value] = true
		one, err := item(i)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
