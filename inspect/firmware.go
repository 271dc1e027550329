package inspect

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// Firmware is what was found out about one firmware image. The JSON form is documented in docs/inspect.md.
type Firmware struct {
	File     string           `json:"file"` // as given
	Path     string           `json:"path"` // of the image within it; "" if the file is the image
	Metadata []string         `json:"metadata"`
	TDX      FirmwarePlatform `json:"tdx"`
	SNP      FirmwarePlatform `json:"snp"`
	Notes    []string         `json:"notes"`
	Advice   string           `json:"advice"`

	volume int
	path   string // in its volume
}

// FirmwarePlatform is what a firmware image does on TDX, or on SEV-SNP.
type FirmwarePlatform struct {
	Guest      Finding `json:"guest"`      // a guest can be started with it
	Leaves     Finding `json:"leaves"`     // it hands memory over to the operating system unaccepted
	From       uint64  `json:"from"`       // the address from which on; 0 where it does not, or that could not be told
	Negotiates Finding `json:"negotiates"` // it has the protocol, and accepts all memory where it is not called
}

// Name is how people call the image: its path in the file, or the file.
func (f *Firmware) Name() string {
	if f.Path == "" {
		return f.File
	}
	return f.File + ": " + f.Path
}

// maxFirmware is the size in bytes of the largest image that is read; OVMF has 4 MiB.
const maxFirmware = 256 << 20

// lookAtFirmware inspects a firmware image.
func (d *disk) lookAtFirmware(volume int, e image.Entry) error {
	data, err := e.Bytes(maxFirmware)
	if err != nil {
		return err
	}
	f := &Firmware{Path: d.where(volume, e.Name), Metadata: []string{}, Notes: []string{}, volume: volume, path: e.Name}
	metadata, err := image.ReadFirmware(data)
	if err != nil {
		f.Notes = append(f.Notes, err.Error())
	}
	modules, unread := image.Modules(data)
	f.Notes = append(f.Notes, unread...)
	if len(modules) == 0 && len(unread) == 0 && err == nil {
		return passedOver{"a firmware image without programs, such as one of variables"}
	}
	f.tell(metadata)
	f.judge(metadata, readModules(modules), err != nil || len(unread) > 0)
	f.Advice = f.advise()
	d.firmware = append(d.firmware, f)
	return nil
}

// tell says in words what the image tells the VMM that starts it.
func (f *Firmware) tell(m image.FirmwareMetadata) {
	if m.TDX != nil {
		f.Metadata = append(f.Metadata, fmt.Sprintf("TDX metadata: %d sections", len(m.TDX)))
	}
	if m.SEV != nil {
		f.Metadata = append(f.Metadata, fmt.Sprintf("SEV metadata: %d sections", len(m.SEV)))
	}
	if m.Reset {
		f.Metadata = append(f.Metadata, "SEV-ES reset block")
	}
	if m.Secret {
		f.Metadata = append(f.Metadata, "SEV secret block")
	}
	if m.Hashes {
		f.Metadata = append(f.Metadata, "SEV hash table block")
	}
}

// judge answers all questions. incomplete says that not all of the image could be read.
func (f *Firmware) judge(m image.FirmwareMetadata, all []moduleFacts, incomplete bool) {
	f.TDX.Guest = hasArea(m.TDX, image.TDXBootVolume, "TDX metadata", "no TDX metadata, without which no TD is started", incomplete)
	f.SNP.Guest = hasArea(m.SEV, image.SNPCPUID, "SEV metadata with a CPUID page",
		"no SEV metadata with a CPUID page, without which no SEV-SNP guest is started", incomplete)
	read := firmwareFacts{modules: all, incomplete: incomplete}
	f.TDX.Leaves, f.TDX.From = read.leaves(f.TDX.Guest.Verdict, onTDX)
	f.SNP.Leaves, f.SNP.From = read.leaves(f.SNP.Guest.Verdict, onSNP)
	f.TDX.Negotiates = read.negotiates(f.TDX.Guest.Verdict, onTDX)
	f.SNP.Negotiates = read.negotiates(f.SNP.Guest.Verdict, onSNP)
	for _, m := range all {
		if m.relevant() && m.why != "" {
			f.Notes = append(f.Notes, fmt.Sprintf("not all of the code of %v could be read: %s", m.module, m.why))
		}
	}
}

func hasArea(areas []image.FirmwareArea, kind uint32, has, hasNot string, incomplete bool) Finding {
	for _, a := range areas {
		if a.Kind == kind && a.Size > 0 {
			return decide(Metadata, evidence(Metadata, Yes, has))
		}
	}
	if incomplete && areas == nil {
		return decide(Metadata, evidence(Metadata, Unknown, hasNot+"; but not all could be read"))
	}
	return decide(Metadata, evidence(Metadata, No, hasNot))
}

// advise is what an operator should know of the image.
func (f *Firmware) advise() string {
	var all []string
	for _, p := range []struct {
		name string
		FirmwarePlatform
	}{{"TDX", f.TDX}, {"SEV-SNP", f.SNP}} {
		if p.Guest.Verdict == Yes {
			all = append(all, fmt.Sprintf("On %s %s.", p.name, p.advise()))
		}
	}
	if len(all) == 0 {
		return "Not for TDX or SEV-SNP guests: it has no metadata for them."
	}
	return strings.Join(all, " ")
}

func (p FirmwarePlatform) advise() string {
	from := ""
	if p.From != 0 {
		from = fmt.Sprintf(" from %d GiB on", p.From>>30)
	}
	switch {
	case p.Leaves.Verdict == No:
		return "it accepts all memory itself, which takes long in a large VM; any operating system has all of it"
	case p.Leaves.Verdict == Unknown:
		return "what it does with memory could not be read: start a guest with it to see"
	case p.Negotiates.Verdict == Yes:
		return "it leaves memory" + from + " unaccepted to an operating system that says that it accepts it, and accepts all for others"
	case p.Negotiates.Verdict == No:
		return "it leaves memory" + from + " unaccepted and does not ask: an operating system that cannot accept it loses it"
	}
	return "it leaves memory" + from + " unaccepted; whether it asks the operating system could not be read"
}
