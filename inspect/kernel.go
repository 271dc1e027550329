package inspect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// Kernel is what was found out about one kernel. The JSON form is documented in docs/inspect.md.
type Kernel struct {
	File    string `json:"file"`    // as given
	Path    string `json:"path"`    // of the kernel within it; "" if the file is the kernel
	Format  string `json:"format"`  // "bzImage", "unified kernel image", "vmlinux"
	Release string `json:"release"` // that the kernel states, "6.12.9-cloud-amd64"; "" if it states none
	Banner  string `json:"banner"`  // the release with builder and date
	OS      string `json:"os"`      // the system that a unified kernel image says to be of; "" for others
	SHA256  string `json:"sha256"`  // of the bzImage, unified kernel image or vmlinux, in hexadecimal; "" if it was not wanted

	TDX        Platform `json:"tdx"`
	SNP        Platform `json:"snp"`
	Negotiates Finding  `json:"negotiates"` // it tells firmware before ExitBootServices that it accepts memory itself
	Lazy       Finding  `json:"lazy"`       // it accepts memory when it needs it, not at once

	CommandLines []commandLine `json:"command_lines"`
	Traps        []Trap        `json:"traps"`
	Boots        []Boot        `json:"boots"` // the ways in which loaders on the image start it
	Notes        []string      `json:"notes"`
	Advice       string        `json:"advice"`

	volume       int
	path         string // in its volume
	hasStub      bool
	handover     bool   // its EFI stub has the entry of the old handover protocol
	imageVersion uint16 // MajorImageVersion of its PE header
	uname        string // the release that a unified kernel image says its kernel has
	stubVersion  int    // of the systemd-stub in a unified kernel image; 0 if it is another, or does not say
	profiles     []string
	incomplete   string // what of the image was not read
	lines        []wholeLine
}

// clone is a kernel of the same file of which nothing is known yet.
func (k *Kernel) clone() *Kernel {
	c := *k
	return &c
}

// Platform is what a kernel can do on TDX, or on SEV-SNP.
type Platform struct {
	Guest   Finding `json:"guest"`   // it can run as a guest
	Accepts Finding `json:"accepts"` // it handles memory that the firmware left unaccepted
}

// Name is how people call the kernel: its path in the file, or the file.
func (k *Kernel) Name() string {
	if k.Path == "" {
		return k.File
	}
	return k.File + ": " + k.Path
}

// Formats of kernels.
const (
	formatBzImage = "bzImage"
	formatUKI     = "unified kernel image"
	formatVmlinux = "vmlinux"
)

// proof collects evidence on a kernel, by question.
type proof map[question][]Evidence

func (p proof) add(q question, e ...Evidence) { p[q] = append(p[q], e...) }

// open tells whether there is a question that the evidence so far leaves without an answer.
func (p proof) open() bool {
	for _, all := range p {
		for _, e := range all {
			if e.Says == Unknown {
				return true
			}
		}
	}
	return false
}

func (p proof) addAll(all map[question][]Evidence) {
	for q, e := range all {
		p.add(q, e...)
	}
}

// inspectBzImage judges a bzImage, which lies base bytes within its file. config is nil if there is none.
func inspectBzImage(k *Kernel, img *image.Image, base int64, config *kconfig, unpack bool) {
	k.Banner = img.Setup.KernelVersion
	if k.Banner != "" {
		k.Release = img.Setup.Release()
	}
	b := readBoot(img)
	if b.header != nil {
		k.hasStub, k.imageVersion = true, b.header.MajorImageVersion
	}
	k.handover = img.Setup.HandoverOffset != 0 && img.Setup.XLoadFlags&image.XLFEFIHandover64 != 0
	if b.why != "" {
		k.Notes = append(k.Notes, "not all of its code could be read: "+b.why)
	}
	table := b.table()
	p := proof{}
	p.add(guestTDX, b.tdxGuest())
	p.add(acceptsTDX, both(both(table, b.tdxGuest()), b.tdxAccepts()))
	p.add(guestSNP, b.snpGuest())
	p.add(acceptsSNP, both(table, b.snpGuest()))
	p.add(negotiates, b.negotiates())
	open := p.open()
	p.addAll(readText(img))
	if config != nil {
		p.addAll(readConfig(*config, Config, "the configuration file beside it"))
		k.commandLineOf(*config)
	}
	if k.uname != "" && k.uname != k.Release {
		k.Notes = append(k.Notes, fmt.Sprintf("section .uname states release %s, the kernel %s", k.uname, k.Release))
	}
	if unpack || open {
		k.unpacked(p, img)
	}
	p.addAll(readRelease(k.Release))
	p.move(base)
	k.decide(p, Code)
}

