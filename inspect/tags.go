package inspect

import (
	"fmt"
	"strings"
)

// Clouds are the platforms for which there is advice on how to tag an image.
var Clouds = []string{"gce", "azure", "openstack", "aws"}

// A Tagging is how to tag an image on a cloud. Where a cloud wants one image for each platform, there are several.
type Tagging struct {
	Cloud   string   `json:"cloud"`
	Tags    []string `json:"tags"`    // in the cloud's vocabulary, NAME or NAME=VALUE; none where it has none for the image
	Command string   `json:"command"` // that gives an image the tags; empty where there are none. Capitals are to be filled in
	Notes   []string `json:"notes"`   // what else there is to know
}

// Lines are the command, and the notes as comments of a shell.
func (t Tagging) Lines() (lines []string) {
	if t.Command != "" {
		lines = append(lines, t.Command)
	}
	for _, n := range t.Notes {
		lines = append(lines, "# "+n)
	}
	return lines
}

// Able is what decides on the tags of an image.
type Able struct {
	UEFI                       bool // UEFI firmware can start it
	TDX, SNP                   bool // it can be a guest there
	AcceptsOnTDX, AcceptsOnSNP bool // it accepts memory there that firmware leaves unaccepted
}

// Tags says in the vocabulary of a cloud how to tag an image with these kernels, any of which may be booted. It is
// advice: what the cloud's firmware does with memory, a tag does not say.
func Tags(cloud string, kernels []*Kernel) []Tagging {
	all := func(is func(k *Kernel) bool) bool {
		for _, k := range kernels {
			if !is(k) {
				return false
			}
		}
		return len(kernels) > 0
	}
	// Without its EFI stub, a kernel sees no unaccepted memory.
	started := all(func(k *Kernel) bool { return k.incomplete == "" && (len(k.Boots) == 0 || k.Stub() == Yes) })
	return Able{
		UEFI:         all(func(k *Kernel) bool { return k.hasStub }),
		TDX:          all(func(k *Kernel) bool { return k.TDX.Guest.Verdict == Yes }),
		SNP:          all(func(k *Kernel) bool { return k.SNP.Guest.Verdict == Yes }),
		AcceptsOnTDX: started && all(func(k *Kernel) bool { return k.TDX.Accepts.Verdict == Yes }),
		AcceptsOnSNP: started && all(func(k *Kernel) bool { return k.SNP.Accepts.Verdict == Yes }),
	}.Tags(cloud)
}

// Tags says in the vocabulary of a cloud how to tag the image.
func (a Able) Tags(cloud string) []Tagging {
	switch cloud {
	case "gce":
		return []Tagging{a.gce()}
	case "azure":
		return []Tagging{a.azure()}
	case "openstack":
		return a.openstack()
	case "aws":
		return []Tagging{a.aws()}
	}
	return nil
}

// firmware are the notes on what firmware has to do for the image on these platforms.
func (a Able) firmware(tdx, snp bool) []string {
	notes := []string{}
	for _, p := range []struct {
		name           string
		guest, accepts bool
	}{
		{"TDX", tdx && a.TDX, a.AcceptsOnTDX}, {"SEV-SNP", snp && a.SNP, a.AcceptsOnSNP},
	} {
		if p.guest && !p.accepts {
			notes = append(notes, fmt.Sprintf("on %s only with firmware that accepts all memory itself", p.name))
		}
	}
	return notes
}

// none is a cloud's answer where it has no tag for the image.
func none(cloud, what string, notes []string) Tagging {
	return Tagging{Cloud: cloud, Tags: []string{}, Notes: append([]string{what}, notes...)}
}

