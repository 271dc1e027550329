package inspect

import (
	"fmt"
	"strings"
)

// Clouds are the platforms for which there is advice on how to tag an image.
var Clouds = []string{"gce", "azure", "openstack"}

// Tags says in the vocabulary of a cloud how to tag an image with these kernels, any of which may be booted. It is
// advice: what the cloud's firmware does with memory, a tag does not say.
func Tags(cloud string, kernels []*Kernel) []string {
	all := func(is func(k *Kernel) Verdict) bool {
		for _, k := range kernels {
			if is(k) != Yes {
				return false
			}
		}
		return len(kernels) > 0
	}
	tdx := all(func(k *Kernel) Verdict { return k.TDX.Guest.Verdict })
	snp := all(func(k *Kernel) Verdict { return k.SNP.Guest.Verdict })
	uefi := all(func(k *Kernel) Verdict {
		if k.hasStub {
			return Yes
		}
		return No
	})
	started := func(k *Kernel) Verdict { // by its EFI stub, without which it sees no unaccepted memory
		if k.incomplete != "" {
			return Unknown
		}
		if len(k.Boots) == 0 {
			return Yes
		}
		return k.Stub()
	}
	var lines []string
	switch cloud {
	case "gce": // Compute Engine API, GuestOsFeature.Type
		lines = gceTags(uefi, tdx, snp)
	case "azure": // az sig image-definition create; Azure Compute Gallery, feature SecurityType
		lines = azureTags(uefi, tdx || snp)
	case "openstack": // Nova's administration guide, "AMD SEV" and "Intel TDX"
		lines = openstackTags(uefi, tdx, snp)
	}
	for _, p := range []struct {
		name    string
		guest   bool
		accepts func(k *Kernel) Verdict
	}{
		{"TDX", tdx, func(k *Kernel) Verdict { return k.TDX.Accepts.Verdict }},
		{"SEV-SNP", snp, func(k *Kernel) Verdict { return k.SNP.Accepts.Verdict }},
	} {
		if p.guest && !(all(p.accepts) && all(started)) {
			lines = append(lines, fmt.Sprintf("# on %s only with firmware that accepts all memory itself", p.name))
		}
	}
	return lines
}

func gceTags(uefi, tdx, snp bool) []string {
	var features []string
	if uefi {
		features = append(features, "UEFI_COMPATIBLE")
	}
	if snp {
		features = append(features, "SEV_SNP_CAPABLE")
	}
	if tdx {
		features = append(features, "TDX_CAPABLE")
	}
	if features == nil {
		return []string{"# no guest OS feature"}
	}
	return []string{"gcloud compute images create IMAGE --guest-os-features=" + strings.Join(features, ",")}
}

func azureTags(uefi, confidential bool) []string {
	if !uefi || !confidential {
		return []string{"# no SecurityType for confidential VMs"}
	}
	return []string{"az sig image-definition create --hyper-v-generation V2" +
		" --features SecurityType=ConfidentialVmSupported"}
}

func openstackTags(uefi, tdx, snp bool) []string {
	if !uefi || !tdx && !snp {
		return []string{"# no property for memory encryption"}
	}
	var lines []string
	set := func(model string, more ...string) {
		properties := append([]string{"hw_machine_type=q35", "hw_firmware_type=uefi", "hw_firmware_stateless=true"}, more...)
		properties = append(properties, "hw_mem_encryption=true", "hw_mem_encryption_model="+model)
		lines = append(lines, "openstack image set --property "+strings.Join(properties, " --property ")+" IMAGE")
	}
	if snp {
		set("amd-sev-snp")
	}
	if tdx {
		set("intel-tdx", "hw_video_model=none")
	}
	if len(lines) > 1 {
		lines = append(lines, "# one or the other: an image has one model, so make two of it")
	}
	return lines
}
