package vm_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
	"github.com/tacit-vm/tacit/vm"
)

// What a program for bare metal does itself, firmware's handlers do for it in a TD and in an SEV-SNP guest: it asks an I/O APIC's
// registers, by every instruction that they know, and executes what is the hypervisor's. It returns a sum of what it has
// read, which is to be what the processor makes of the same code on a plain machine.
func TestFirmwareServesDevicesAndExits(t *testing.T) {
	t.Parallel()
	mix := []byte{0x48, 0xC1, 0xC2, 0x07, 0x48, 0x31, 0xC2} // rol rdx,7; xor rdx,rax
	code := [][]byte{
		{0x31, 0xD2},                               // xor edx,edx
		{0xBB, 0x00, 0x00, 0xC0, 0xFE},             // mov ebx,0xFEC00000
		{0xBF, 0x02, 0x00, 0x00, 0x00},             // mov edi,2
		{0xB8, 0x10, 0x00, 0x00, 0x00},             // mov eax,0x10: the low half of the first entry
		{0x89, 0x03},                               // mov [rbx],eax
		{0xC7, 0x43, 0x10, 0x35, 0xA0, 0x01, 0x00}, // mov dword [rbx+0x10],0x1A035: masked, level, vector 0x35
	}
	for _, read := range [][]byte{
		{0x8B, 0x43, 0x10},       // mov eax,[rbx+0x10]
		{0x8B, 0x44, 0xFB, 0x00}, // mov eax,[rbx+rdi*8]
		{0x48, 0x8B, 0x43, 0x10}, // mov rax,[rbx+0x10]
		{0x66, 0x8B, 0x43, 0x10}, // mov ax,[rbx+0x10]
		{0x8A, 0x63, 0x10},       // mov ah,[rbx+0x10]
		{0x0F, 0xB6, 0x43, 0x10},
		{0x48, 0x0F, 0xBE, 0x43, 0x10},
		{0x0F, 0xB7, 0x43, 0x10},
		{0x48, 0x0F, 0xBF, 0x43, 0x10},
		{0xA1, 0x10, 0x00, 0xC0, 0xFE, 0, 0, 0, 0}, // mov eax,[0xFEC00010]
		{0x0F, 0x09},                               // wbinvd
		{0x0F, 0x08},                               // invd
		{0xE4, 0x61},                               // in al,0x61
		{0xB8, 0x00, 0x03, 0x00, 0x00},             // mov eax,0x300
		{0x0F, 0x23, 0xF8},                         // mov dr7,rax
		{0x41, 0x0F, 0x21, 0xF8},                   // mov r8,dr7
		{0x4C, 0x89, 0xC0},                         // mov rax,r8
	} {
		code = append(code, read, mix)
	}
	code = append(code, []byte{
		0x48, 0x89, 0xD0, // mov rax,rdx
		0x48, 0xC1, 0xE8, 0x08, // shr rax,8: not an error
		0xC3,
	})
	program := application(t, bytes.Join(code, nil))
	said := map[string]string{}
	for _, p := range []string{vm.None, vm.TDX, vm.SNP} {
		r := boot(t, vm.Config{Platform: p, Memory: 256 << 20, Image: program, Initrd: []byte{}})
		if r.Outcome != record.Halted {
			t.Errorf("%s: outcome %s: %+v", p, r.Outcome, r.Diagnosis)
			continue
		}
		said[p] = r.Diagnosis.Summary
	}
	t.Log(said[vm.None])
	if said[vm.TDX] != said[vm.None] || said[vm.SNP] != said[vm.None] {
		t.Errorf("they returned %q", said)
	}
}

// An SEV-SNP guest's images find a GHCB where the MSR says, mapped as shared and registered, and can talk to the host in it.
// This one asks for the hypervisor's features, and returns them.
func TestFirmwareLeavesAGHCB(t *testing.T) {
	t.Parallel()
	program := application(t, bytes.Join([][]byte{
		{0xB9, 0x30, 0x01, 0x01, 0xC0},                         // mov ecx,0xC0010130
		{0x0F, 0x32},                                           // rdmsr
		{0x48, 0xC1, 0xE2, 0x20},                               // shl rdx,32
		{0x48, 0x09, 0xD0},                                     // or rax,rdx
		{0x48, 0x89, 0xC3},                                     // mov rbx,rax
		{0xB8, 0xFD, 0xFF, 0x00, 0x80},                         // mov eax,0x8000FFFD
		{0x48, 0x89, 0x83, 0x90, 0x03, 0x00, 0x00},             // mov [rbx+SW_EXITCODE],rax
		{0xC6, 0x83, 0xFE, 0x03, 0x00, 0x00, 0x1C},             // mov byte [rbx+0x3FE],0x1C: that, SW_EXITINFO1 and 2 are valid
		{0x66, 0xC7, 0x83, 0xFA, 0x0F, 0x00, 0x00, 0x02, 0x00}, // mov word [rbx+0xFFA],2: the protocol's version
		{0xF3, 0x0F, 0x01, 0xD9},                               // vmgexit
		{0x48, 0x8B, 0x83, 0xA0, 0x03, 0x00, 0x00},             // mov rax,[rbx+SW_EXITINFO2]
		{0x48, 0xC1, 0xE0, 0x10},                               // shl rax,16: a status that has no name
		{0xC3},
	}, nil))
	r := boot(t, vm.Config{Platform: vm.SNP, Memory: 256 << 20, Image: program, Initrd: []byte{}})
	if want := fmt.Sprintf("EFI_Status(%#x)", (abi.FeatureSNP|abi.FeatureAPCreation)<<16); r.Outcome != record.Halted || !strings.Contains(r.Diagnosis.Summary, want) {
		t.Errorf("outcome %s, %+v; want %s", r.Outcome, r.Diagnosis, want)
	}
}