// gce: Compute Engine API, GuestOsFeature.Type; gcloud compute images create. Which machine types have which network
// interface is in Google's "Building a custom operating system".
func (a Able) gce() Tagging {
	var features []string
	if a.UEFI {
		features = append(features, "UEFI_COMPATIBLE")
	}
	if a.SNP {
		features = append(features, "SEV_SNP_CAPABLE")
	}
	if a.TDX {
		features = append(features, "TDX_CAPABLE")
	}
	notes := a.firmware(true, true)
	if features == nil {
		return none("gce", "no guest OS feature", notes)
	}
	if a.SNP || a.TDX {
		notes = append(notes, "and GVNIC, if the image has that driver (CONFIG_GVE): machines of the third generation, "+
			"such as C3 for TDX, have no other network interface")
	}
	return Tagging{"gce", features, "gcloud compute images create IMAGE --source-uri=gs://BUCKET/DISK.tar.gz" +
		" --guest-os-features=" + strings.Join(features, ","), notes}
}

// azure: az sig image-definition create; Azure Compute Gallery, feature SecurityType.
func (a Able) azure() Tagging {
	notes := a.firmware(true, true)
	if !a.UEFI || !a.TDX && !a.SNP {
		return none("azure", "no SecurityType for confidential VMs", notes)
	}
	const tag = "SecurityType=ConfidentialVmSupported"
	notes = append(notes, "SecurityType=TrustedLaunchAndConfidentialVmSupported for one that boots under Secure Boot, too")
	return Tagging{"azure", []string{tag}, "az sig image-definition create --resource-group GROUP --gallery-name GALLERY" +
		" --gallery-image-definition IMAGE --publisher PUBLISHER --offer OFFER --sku SKU --os-type Linux --architecture x64" +
		" --hyper-v-generation V2 --features " + tag, notes}
}

// openstack: Nova's administration guide, "AMD SEV" and "Intel TDX", of release 34; nova/scheduler/utils.py for traits.
func (a Able) openstack() (all []Tagging) {
	if !a.UEFI || !a.TDX && !a.SNP {
		return []Tagging{none("openstack", "no property for memory encryption", a.firmware(true, true))}
	}
	add := func(notes []string, model string, more ...string) {
		properties := append([]string{"hw_machine_type=q35", "hw_firmware_type=uefi", "hw_firmware_stateless=true"}, more...)
		properties = append(properties, "hw_mem_encryption=true", "hw_mem_encryption_model="+model)
		all = append(all, Tagging{"openstack", properties,
			"openstack image set --property " + strings.Join(properties, " --property ") + " IMAGE", notes})
	}
	if a.SNP {
		add(append(a.firmware(false, true), "no trait is needed: the model makes Nova require HW_CPU_X86_AMD_SEV_SNP",
			"not with hw_disk_bus=ide"), "amd-sev-snp")
	}
	if a.TDX {
		add(append(a.firmware(true, false), "no trait is needed: the model makes Nova require HW_CPU_X86_INTEL_TDX",
			"not with hw_disk_bus=scsi or ide"), "intel-tdx", "hw_video_model=none")
	}
	if len(all) > 1 {
		last := &all[len(all)-1]
		last.Notes = append(last.Notes, "one or the other: an image has one model, so make two of it")
	}
	return all
}

// aws: EC2's user guide, "AMD SEV-SNP" and "AMI boot modes"; aws ec2 register-image. Nothing in them is about TDX.
func (a Able) aws() Tagging {
	notes := a.firmware(false, true)
	if !a.UEFI || !a.SNP {
		return none("aws", "no AMI for SEV-SNP, which is what EC2 has", notes)
	}
	notes = append(notes, "SEV-SNP is for the instance to say: aws ec2 run-instances --cpu-options AmdSevSnp=enabled")
	return Tagging{"aws", []string{"BootMode=uefi"}, "aws ec2 register-image --name IMAGE --architecture x86_64" +
		" --virtualization-type hvm --ena-support --boot-mode uefi --root-device-name /dev/xvda" +
		" --block-device-mappings DeviceName=/dev/xvda,Ebs={SnapshotId=SNAPSHOT}", notes}
}
