package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/mem"
)

// What a guest finds in its private memory before its first instruction: on hardware the secure processor puts the
// secrets page and the CPUID page there (SNP_LAUNCH_UPDATE), and firmware tells the operating system where they are by
// a blob, whose address is a configuration table (uefi.CCBlobGUID).

// The blob (EDK2, ConfidentialComputingSevSnpBlob.h; Linux, struct cc_blob_sev_info).
const (
	blobMagic         = 0x4544_4D41 // "AMDE"
	blobVersion       = 1
	blobSize          = 40
	offBlobSecrets    = 8
	offBlobSecretsLen = 16
	offBlobCPUID      = 24
	offBlobCPUIDLen   = 32
)

// The secrets page (SEV-SNP Firmware ABI, table "Secrets Page Format"; Linux, struct snp_secrets_page).
const (
	secretsVersion = 3
	offSecretsFMS  = 8
	offVMPCK       = 0x20 // four keys for messages to the secure processor, one for each VMPL
	vmpckSize      = 32
)

// The CPUID page (SEV-SNP Firmware ABI, table "CPUID Page"; Linux, struct snp_cpuid_table): a count, and from 16 on
// entries.
const (
	cpuidHeader    = 16
	cpuidEntrySize = 48
	cpuidMax       = 64
)

// LaunchSize is how many bytes [Platform.Launch] returns.
const LaunchSize = 3 * mem.PageSize

// Launch returns what the guest's firmware is to put at address, a multiple of 4 KiB below 4 GiB, in memory that the
// operating system keeps private and does not overwrite (EfiACPIReclaimMemory): the blob at address itself, the secrets
// page and the CPUID page behind it.
func (p *Platform) Launch(address uint64) []byte {
	b := make([]byte, 0, LaunchSize)
	b = append(b, CCBlob(address+mem.PageSize, address+2*mem.PageSize)...)
	b = append(b, make([]byte, mem.PageSize-len(b))...)
	b = append(b, p.SecretsPage()...)
	return append(b, p.CPUIDPage()...)
}

// CCBlob returns the confidential computing blob, which leads to the secrets page and the CPUID page by their
// guest-physical addresses.
func CCBlob(secrets, cpuid uint64) []byte {
	b := make([]byte, blobSize)
	le := binary.LittleEndian
	le.PutUint32(b, blobMagic)
	le.PutUint16(b[4:], blobVersion)
	le.PutUint64(b[offBlobSecrets:], secrets)
	le.PutUint32(b[offBlobSecretsLen:], mem.PageSize)
	le.PutUint64(b[offBlobCPUID:], cpuid)
	le.PutUint32(b[offBlobCPUIDLen:], mem.PageSize)
	return b
}

// SecretsPage returns the secrets page. Its keys come from the seed, and nobody is there to talk to with them. It says
// nothing of an SVSM.
func (p *Platform) SecretsPage() []byte {
	b := make([]byte, mem.PageSize)
	le := binary.LittleEndian
	le.PutUint32(b, secretsVersion)
	le.PutUint32(b[offSecretsFMS:], amdSignature)
	state := mix(p.cfg.Seed + golden)
	for at := offVMPCK; at < offVMPCK+4*vmpckSize; at += 8 {
		state += golden
		le.PutUint64(b[at:], mix(state))
	}
	return b
}

// CPUIDPage returns the CPUID page.
func (p *Platform) CPUIDPage() []byte {
	b := make([]byte, mem.PageSize)
	le := binary.LittleEndian
	le.PutUint32(b, uint32(len(p.table)))
	for i, l := range p.table {
		e := b[cpuidHeader+i*cpuidEntrySize:]
		le.PutUint32(e, l.eax)
		le.PutUint32(e[4:], l.ecx)
		le.PutUint64(e[8:], l.xcr0)
		le.PutUint64(e[16:], l.xss)
		for k, v := range l.value {
			le.PutUint32(e[24+4*k:], v)
		}
	}
	return b
}
