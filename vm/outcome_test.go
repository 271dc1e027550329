package vm_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// powerOff calls ResetSystem to switch the machine off. The system table is in R12, where keepTable puts it.
func (p *program) powerOff() {
	p.emit(0x49, 0x8B, 0x44, 0x24, 0x58) // mov rax, [r12+0x58]: runtime services
	p.imm32([]byte{0xB9}, 2)             // mov ecx: EfiResetShutdown
	p.emit(0x31, 0xD2)                   // xor edx, edx: EFI_SUCCESS
	p.emit(0x45, 0x31, 0xC0)             // xor r8d, r8d
	p.emit(0x45, 0x31, 0xC9)             // xor r9d, r9d
	p.emit(0x48, 0x83, 0xEC, 0x28)       // sub rsp, 0x28
	p.emit(0xFF, 0x50, 0x68)             // call [rax+0x68]: ResetSystem
}

func (p *program) keepTable() { p.emit(0x49, 0x89, 0xD4) } // mov r12, rdx

// A guest that switches itself off has shown nothing of an attack or a lie that never came.
func TestWhatNeverHappenedIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.ConfidentialPlatforms() {
		for name, c := range map[string]struct {
			cfg  vm.Config
			want record.Outcome
			says string
		}{
			"honest":    {vm.Config{}, record.PowerOff, ""},
			"an attack": {vm.Config{HostAttack: "split:1"}, record.PowerOff, ""},
			"too late":  {vm.Config{HostAttack: "drop:1000"}, record.Untested, "drop:1000 never happened"},
			"no lie":    {vm.Config{FirmwareLie: "key"}, record.Untested, "key was never told"},
		} {
			p := &program{platform: platform}
			p.keepTable()
			write(p)
			p.powerOff()
			c.cfg.Platform, c.cfg.Image, c.cfg.MaxInstructions = platform, application(t, p.code), 1_000_000
			b := boot(t, c.cfg)
			said := ""
			if b.Diagnosis != nil {
				said = b.Diagnosis.Summary
			}
			if b.Outcome != c.want || !strings.Contains(said, c.says) {
				t.Errorf("%s: %s: outcome %s, %q; want %s", platform, name, b.Outcome, said, c.want)
			}
			if by := b.Acceptance.By.Stub; by.Name != "program of the test" || by.Bytes != 2*mib {
				t.Errorf("%s: %s: %q accepted %d bytes", platform, name, by.Name, by.Bytes)
			}
		}
	}
}

// A guest that got over the #VC of a page that it had not validated did not die of it, whatever ends it later. One that
// did not come back from its handler did.
func TestSurvivedException(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler []byte
		want    record.Outcome
		says    string
	}{
		"comes back":     {[]byte{0x48, 0x83, 0xC4, 0x08, 0x48, 0xFF, 0x04, 0x24, 0x48, 0xFF, 0x04, 0x24, 0x48, 0xCF}, record.TripleFault, "triple fault"}, // add rsp, 8; inc qword [rsp] twice; iretq
		"does not":       {[]byte{0x0F, 0x0B}, record.Violation, "the guest did not survive the #VC"},                                                      // ud2
		"is interrupted": {[]byte{0xEB, 0xFE}, record.Limit, "the limit of"},                                                                               // jmp to itself
	} {
		b := boot(t, vm.Config{Platform: vm.SNP, Image: application(t, handlesVC(c.handler)), MaxInstructions: 100_000})
		if b.Outcome != c.want || !strings.HasPrefix(b.Diagnosis.Summary, c.says) && !strings.Contains(b.Diagnosis.Summary, "; "+c.says) {
			t.Errorf("%s: outcome %s, %q; want %s, %q", name, b.Outcome, b.Diagnosis.Summary, c.want, c.says)
		}
	}
}

// handlesVC is a program with an interrupt descriptor table of its own, in which there is a handler of #VC and nothing
// else. It reads a page that is not validated, and then executes UD2.
func handlesVC(handler []byte) []byte {
	const vc, table = 29, 0x100 // how far from the beginning the table is
	code := []byte{
		0x48, 0x8D, 0x1D, 0xF9, 0x00, 0x00, 0x00, // lea rbx, [table]
		0x48, 0x8D, 0x05, 0x72, 0x00, 0x00, 0x00, // lea rax, [handler]: at 0x80
		0x66, 0x89, 0x83, 0xD0, 0x01, 0x00, 0x00, // mov [rbx+29*16], ax
		0x8C, 0xC9, //                               mov ecx, cs
		0x66, 0x89, 0x8B, 0xD2, 0x01, 0x00, 0x00, // mov [rbx+29*16+2], cx
		0x66, 0xC7, 0x83, 0xD4, 0x01, 0x00, 0x00, 0x00, 0x8E, // mov word [rbx+29*16+4], 0x8E00: an interrupt gate
		0x48, 0xC1, 0xE8, 0x10, //                   shr rax, 16
		0x66, 0x89, 0x83, 0xD6, 0x01, 0x00, 0x00, // mov [rbx+29*16+6], ax
		0x48, 0x83, 0xEC, 0x18, //                   sub rsp, 0x18
		0x66, 0xC7, 0x04, 0x24, 0xDF, 0x01, //       mov word [rsp], 30*16-1
		0x48, 0x89, 0x5C, 0x24, 0x02, //             mov [rsp+2], rbx
		0x0F, 0x01, 0x1C, 0x24, //                   lidt [rsp]
		0xB8, 0x00, 0x00, 0x00, 0x40, //             mov eax, 0x40000000
		0x8B, 0x00, //                               mov eax, [rax]
		0x0F, 0x0B, //                               ud2
	}
	code = append(code, make([]byte, 0x80-len(code))...)
	code = append(code, handler...)
	return slices.Concat(code, make([]byte, table+(vc+1)*16-len(code)))
}

