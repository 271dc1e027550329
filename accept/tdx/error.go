package tdx

import "github.com/tacit-vm/tacit/tdx/abi"

// An Error is a call that failed. It is part of the [Driver] that returned it and good until that is called again; a
// copy lasts.
type Error struct {
	GPA    uint64           // of the page, or where memory is that the host did not convert
	Leaf   abi.Leaf         // abi.LeafMemPageAccept, or abi.LeafVPVMCall: MapGPA
	Level  abi.Level        // the page's
	Status abi.Status       // the module's answer
	Host   abi.VMCallStatus // the host's, where the module has asked it
}

// Error returns one line with the call, the page and the answer.
func (e *Error) Error() string {
	if e.Leaf == abi.LeafVPVMCall && e.Status == abi.Success {
		return abi.VMCallMapGPA.String() + " at " + hex(e.GPA) + ": " + e.Host.String()
	}
	return "TDG." + e.Leaf.String() + " of the " + e.Level.String() + " page at " + hex(e.GPA) + ": " + e.Status.String()
}

// AlreadyAccepted says whether the page had been accepted before: its caller or the host is not to be trusted.
func (e *Error) AlreadyAccepted() bool { return e.Status.Code() == abi.PageAlreadyAccepted }

// hex is v in hexadecimal, with its prefix.
func hex(v uint64) string {
	var b [18]byte
	i := len(b)
	for {
		i--
		b[i] = "0123456789abcdef"[v%16]
		if v /= 16; v == 0 {
			break
		}
	}
	i -= 2
	b[i], b[i+1] = '0', 'x'
	return string(b[i:])
}
