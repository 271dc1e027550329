package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/vm"
)

// topology is how processors are parts of packages, as a flag: words with numbers, of which some may be left out.
type topology struct {
	text string
	vm.Topology
}

var _ pflag.Value = (*topology)(nil)

// fields are the numbers, by the words that give them.
func (t *topology) fields() map[string]*int {
	return map[string]*int{"sockets": &t.Sockets, "cores": &t.Cores, "threads": &t.Threads, "nodes": &t.Nodes}
}

var topologyWords = []string{"sockets", "cores", "threads", "nodes"}

func (t *topology) String() string { return t.text }

func (t *topology) Set(text string) error {
	var given topology
	for part := range strings.SplitSeq(text, ",") {
		word, number, _ := strings.Cut(part, "=")
		if err := known(word, topologyWords); err != nil {
			return fmt.Errorf("%q: %w", word, err)
		}
		field := given.fields()[word]
		n, err := strconv.Atoi(number)
		switch {
		case err != nil || n < 1:
			return fmt.Errorf("%q: want %s=N, with N from 1", part, word)
		case *field != 0:
			return fmt.Errorf("%s is given twice", word)
		}
		*field = n
	}
	given.text = text
	*t = given
	return nil
}

func (*topology) Type() string { return "sockets=N,cores=N,threads=N,nodes=N" }

func (*topology) words() []string {
	var all []string
	for _, w := range topologyWords {
		all = append(all, w+"=")
	}
	return all
}

// of fills in what was left out, for a machine with so many processors, or 0 for as many as it comes to: the number of
// cores follows from it, and all others are 1. Where nothing was given it returns the zero Topology.
func (t *topology) of(cpus int) vm.Topology {
	if t.text == "" {
		return vm.Topology{}
	}
	v := t.Topology
	v.Sockets, v.Threads, v.Nodes = max(v.Sockets, 1), max(v.Threads, 1), max(v.Nodes, 1)
	if v.Cores == 0 {
		v.Cores = max(cpus/v.Sockets/v.Threads, 1)
	}
	return v
}
