package inspect

import (
	"fmt"
	"strings"
)

// advise is one sentence on what an operator should do with the kernel.
func (k *Kernel) advise() string {
	tdx, snp := k.TDX, k.SNP
	if tdx.Guest.Verdict == No && snp.Guest.Verdict == No {
		return "Not for confidential VMs: it can be neither a TDX nor an SEV-SNP guest."
	}
	if tdx.Guest.Verdict == Unknown && snp.Guest.Verdict == Unknown {
		return "Not to be judged from the file: boot it where nothing depends on the answer, and let firmware accept all " +
			"memory."
	}
	where := platforms(tdx.Guest.Verdict == Yes, snp.Guest.Verdict == Yes)
	lazyOn := platforms(tdx.Accepts.Verdict == Yes, snp.Accepts.Verdict == Yes)
	eager := func(p Platform) bool { return p.Guest.Verdict == Yes && p.Accepts.Verdict != Yes }
	eagerOn := platforms(eager(tdx), eager(snp))
	unread := func(p Platform) bool { return p.Guest.Verdict == Yes && p.Accepts.Verdict == Unknown }
	for _, t := range k.Traps {
		if t.Sure {
			return fmt.Sprintf("Remove %s (%s): with it the guest loses its unaccepted memory.", t.Name, t.Where)
		}
	}
	for _, b := range k.Boots {
		if strings.HasPrefix(b.Why, notStarted) {
			return fmt.Sprintf("Nothing starts it as %s says: %s.", b.Config, strings.TrimPrefix(b.Why, notStarted+": "))
		}
	}
	if lazyOn == "" {
		starts := "this kernel"
		if len(k.Boots) > 0 && k.Stub() != Yes { // GRUB makes the memory map before ExitBootServices
			starts = "the boot loader"
		}
		why := "what is left unaccepted is lost"
		if unread(tdx) || unread(snp) {
			why = "whether it accepts memory itself could not be read"
		}
		return fmt.Sprintf("On %s firmware must accept all memory before it starts %s: %s.", where, starts, why)
	}
	sentence := fmt.Sprintf("On %s it accepts memory itself", lazyOn)
	switch stub := k.Stub(); {
	case k.Negotiates.Verdict == Yes && stub == No:
		sentence += ", but its boot loader leaves boot services first: firmware must accept all memory before it starts " +
			"the loader"
	case k.Negotiates.Verdict == Yes && k.incomplete != "":
		sentence += " and tells firmware so, provided that nothing is in the way in what was not read of the image (" +
			k.incomplete + ")"
	case k.Negotiates.Verdict == Yes && stub == Unknown && len(k.Boots) > 0:
		sentence += " and tells firmware so, provided that the boot loader starts its EFI stub"
	case k.Negotiates.Verdict == Yes:
		sentence += " and tells firmware so: leave memory unaccepted"
	case k.Negotiates.Verdict == No:
		sentence += ", but firmware cannot learn this from it: it has to be told to leave memory unaccepted"
	default:
		sentence += "; whether it tells firmware so could not be read"
	}
	if k.Lazy.Verdict == No {
		sentence += ", though its command line makes it accept everything at once (accept_memory=eager)"
	}
	if eagerOn != "" {
		sentence += fmt.Sprintf("; on %s firmware must accept all memory first", eagerOn)
	}
	return sentence + "."
}

func platforms(tdx, snp bool) string {
	switch {
	case tdx && snp:
		return "TDX and SEV-SNP"
	case tdx:
		return "TDX"
	case snp:
		return "SEV-SNP"
	}
	return ""
}
