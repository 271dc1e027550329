package certify

import (
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/vm"
)

// A Result is what becomes of an image.
type Result string

// Results.
const (
	Passed   Result = "passed"  // it shows all that is required, and no claim is contradicted
	Failed   Result = "failed"  // it does not show something, or a claim is contradicted
	Unjudged Result = "unknown" // neither: it could not be booted, or a boot proves nothing
)

// conclude says what becomes of the image, and how to tag it.
func (v *Verdict) conclude() {
	required := make([]Answer, 0, len(v.Required))
	for _, a := range v.Required {
		required = append(required, a)
	}
	switch a := both(required); {
	case a == No || len(v.Disagreements) > 0:
		v.Result = Failed
	case !v.Complete || len(required) > 0 && a == Unknown:
		v.Result = Unjudged
	default:
		v.Result = Passed
	}
	v.Tags = []inspect.Tagging{}
	if v.Error != "" {
		return
	}
	tdx, snp := v.Platforms[vm.TDX], v.Platforms[vm.SNP]
	able := inspect.Able{
		UEFI: true, // firmware started it
		TDX:  tdx.Guest == Yes, AcceptsOnTDX: tdx.Accepts == Yes,
		SNP: snp.Guest == Yes, AcceptsOnSNP: snp.Accepts == Yes,
	}
	for _, cloud := range inspect.Clouds {
		v.Tags = append(v.Tags, able.Tags(cloud)...)
	}
}
