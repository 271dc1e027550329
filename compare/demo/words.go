package demo

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What a demonstration says, in the words that text and page have in common.

// platformName is what a platform is called by those who do not use it every day.
func platformName(platform string) string {
	switch platform {
	case vm.TDX:
		return "Intel TDX"
	case vm.SNP:
		return "AMD SEV-SNP"
	}
	return platform
}

// title says what is shown.
func (d *Demonstration) title() string {
	return fmt.Sprintf("Five guests, each in an %s machine of its own with %s of memory",
		platformName(d.Platform), record.FormatBytes(d.Memory))
}

// introduction tells a stranger what unaccepted memory is.
func (d *Demonstration) introduction() []string {
	return []string{
		"A confidential guest is a virtual machine that does not trust its host. It may use a page of memory only after it " +
			"has accepted that page, so that the host cannot slip in another one. Accepting takes time. So firmware accepts " +
			"a little, and hands the rest over as unaccepted memory: the operating system accepts it when it needs it.",
		"All guests run the same program, which takes memory piece by piece, gives most of it back and takes some again. What " +
			"differs is how their systems go about unaccepted memory:",
	}
}

// story introduces a guest.
func (g *Guest) story() string { return g.Name + ": " + g.Story }

// explanation says in plain sentences what is to be seen.
func (d *Demonstration) explanation() []string {
	l, e, a, u := d.Results[lazy], d.Results[eager], d.Results[asked], d.Results[unasked]
	lines := []string{
		fmt.Sprintf("Lazy pays off: guest 1 started its program at %s, guest 2 at %s. Eager : lazy is %.1f, and grows with the memory of the machine.",
			record.FormatNS(l.Init()), record.FormatNS(e.Init()), float64(e.Init())/float64(l.Init())),
		fmt.Sprintf("Guest 1 accepted %s, as much as its program came to need; accepted memory stays accepted when the program gives it back. %s were never accepted, which is no loss: the guest has them in its books.",
			mebibytes(l.BySystem()), mebibytes(l.Left())),
		fmt.Sprintf("Guest 3 does not know that memory can be unaccepted. Firmware asked, there was no answer, and so it accepted %s before it let go of the machine: slow, and nothing is lost.",
			mebibytes(a.Record.Negotiation.AcceptedAtExit)),
		fmt.Sprintf("Guest 4 is the same system, and its firmware did not ask. It started as fast as guest 1, with %s of %s: %s are lost to it.%s",
			mebibytes(u.Record.MemoryBytes-u.Lost()), mebibytes(u.Record.MemoryBytes), mebibytes(u.Lost()), u.wanted()),
	}
	return lines
}

// wanted says that a guest ended for want of the memory that it has lost.
func (r *Result) wanted() string {
	if r.End() != outOfMemory {
		return ""
	}
	return " Its program, which the others could do with ease, ended for want of memory."
}

// violation says what the fifth guest did.
func (d *Demonstration) violation() string {
	return "Guest 5 read a byte of memory that had not been accepted. On hardware that ends the guest, mostly without a word. tacit checks every access, and says which it was:"
}

// A fact is a word and what stands beside it.
type fact struct{ Name, Text string }

// facts are what the diagnosis of a violation has.
func (r *Result) facts() []fact {
	d := r.Record.Diagnosis
	if d == nil {
		return nil
	}
	var all []fact
	if d.GPA != nil {
		all = append(all, fact{"page", fmt.Sprintf("%v, %s", *d.GPA, d.PageState)})
	}
	if d.Symbol != "" {
		all = append(all, fact{"function", d.Symbol})
	}
	if d.Instruction != nil {
		all = append(all, fact{"instruction", strings.TrimSpace(d.Instruction.Bytes + "  " + d.Instruction.Text)})
	}
	if d.Advice != "" {
		all = append(all, fact{"advice", d.Advice})
	}
	return all
}

// heads are the heads of columns.
func heads(results []*Result) []string {
	var all []string
	for i, r := range results {
		all = append(all, fmt.Sprintf("%d %s", i+1, r.Name))
	}
	return all
}

// A total is one number of each guest.
type total struct {
	Name  string
	Cells []string
}

// totals are the numbers that are compared.
func totals(results []*Result) []total {
	amount := func(of func(*Result) uint64) func(*Result) string {
		return func(r *Result) string { return mebibytes(of(r)) }
	}
	all := []total{{Name: "program starts at"}, {Name: "firmware accepted"}, {Name: "system accepted"}, {Name: "never accepted"}, {Name: "lost"}, {Name: "end"}}
	for i, of := range []func(*Result) string{
		func(r *Result) string { return started(r.Record.VirtualNS.Init) },
		amount((*Result).ByFirmware), amount((*Result).BySystem), amount((*Result).Left), amount((*Result).Lost), (*Result).End,
	} {
		for _, r := range results {
			all[i].Cells = append(all[i].Cells, of(r))
		}
	}
	return all
}

func started(init *int64) string {
	if init == nil {
		return "-"
	}
	return record.FormatNS(*init)
}

func mebibytes(n uint64) string { return record.FormatCount(n>>20) + " MiB" }

// timeNote says what the times are.
func (d *Demonstration) timeNote() string {
	return "Times are virtual: instructions plus the estimated cost of events (" + d.Results[lazy].Record.CostModel +
		"). They repeat exactly and compare guests; they do not predict what hardware takes."
}

// more says where to go from here.
func (d *Demonstration) more() []fact {
	other := vm.SNP
	if d.Platform == vm.SNP {
		other = vm.TDX
	}
	return []fact{
		{"tacit demo --platform " + other, "the same on " + platformName(other)},
		{"tacit demo --memory 64G", "the more memory, the more there is to be saved"},
		{"tacit boot IMAGE", "a stock kernel, in the place of this guest"},
	}
}

// command is what shows the same again.
func (d *Demonstration) command() string {
	memory := fmt.Sprintf("%dM", d.Memory>>20)
	if d.Memory%(1<<30) == 0 {
		memory = fmt.Sprintf("%dG", d.Memory>>30)
	}
	command := "tacit demo --platform " + d.Platform + " --memory " + memory
	if d.Seed != 0 {
		command += fmt.Sprintf(" --seed %d", d.Seed)
	}
	return command
}