// An image that firmware cannot load is no run: there is nothing to say of a guest.
func TestImageThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	img := application(t, []byte{0xC3})
	img.Data[0x56] |= 1                                           // no relocations
	binary.LittleEndian.PutUint64(img.Data[0x58+24:], 0x40000000) // and at home where memory is unaccepted
	r, err := vm.Run(t.Context(), vm.Config{Image: img})
	if err == nil || r != nil || !strings.Contains(err.Error(), "can be loaded at 0x40000000 only") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := vm.Run(t.Context(), vm.Config{Image: application(t, []byte{0xC3}), Initrd: make([]byte, 200*mib), Memory: 128 * mib}); err == nil {
		t.Error("an initrd that is larger than memory")
	}
}

// A system that takes over and does not know on what it runs is told what it lacks: here one that has an interrupt
// descriptor table of its own, which is empty, and executes CPUID.
func TestAdviceForWhatIsNoGuest(t *testing.T) {
	t.Parallel()
	code := slices.Clone(countUnaccepted)
	exited := bytes.Index(code, []byte{0x75, 0xC1}) + 2 // after ExitBootServices
	copy(code[exited:], []byte{
		0x48, 0x83, 0xEC, 0x10, //                               sub rsp, 0x10
		0x48, 0xC7, 0x04, 0x24, 0x00, 0x00, 0x00, 0x00, //       mov qword [rsp], 0
		0x48, 0xC7, 0x44, 0x24, 0x08, 0x00, 0x00, 0x00, 0x00, // mov qword [rsp+8], 0
		0x0F, 0x01, 0x1C, 0x24, //                               lidt [rsp]
		0xB8, 0x06, 0x00, 0x00, 0x00, //                         mov eax, 6
		0x0F, 0xA2, //                                           cpuid
		0x0F, 0x0B, //                                           ud2
	})
	for platform, want := range map[string]string{vm.TDX: "CONFIG_INTEL_TDX_GUEST", vm.SNP: "CONFIG_AMD_MEM_ENCRYPT", vm.None: ""} {
		b := boot(t, vm.Config{Platform: platform, Image: application(t, code), MaxInstructions: 100_000})
		if b.Outcome != record.TripleFault || !strings.Contains(b.Diagnosis.Advice, want) || want == "" && b.Diagnosis.Advice != "" {
			t.Errorf("%s: outcome %s, %+v; want advice about %s; %v", platform, b.Outcome, b.Diagnosis, want, b.Calls)
		}
	}
}

// What the command refuses, the configuration refuses.
func TestConfigsThatAreRefused(t *testing.T) {
	for name, cfg := range map[string]vm.Config{
		"a platform":           {Platform: "sgx"},
		"odd memory":           {Memory: 3 * mib},
		"too much memory":      {Memory: 5 << 40},
		"a policy":             {FirmwarePolicy: "none"},
		"host pages":           {HostPage: gib},
		"time that went by":    {MaxWall: -1},
		"blocks of less":       {BlockLimit: -1},
		"too much to touch":    {Touch: 4*gib + 1},
		"somebody else's init": {Touch: mib, Initrd: []byte("070701")},
		"too large an initrd":  {Memory: 128 * mib, Initrd: make([]byte, 128*mib+1)},
	} {
		if err := cfg.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
		cfg.Image = application(t, []byte{0xC3})
		if _, err := vm.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: it ran", name)
		}
	}
	for name, cfg := range map[string]vm.Config{"an application": {Touch: mib, Image: application(t, []byte{0xC3})}, "tacit's own guest": {Touch: mib}} {
		if _, err := vm.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "tacit's init") {
			t.Errorf("to touch memory in %s: %v", name, err)
		}
	}
}

// An application that is no kernel is handed no kernel's command line, but what it is given.
func TestApplicationsHaveTheirOwnOptions(t *testing.T) {
	t.Parallel()
	own := "an option"
	for want, cfg := range map[string]vm.Config{"": {}, "more": {Append: "more"}, "an option more": {CommandLine: &own, Append: "more"}} {
		cfg.Image = application(t, []byte{0x31, 0xC0, 0xC3})
		if b := boot(t, cfg); b.Config.CommandLine != want {
			t.Errorf("%q, want %q", b.Config.CommandLine, want)
		}
	}
}