// unpacked adds what the kernel proper says.
func (k *Kernel) unpacked(p proof, img *image.Image) {
	vmlinux, err := img.Payload()
	if err != nil {
		k.Notes = append(k.Notes, err.Error())
		return
	}
	if c, ok := embeddedConfig(vmlinux); ok {
		p.addAll(readConfig(c, Embedded, "its own configuration"))
		k.commandLineOf(c)
	}
	k.checkBanner(vmlinux)
	names, err := image.ReadSymbols(bytes.NewReader(vmlinux))
	if err != nil {
		k.Notes = append(k.Notes, "no symbols of the unpacked kernel: "+err.Error())
		return
	}
	p.addAll(readSymbols(names))
}

// checkBanner compares the release in the setup header with that of the kernel inside.
func (k *Kernel) checkBanner(vmlinux []byte) {
	const banner = "Linux version "
	_, rest, ok := bytes.Cut(vmlinux, []byte(banner))
	if !ok {
		return
	}
	inside, _, _ := strings.Cut(printable(rest[:min(len(rest), 128)]), " ")
	if k.Release != "" && inside != k.Release && !strings.Contains(inside, "%") {
		k.Notes = append(k.Notes, fmt.Sprintf("its header states release %s, the kernel inside %s", k.Release, inside))
	}
}

// commandLineOf adds the command line that a configuration builds in.
func (k *Kernel) commandLineOf(c kconfig) {
	if text := c.options["CMDLINE"]; c.options["CMDLINE_BOOL"] == "y" && text != "" {
		k.addCommandLine(commandLine{"CONFIG_CMDLINE", text})
	}
}

// addCommandLine notes a command line once.
func (k *Kernel) addCommandLine(c commandLine) {
	for _, have := range k.lines {
		if have[0] == c {
			return
		}
	}
	k.lines = append(k.lines, wholeLine{c})
}

// tellLines puts all that is said in command lines into the order in which it is said.
func (k *Kernel) tellLines() {
	for _, line := range k.lines {
		for _, part := range line {
			if !slices.Contains(k.CommandLines, part) {
				k.CommandLines = append(k.CommandLines, part)
			}
		}
	}
}

// inspectVmlinux judges an unpacked kernel, an ELF file. It has no EFI stub: what it does, it is told by who starts it.
func inspectVmlinux(k *Kernel, data []byte) error {
	names, err := image.ReadSymbols(bytes.NewReader(data))
	if err != nil {
		return err
	}
	k.hasStub = false
	if _, rest, ok := bytes.Cut(data, []byte("Linux version ")); ok {
		k.Banner = printable(rest[:min(len(rest), 256)])
		k.Release, _, _ = strings.Cut(k.Banner, " ")
	}
	p := proof{}
	p.addAll(readSymbols(names))
	if c, ok := embeddedConfig(data); ok {
		p.addAll(readConfig(c, Embedded, "its own configuration"))
		k.commandLineOf(c)
	}
	p[negotiates] = []Evidence{evidence(Code, No, "an ELF file has no EFI stub, so firmware is not asked")}
	p.addAll(readRelease(k.Release))
	k.decide(p, Embedded)
	k.Notes = append(k.Notes, "without an EFI stub it does not see unaccepted memory in the UEFI memory map; "+
		"who starts it has to give it the table")
	return nil
}

