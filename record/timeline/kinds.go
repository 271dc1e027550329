package timeline

import "github.com/tacit-vm/tacit/record"

// kinds are the kinds of exits: what was called at which interface, whatever came of it.
type kinds struct {
	names []string
	index map[string]int
	of    []int // of each of the log's calls; -1 where it is no exit
}

// maxKinds bounds them. A boot has some twenty; what is beyond is counted together.
const maxKinds = 64

const otherKinds = "others"

// prefixes are how the names of an interface's kinds begin. Calls of firmware are no exits: firmware runs in the guest.
var prefixes = map[record.Interface]string{
	record.TDCALL: "TDCALL ", record.TDVMCALL: "TDVMCALL ", record.HostExit: "exit ", record.VE: "#VE ", record.VC: "#VC ",
	record.RMP: "RMP ", record.GHCB: "GHCB ",
}

// count adds the calls up by kind.
func (k *kinds) count(calls []record.Calls) []uint64 {
	for _, c := range calls[len(k.of):] {
		k.of = append(k.of, k.kind(c))
	}
	n := make([]uint64, len(k.names))
	for i, c := range calls {
		if k.of[i] >= 0 {
			n[k.of[i]] += c.Times
		}
	}
	return n
}

func (k *kinds) kind(c record.Calls) int {
	prefix, is := prefixes[c.Interface]
	if !is {
		return -1
	}
	name := prefix + c.Name
	if _, known := k.index[name]; !known && len(k.names) >= maxKinds-1 {
		name = otherKinds
	}
	i, known := k.index[name]
	if !known {
		i = len(k.names)
		if k.index == nil {
			k.index = map[string]int{}
		}
		k.index[name], k.names = i, append(k.names, name)
	}
	return i
}
