package record

import (
	"fmt"
	"io"
)

// A Path is how a run got from firmware to the kernel: who started whom, who saw which memory map, and what the kernel was
// told of the memory.
type Path struct {
	Images []PathImage   `json:"images"`      // in the order in which they were started
	More   int           `json:"more_images"` // that were started and are not among Images
	LeftBy string        `json:"left_by"`     // who left boot services; empty where nobody has
	Kernel *KernelMemory `json:"kernel"`      // what it was told; null where no kernel was entered, or it is none of Linux's
}

// A PathImage is a program that was started before boot services ended.
type PathImage struct {
	Name    string `json:"name"`
	By      string `json:"by"`      // who started it: another one, or "firmware"
	Outside bool   `json:"outside"` // not by StartImage: its starter has loaded it itself
	Linux   string `json:"linux"`   // the release of the kernel that it is; empty where it is none
	Stamp
	Calls uint64   `json:"calls"` // of services and protocols, before boot services ended
	Maps  int      `json:"maps"`  // memory maps that it got
	Map   *SeenMap `json:"map"`   // the last of them; null where there is none
}

// A SeenMap is a memory map that firmware has handed out, in sums.
type SeenMap struct {
	Stamp
	Usable     uint64 `json:"usable_bytes"`     // free, or free once boot services have ended
	Unaccepted uint64 `json:"unaccepted_bytes"` // EfiUnacceptedMemory
	Kept       uint64 `json:"kept_bytes"`       // all the rest
}

// KernelMemory is the map of memory that a Linux kernel found when it was entered (e820, in its boot_params).
type KernelMemory struct {
	Stamp
	Usable uint64 `json:"usable_bytes"`
	Kept   uint64 `json:"kept_bytes"` // of all other types
}

// left returns who left boot services.
func (p *Path) left() *PathImage {
	for i := range p.Images {
		if p.Images[i].Name == p.LeftBy {
			return &p.Images[i]
		}
	}
	return nil
}

// pathTable says who started whom.
func (r *Record) pathTable(w io.Writer) {
	if len(r.Path.Images) < 2 {
		return // firmware has started the image, as in every boot
	}
	for i, im := range r.Path.Images {
		name := ""
		if i == 0 {
			name = "started"
		}
		how := "by " + im.By
		if im.Outside {
			how += ", which loaded it itself"
		}
		saw := ""
		if im.Map != nil {
			saw = fmt.Sprintf("last memory map: %s usable, %s unaccepted", FormatBytes(im.Map.Usable), FormatBytes(im.Map.Unaccepted))
		}
		line(w, name, im.Name, how, saw)
	}
	if r.Path.More > 0 {
		line(w, "", FormatCount(uint64(r.Path.More)), "others")
	}
}

// memoryLine says in words what became of the memory on its way to the kernel, and what to change. It is the last line of a
// summary; there is none where no kernel was entered.
func (r *Record) memoryLine(w io.Writer) {
	if text := r.MemoryText(); text != "" {
		fmt.Fprintf(w, "%-14s%s\n", "memory", Printable(text))
	}
}

// lossWorthTelling is how much of the memory may be missing in the kernel's map without a word: firmware keeps some.
const lossWorthTelling = 64 << 20

// MemoryText says what became of the memory on its way to the kernel, and what to change; it is empty where no kernel was
// entered.
func (r *Record) MemoryText() string {
	k := r.Path.Kernel
	if k == nil {
		return ""
	}
	given, told := r.MemoryBytes, k.Usable
	if told+lossWorthTelling >= given {
		return fmt.Sprintf("%s of %s reached the kernel", mebibytes(told), mebibytes(given))
	}
	text := fmt.Sprintf("%s of %s are LOST: the kernel was told of %s", mebibytes(given-told), mebibytes(given), mebibytes(told))
	left := r.Path.left()
	if left == nil || left.Map == nil || r.ToldToUseLess() {
		return text
	}
	late := r.Negotiation.AcceptedAtExit
	unaccepted := max(late, left.Map.Unaccepted)
	switch {
	case left.Linux != "":
		return text + fmt.Sprintf(". Its EFI stub found %s of unaccepted memory in firmware's map and does not know how to accept it: "+
			"take a kernel with CONFIG_UNACCEPTED_MEMORY (Linux 6.5 or newer), or firmware that accepts all memory (--firmware-policy eager)", mebibytes(unaccepted))
	case unaccepted == 0:
		return text
	}
	text += fmt.Sprintf(". %s told the kernel that %s of unaccepted memory (type 15) are reserved", left.Name, mebibytes(unaccepted))
	if late > 0 {
		text += ", before firmware accepted them at ExitBootServices, and not again afterwards"
	}
	return text + ": have it start the kernel's EFI stub (in GRUB 2.06 linuxefi and initrdefi, or GRUB 2.12), or take firmware that accepts all memory (--firmware-policy eager)"
}

func mebibytes(n uint64) string { return FormatCount(n>>20) + " MiB" }