// move counts offsets from the start of the file rather than of the kernel in it.
func (p proof) move(base int64) {
	for _, all := range p {
		for i := range all {
			for j := range all[i].Offsets {
				all[i].Offsets[j] += base
			}
		}
	}
}

// decide answers all questions.
func (k *Kernel) decide(p proof, least Strength) {
	platform := func(guest, accepts question) Platform {
		g := decide(least, p[guest]...)
		if g.Verdict != No { // what is said of memory in general, is said of the other platform then
			p.add(accepts, p[acceptsAny]...)
		}
		return Platform{g, decide(least, p[accepts]...)}
	}
	k.TDX, k.SNP = platform(guestTDX, acceptsTDX), platform(guestSNP, acceptsSNP)
	k.Negotiates = decide(least, p[negotiates]...)
}

// finish judges what depends on all command lines and on how the kernel is started, once these are known.
func (k *Kernel) finish() {
	k.tellLines()
	k.lazy()
	accepts := k.TDX.Accepts.Verdict == Yes || k.SNP.Accepts.Verdict == Yes
	for _, line := range k.lines {
		if accepts {
			for _, trap := range line.traps() {
				if !slices.Contains(k.Traps, trap) {
					k.Traps = append(k.Traps, trap)
				}
			}
		}
	}
	if r, ok := parseRelease(k.Release); ok && accepts {
		for _, d := range defects {
			if has, sure := d.has(r); has && (!d.snp || k.SNP.Accepts.Verdict == Yes) {
				what := d.what + fmt.Sprintf("; fixed in Linux %v", d.fixed)
				for _, s := range d.stable {
					what += fmt.Sprintf(" and %v", s)
				}
				if !sure {
					what += "; whether in this series, is not known here"
				}
				k.Traps = append(k.Traps, Trap{d.name, what, "release " + k.Release, false})
			}
		}
	}
	k.Advice = k.advise()
}

// lazy: Linux accepts memory when it needs it, unless the command line says otherwise.
func (k *Kernel) lazy() {
	accepts, of := k.TDX.Accepts, "TDX"
	if accepts.Verdict != Yes {
		accepts, of = k.SNP.Accepts, "SEV-SNP"
	}
	var all []Evidence
	switch {
	case accepts.Verdict == Yes:
		decided := accepts.Strongest()
		all = append(all, Evidence{decided.Strength, Yes, "it accepts memory on " + of +
			", and accept_memory= is lazy unless the command line says otherwise", decided.Offsets})
	case accepts.Verdict == No && k.TDX.Accepts.Verdict == No:
		all = append(all, evidence(Code, No, "it does not accept memory"))
	}
	k.Lazy = decide(Version, all...)
	for _, line := range k.lines {
		if says, by := line.lazy(); says != Unknown {
			k.Lazy.Evidence = append(k.Lazy.Evidence, evidence(Config, says, by.Where+": "+by.Text))
			if says == No && k.Lazy.Verdict == Yes {
				k.Lazy.Verdict = No
			}
		}
	}
	if k.Lazy.Verdict == Yes && k.incomplete != "" {
		k.Lazy.Verdict = Unknown
		k.Lazy.Evidence = append(k.Lazy.Evidence, evidence(Config, Unknown, "its command line may be elsewhere: "+k.incomplete))
	}
	if k.Lazy.Evidence == nil {
		k.Lazy.Evidence = []Evidence{}
	}
}

// printable is text up to a line's or string's end, with what a terminal should not get replaced.
func printable(b []byte) string {
	if end := bytes.IndexAny(b, "\n\x00"); end >= 0 {
		b = b[:end]
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\uFFFD' || c >= 0x80 && c < 0xa0 {
			return '?'
		}
		return c
	}, string(b))
}
