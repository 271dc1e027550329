package processors

import "github.com/tacit-vm/tacit/snp/abi"

// MarkVMSA makes the page at a virtual address one that a processor can run from, with RMPADJUST, and says whether that has
// been done. The guest has to be at VMPL0.
func MarkVMSA(va uint64) bool {
	const vmpl1, size4K = 1, 0
	return rmpadjust(va, size4K, abi.AdjustVMSA|vmpl1) == abi.Success
}

// rmpadjust is the instruction (APM vol. 3, RMPADJUST), in vmsa_amd64.s.
func rmpadjust(va, size, attributes uint64) abi.Result
