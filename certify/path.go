package certify

import (
	"fmt"
	"slices"
	"strings"
)

// KernelClaims are what is said of a kernel on a disk, and of how it is started.
type KernelClaims struct {
	Release    string // that it states; may be empty
	Negotiates Answer
	On         map[string]PlatformClaim
	Ways       []Way
}

// A Way is one in which a kernel is said to be started.
type Way struct {
	By   []string // names of the programs' files, without directories, one of which starts it
	Stub Answer   // it is its EFI stub that is started
}

// A start is how a boot shows that the kernel was started.
type start struct {
	kernel string // its release; empty where that is not known
	by     string // the name of the program's file
	stub   bool
}

// start reads it from the record's path; ok is false where no kernel was started.
func (b *Boot) start() (s start, ok bool) {
	if b.Record == nil {
		return s, false
	}
	p := &b.Record.Path
	for _, im := range p.Images {
		if im.Linux == "" {
			continue
		}
		s = start{by: fileName(im.By), stub: im.Name == p.LeftBy}
		if strings.IndexFunc(im.Linux, func(c rune) bool { return c >= '0' && c <= '9' }) == 0 {
			s.kernel = im.Linux
		}
		ok = true
	}
	if !ok && p.Kernel != nil { // a loader has left boot services, and has gone to the kernel itself
		return start{by: fileName(p.LeftBy)}, true
	}
	return s, ok && p.LeftBy != ""
}

// fileName is the last part of a path of firmware's.
func fileName(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// of are the claims that bear on the boots of subject i: of a disk those of the kernel that they started.
func (c *Claims) of(boots []*Boot, i int) *Claims {
	if c == nil || len(c.Kernels) == 0 {
		return c
	}
	for _, b := range of(i, boots) {
		s, ok := b.start()
		if !ok {
			continue
		}
		for _, k := range c.Kernels {
			if k.Release == s.kernel || s.kernel == "" && len(c.Kernels) == 1 {
				return &Claims{Negotiates: k.Negotiates, On: k.On}
			}
		}
	}
	return nil
}

// comparePaths holds the ways in which the kernels of a disk are said to be started against what the boots show.
func (v *Verdict) comparePaths(c *Claims, boots []*Boot, i int) {
	if c == nil || !slices.ContainsFunc(c.Kernels, func(k KernelClaims) bool { return len(k.Ways) > 0 }) {
		return
	}
	for _, b := range of(i, boots) {
		if s, ok := b.start(); ok {
			if text := c.contradicts(s); text != "" && !slices.Contains(v.Disagreements, text) {
				v.Disagreements = append(v.Disagreements, text)
			}
		}
	}
}

// contradicts says in what a start is none of the ways that are claimed; it is empty where it may be one.
func (c *Claims) contradicts(s start) string {
	var kernels, by []string
	var stubs []Answer
	for _, k := range c.Kernels {
		if len(k.Ways) == 0 {
			continue
		}
		kernels = appendOnce(kernels, k.Release)
		if k.Release != "" && s.kernel != "" && k.Release != s.kernel {
			continue
		}
		for _, w := range k.Ways {
			for _, name := range w.By {
				by = appendOnce(by, name)
			}
			if slices.ContainsFunc(w.By, func(name string) bool { return strings.EqualFold(name, s.by) }) {
				stubs = append(stubs, w.Stub)
			}
		}
	}
	kernel := s.kernel
	if kernel == "" {
		kernel = "the kernel"
	}
	switch {
	case by == nil:
		return fmt.Sprintf("path: the file says that %s is started, the boots say %s", strings.Join(kernels, " or "), kernel)
	case stubs == nil:
		return fmt.Sprintf("path: the file says that %s starts %s, the boots say that %s does", strings.Join(by, " or "), kernel, s.by)
	case !slices.Contains(stubs, answer(s.stub)) && !slices.Contains(stubs, Unknown):
		return fmt.Sprintf("path: the EFI stub of %s is started: the file says %s, the boots say %s", kernel, stubs[0], answer(s.stub))
	}
	return ""
}
