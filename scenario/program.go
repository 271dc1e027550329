package scenario

import (
	"slices"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/pefile"
)

// leaver is an EFI program that gets the memory map and calls ExitBootServices, at most so many times, and then switches the
// machine off. One that is refused as often returns the status that it got last. It knows nothing of unaccepted memory.
// Services are called as UEFI 2.10, section 2.3.4, says; their offsets are those of its chapter 4.
func leaver(times byte) (*image.Image, error) {
	code := slices.Concat(
		[]byte{0x53},       // push %rbx
		[]byte{0x41, 0x54}, // push %r12
		[]byte{0x41, 0x55}, // push %r13
		[]byte{0x41, 0x56}, // push %r14
		[]byte{0x48, 0x81, 0xEC, 0x68, 0x40, 0, 0}, // sub $0x4068,%rsp: arguments, four numbers, and the map
		[]byte{0x49, 0x89, 0xCD},                   // mov %rcx,%r13: the image's handle
		[]byte{0x48, 0x8B, 0x5A, 0x60},             // mov 0x60(%rdx),%rbx: EFI_BOOT_SERVICES
		[]byte{0x4C, 0x8B, 0x62, 0x58},             // mov 0x58(%rdx),%r12: EFI_RUNTIME_SERVICES
		[]byte{0x41, 0xBE, times, 0, 0, 0},         // mov $times,%r14d

		[]byte{0x48, 0xC7, 0x44, 0x24, 0x30, 0, 0x40, 0, 0}, // again: movq $0x4000,0x30(%rsp): MemoryMapSize
		[]byte{0x48, 0x8D, 0x44, 0x24, 0x48},                // lea 0x48(%rsp),%rax: DescriptorVersion
		[]byte{0x48, 0x89, 0x44, 0x24, 0x20},                // mov %rax,0x20(%rsp)
		[]byte{0x48, 0x8D, 0x4C, 0x24, 0x30},                // lea 0x30(%rsp),%rcx
		[]byte{0x48, 0x8D, 0x54, 0x24, 0x50},                // lea 0x50(%rsp),%rdx: MemoryMap
		[]byte{0x4C, 0x8D, 0x44, 0x24, 0x38},                // lea 0x38(%rsp),%r8: MapKey
		[]byte{0x4C, 0x8D, 0x4C, 0x24, 0x40},                // lea 0x40(%rsp),%r9: DescriptorSize
		[]byte{0xFF, 0x53, 0x38},                            // call *0x38(%rbx): GetMemoryMap
		[]byte{0x48, 0x85, 0xC0},                            // test %rax,%rax
		[]byte{0x75, 0x29},                                  // jne return
		[]byte{0x4C, 0x89, 0xE9},                            // mov %r13,%rcx
		[]byte{0x48, 0x8B, 0x54, 0x24, 0x38},                // mov 0x38(%rsp),%rdx
		[]byte{0xFF, 0x93, 0xE8, 0, 0, 0},                   // call *0xE8(%rbx): ExitBootServices
		[]byte{0x48, 0x85, 0xC0},                            // test %rax,%rax
		[]byte{0x74, 0x07},                                  // je left
		[]byte{0x41, 0xFF, 0xCE},                            // dec %r14d
		[]byte{0x75, 0xB9},                                  // jne again
		[]byte{0xEB, 0x0F},                                  // jmp return

		[]byte{0xB9, 2, 0, 0, 0},             // left: mov $2,%ecx: EfiResetShutdown
		[]byte{0x31, 0xD2},                   // xor %edx,%edx: EFI_SUCCESS
		[]byte{0x45, 0x31, 0xC0},             // xor %r8d,%r8d: no data
		[]byte{0x41, 0xFF, 0x54, 0x24, 0x68}, // call *0x68(%r12): ResetSystem

		[]byte{0x48, 0x81, 0xC4, 0x68, 0x40, 0, 0}, // return: add $0x4068,%rsp
		[]byte{0x41, 0x5E},                         // pop %r14
		[]byte{0x41, 0x5D},                         // pop %r13
		[]byte{0x41, 0x5C},                         // pop %r12
		[]byte{0x5B},                               // pop %rbx
		[]byte{0xC3},                               // ret
	)
	return image.Parse("leaver.efi", pefile.Make(pefile.Part{Name: ".text", Data: code}))
}
