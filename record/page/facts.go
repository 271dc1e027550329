package page

import (
	"cmp"
	"fmt"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A fact is a thing that the record knows, and what it means to somebody who meets the term for the first time.
type fact struct{ Term, Value, Means string }

func facts(r *record.Record) []fact {
	var all []fact
	add := func(term, value, means string) {
		if value != "" {
			all = append(all, fact{term, value, means})
		}
	}
	said := func(term, value, means string) { add(term, clean(value, wordsLength), means) } // of a stranger's words
	a, c := &r.Acceptance, &r.Config
	init := "not reached"
	if r.VirtualNS.Init != nil {
		init = nanoseconds(*r.VirtualNS.Init)
	}

	said("image", r.Image.Kernel, "what was booted, by the version that it states")
	said("image’s digest", r.Image.SHA256, "SHA-256 of the EFI application that firmware started")
	add("platform", platform(r), "whose rules for confidential memory the machine keeps")
	add("memory", record.FormatBytes(r.MemoryBytes), "what the guest was given")
	said("outcome", string(r.Outcome), meaning(r.Outcome))
	said("command line", cmp.Or(r.Guest.CommandLine, c.CommandLine), "the words that the kernel was started with")

	if confidential(r) {
		said("firmware’s policy", c.FirmwarePolicy, policyMeans(c.FirmwarePolicy))
		add("firmware was to accept", record.FormatBytes(c.FirmwareAcceptsBytes), "before it starts the image, so that the image has room")
	}
	left := func(when string, n *uint64, means string) {
		if n != nil && confidential(r) {
			add("not accepted "+when, fmt.Sprintf("%s (%s)", mib(*n), of(*n, r.MemoryBytes)), means)
		}
	}
	left("at init", a.UnacceptedAtInit, "what the operating system could start without: neither it nor its host has paid for this memory")
	left("at report", a.UnacceptedAtReport, "when the guest’s program asked its kernel how much memory there is")
	left("at the end", a.UnacceptedAtEnd, "when the machine stopped")
	if n := a.BitmapSetAtReport; n != nil {
		means := "set bits of the guest’s own bitmap, each 2 MiB of unaccepted memory: its books agree with the machine’s"
		if u := a.UnacceptedAtReport; u != nil && *u != *n {
			means = "set bits of the guest’s own bitmap, each 2 MiB of unaccepted memory: its books do not agree with the machine’s"
		}
		add("by the guest’s bitmap", mib(*n), means)
	}
	said("bitmap", a.BitmapError, "why the guest’s bitmap could not be read")
	if m := r.Guest.MemInfo; m != nil {
		if m.Unaccepted != nil && confidential(r) {
			add("by the guest’s meminfo", mib(*m.Unaccepted), "what the guest’s kernel tells its programs about unaccepted memory, rounded")
		}
		seen := "MemTotal of its meminfo: what is left when the kernel has taken its own"
		if confidential(r) {
			seen += "; unaccepted memory counts"
		}
		add("memory that the guest sees", mib(m.MemTotal), seen)
	}
	if len(r.Added) > 0 {
		var added record.Count
		for _, n := range r.Added {
			added.Bytes, added.Operations = added.Bytes+n.Bytes, added.Operations+n.Operations
		}
		add("added by the host", mib(added.Bytes)+" in "+pages(r.Added), "private pages that the host took from its own memory while the guest ran")
	}
	if confidential(r) {
		add("host’s pages", record.FormatBytes(c.HostPageBytes), "the size in which the host adds memory, and so that of most acceptances")
	}
	if n := r.Conversions[physical.Shared.String()]; n.Operations > 0 {
		add("made shared", mib(n.Bytes)+", "+times(n.Operations), "memory that the guest opened to its host, such as buffers for devices; its contents are lost")
	}
	if n := r.Conversions[physical.Private.String()]; n.Operations > 0 {
		add("made private", mib(n.Bytes)+", "+times(n.Operations), "shared memory that the guest took back, which it has to accept again")
	}
	for _, e := range []struct {
		on          record.Interface
		term, means string
	}{
		{record.HostExit, "host exits", "how often the processor left the guest and asked its host for something; each costs time"},
		{record.VE, "#VE exceptions", "how often the TDX module gave the guest something to do itself, mostly instructions that need the host"},
		{record.VC, "#VC exceptions", "how often the processor gave the guest something to do itself, mostly instructions that need the host"},
	} {
		if n := sum(r.Calls[e.on.String()]); n > 0 {
			add(e.term, record.FormatCount(n), e.means)
		}
	}

	add("init", init, "virtual time until the first instruction of a program")
	add("virtual time", nanoseconds(r.VirtualNS.Total), "one nanosecond an instruction, plus what the model says that events cost: it repeats, compares two runs, and does not predict milliseconds of hardware")
	add("instructions", record.FormatCount(r.Instructions), "that the guest executed")
	said("cost model", r.CostModel, "the numbers by which virtual time was charged; times of two models do not compare")
	add("seed", fmt.Sprint(c.Seed), "where all randomness of the machine came from: the same seed, the same run")
	if c.Misalign {
		add("misaligned", "yes", "firmware was told to hand memory over in ranges that do not begin and end at 2 MiB, so that the EFI stub has to accept their ends")
	}
	if c.UnacceptedTable {
		add("unaccepted table", "yes", "firmware installed a table of unaccepted memory, as a kernel leaves one for the next that it starts")
	}
	if c.LA57 {
		add("page tables", "up to five levels", "the host allowed linear addresses of 57 bits; whether the guest used them is its own choice")
	}
	if c.HPET {
		add("timers", "HPET", "the machine had high precision event timers")
	}
	if c.DebugExitPort > 0 {
		add("debug exit", fmt.Sprintf("port %#x", c.DebugExitPort), "where a test program could end the run by writing a code")
	}
	if c.TouchBytes > 0 {
		add("to be touched", record.FormatBytes(c.TouchBytes), "memory that the guest’s program was told to touch before it reported")
	}
	if c.MaxInstructions > 0 {
		add("limit of instructions", record.FormatCount(c.MaxInstructions), "at which the run was to end")
	}
	said("initrd’s digest", c.InitrdSHA256, "SHA-256 of the first file system that the kernel was given")
	said("input’s digest", c.InputSHA256, "SHA-256 of what was typed on the console, as --input-log writes it")
	return all
}

func policyMeans(policy string) string {
	switch policy {
	case "negotiate":
		return "leave memory unaccepted if the system says that it can accept, and accept it all at ExitBootServices if it does not"
	case "lazy":
		return "leave memory unaccepted, whatever the system can do"
	case "eager":
		return "accept all memory before the image is started"
	case "upstream":
		return "as OVMF does: accept what lies below 4 GiB, ask about the rest on SEV-SNP, and leave it unaccepted on TDX"
	}
	return "what firmware does about unaccepted memory"
}

func sum(c record.Callees) (n uint64) {
	for _, statuses := range c {
		for _, times := range statuses {
			n += times
		}
	}
	return n
}
