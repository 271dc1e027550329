package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// What a guest finds in its private memory before its first instruction: on hardware the secure processor puts the
// secrets page and the CPUID page there (SNP_LAUNCH_UPDATE), and firmware tells the operating system where they are by
// a blob, whose address is a configuration table (uefi.CCBlobGUID).

// LaunchSize is how many bytes [Platform.Launch] returns.
const LaunchSize = 3 * mem.PageSize

// Launch returns what the guest's firmware is to put at address, a multiple of 4 KiB below 4 GiB, in memory that the
// operating system keeps private and does not overwrite (EfiACPIReclaimMemory): the blob at address itself, the secrets
// page and the CPUID page after it.
func (p *Platform) Launch(address uint64) []byte {
	b := make([]byte, 0, LaunchSize)
	b = append(b, ccBlob(address+mem.PageSize, address+2*mem.PageSize)...)
	b = append(b, make([]byte, mem.PageSize-len(b))...)
	b = append(b, p.SecretsPage()...)
	return append(b, p.CPUIDPage()...)
}

// ccBlob returns the confidential computing blob, which leads to the secrets page and the CPUID page by their
// guest-physical addresses.
func ccBlob(secrets, cpuid uint64) []byte {
	b := make([]byte, abi.CCBlobSize)
	le := binary.LittleEndian
	le.PutUint32(b, abi.CCBlobMagic)
	le.PutUint16(b[abi.CCBlobVersion:], abi.CCBlobVersion1)
	le.PutUint64(b[abi.CCBlobSecrets:], secrets)
	le.PutUint32(b[abi.CCBlobSecretsLen:], mem.PageSize)
	le.PutUint64(b[abi.CCBlobCPUID:], cpuid)
	le.PutUint32(b[abi.CCBlobCPUIDLen:], mem.PageSize)
	return b
}

// LaunchUpdate gives the guest pages that it finds in its private memory, validated, before its first instruction: SNP_LAUNCH_UPDATE
// (SEV Secure Nested Paging Firmware ABI, 8.17). Whole pages of RAM in [start, end), which nothing has been given to; where content is
// shorter, zeros follow. Nothing is measured.
func (p *Platform) LaunchUpdate(c *x86.CPU, start, end uint64, content []byte) error {
	const call = "SNP_LAUNCH_UPDATE"
	if err := p.checkRange(call, start, end); err != nil {
		return err
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if uint64(len(content)) > end-start || p.rmp.Any(first, after, func(s pageState) bool { return s.owner() != unmapped }) {
		return &ResultError{call, start, abi.FailInput}
	}
	p.rmp.Update(first, after, func(pageState) pageState { return validated })
	p.log.Add(record.Added{Stamp: p.cfg.Stamp(c), GPA: record.Address(start), Bytes: end - start, Size: physical.Size4K})
	return p.mem.Write(physical.Private, start, content)
}

// SecretsPage returns the secrets page. Its keys come from the seed, and there is no one to talk to with them. It says
// nothing of an SVSM, and that the time-stamp counter runs as fast as it says.
func (p *Platform) SecretsPage() []byte {
	b := make([]byte, mem.PageSize)
	le := binary.LittleEndian
	le.PutUint32(b[abi.SecretsVersion:], abi.SecretsVersion4)
	le.PutUint32(b[abi.SecretsFMS:], amdSignature)
	state := mix(p.cfg.Seed + golden)
	for at := abi.SecretsVMPCK; at < abi.SecretsVMPCK+4*abi.SecretsVMPCKSize; at += 8 {
		state += golden
		le.PutUint64(b[at:], mix(state))
	}
	return b
}

// CPUIDPage returns the CPUID page.
func (p *Platform) CPUIDPage() []byte {
	b := make([]byte, mem.PageSize)
	le := binary.LittleEndian
	le.PutUint32(b[abi.CPUIDPageCount:], uint32(len(p.table)))
	for i, l := range p.table {
		e := b[abi.CPUIDPageEntries+i*abi.CPUIDPageEntrySize:]
		le.PutUint32(e[abi.CPUIDEntryEAXIn:], l.eax)
		le.PutUint32(e[abi.CPUIDEntryECXIn:], l.ecx)
		le.PutUint64(e[abi.CPUIDEntryXCR0In:], l.xcr0)
		le.PutUint64(e[abi.CPUIDEntryXSSIn:], l.xss)
		for k, v := range l.value {
			le.PutUint32(e[abi.CPUIDEntryEAX+4*k:], v)
		}
	}
	return b
}
