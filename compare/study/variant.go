package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// A Variant is a way to start a guest. The zero Variant has no words: firmware hands memory over unaccepted, the kernel
// accepts it when it needs it, and the host's pages are of 2 MiB.
type Variant struct {
	Name     string // its words, as they were given
	policy   string // of firmware, as package vm has it; empty is lazy
	eager    bool   // the kernel is told to accept everything before its first program
	hostPage uint64 // bytes; 0 is 2 MiB
	cpus     int    // processors; 0 is 1
}

// A word is what a variant is made of. Two of one kind exclude each other.
type word struct {
	name, kind, meaning string
	set                 func(*Variant)
	number              func(v *Variant, n int) error // of a word that ends in = and a number, in the place of set
}

var words = []word{
	{"lazy", "acceptance", "firmware hands memory over unaccepted, and the kernel accepts it when it needs it", func(*Variant) {}, nil},
	{"eager-firmware", "acceptance", "firmware accepts everything before it starts the image", func(v *Variant) { v.policy = "eager" }, nil},
	{"eager-kernel", "acceptance", "firmware hands memory over unaccepted, and the kernel accepts all of it at once: accept_memory=eager", func(v *Variant) { v.eager = true }, nil},
	{"negotiate", "acceptance", "firmware asks the kernel, and accepts the rest where it gets no answer", func(v *Variant) { v.policy = "negotiate" }, nil},
	{"upstream", "acceptance", "firmware does as OVMF does: it accepts what lies below 4 GiB, and asks on SEV-SNP only", func(v *Variant) { v.policy = "upstream" }, nil},
	{"host-page-4K", "host page", "the host adds pages of 4 KiB", func(v *Variant) { v.hostPage = 4 << 10 }, nil},
	{"host-page-2M", "host page", "the host adds pages of 2 MiB, as without a word", func(v *Variant) { v.hostPage = 2 << 20 }, nil},
	{"cpus=", "processors", "N processors, as cpus=8; without a word one", nil, func(v *Variant, n int) error {
		v.cpus = n
		if n < 1 {
			return fmt.Errorf("%d processors", n) // 0 would be the default
		}
		return vm.Config{CPUs: n}.Check()
	}},
}

// Words are what variants are made of, with what each means. After one that ends in = there has to be a number.
func Words() (all []struct{ Name, Meaning string }) {
	for _, w := range words {
		all = append(all, struct{ Name, Meaning string }{w.name, w.meaning})
	}
	return all
}

// ParseVariant reads a word, or several with + between them.
func ParseVariant(text string) (Variant, error) {
	v := Variant{Name: text}
	kinds := map[string]string{}
	for name := range strings.SplitSeq(text, "+") {
		known, number, numbered := strings.Cut(name, "=")
		if numbered {
			known += "="
		}
		i := slices.IndexFunc(words, func(w word) bool { return w.name == known })
		if i < 0 {
			return v, &WordError{name}
		}
		if other := kinds[words[i].kind]; other != "" {
			return v, fmt.Errorf("%s and %s exclude each other", other, name)
		}
		kinds[words[i].kind] = name
		if !numbered {
			words[i].set(&v)
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return v, fmt.Errorf("%s: want a whole number after the =", name)
		}
		if err := words[i].number(&v, n); err != nil {
			return v, fmt.Errorf("%s: %w", name, err)
		}
	}
	return v, nil
}

// A WordError says that there is no such word.
type WordError struct{ Word string }

func (e *WordError) Error() string { return fmt.Sprintf("%q is no way to start a guest", e.Word) }

// lazy says whether nothing accepts everything at once, so that the others are held against it.
func (v Variant) lazy() bool { return v.policy == "" && !v.eager }

// everything says whether all memory is accepted before the first program starts.
func (v Variant) everything() bool { return v.policy == "eager" || v.eager }

// apply starts a guest so.
func (v Variant) apply(c *vm.Config) {
	c.FirmwarePolicy = v.policy
	if v.policy == "" {
		c.FirmwarePolicy = "lazy"
	}
	c.HostPage, c.CPUs = v.pages(), v.cpus
	if v.eager {
		c.Append = strings.TrimSpace(c.Append + " " + eagerly(c.Image))
	}
}

// pages is the size of the host's pages, in bytes.
func (v Variant) pages() uint64 {
	if v.hostPage == 0 {
		return 2 << 20
	}
	return v.hostPage
}

// CPUs is how many processors the guest has.
func (v Variant) CPUs() int { return max(v.cpus, 1) }

// eagerly is what tells a kernel to accept everything. Of an EFI application it is not known whether there is Linux in it
// or a guest on package guest/kernel; each passes over what is for the other.
func eagerly(img *image.Image) string {
	const linux, own = "accept_memory=eager", "unaccepted=eager"
	switch {
	case img == nil:
		return own
	case img.Kind == image.BzImage:
		return linux
	}
	return linux + " " + own
}
