package snp

import "github.com/tacit-vm/tacit/snp/abi"

// A GHCB is the page through which a guest asks its host. It belongs to one processor. The guest makes it shared,
// registers it ([Driver.RegisterGHCB]) and then, for each exit, clears it, sets the fields that the exit needs, exits,
// and reads the fields that the host returns. The exits that a #VC handler forwards most have methods of their own.
//
// The host can write to the page at any time. What is read here is read once, and a Go program never reads a variable
// from memory twice that it has read once (The Go Memory Model, "Incorrect compilation"), so that what has been looked
// at is what is used.
type GHCB struct {
	Page *[abi.GHCBSize]byte // as the guest reaches it: mapped without C-bit
	GPA  uint64              // guest-physical address, without C-bit
}

// Clear makes all fields invalid.
func (g GHCB) Clear() {
	b := g.Page[abi.GHCBValidBitmap:][:abi.GHCBValidBitmapSize]
	put64(b, 0)
	put64(b[8:], 0)
}

// Set stores the field at an offset, [abi.GHCBRAX] and the like, and marks it as valid.
func (g GHCB) Set(at int, v uint64) {
	put64(g.Page[at:], v)
	g.mark(at)
}

// SetCPL stores the privilege level at which an exit arose, and marks it as valid.
func (g GHCB) SetCPL(cpl uint8) {
	g.Page[abi.GHCBCPL] = cpl
	g.mark(abi.GHCBCPL)
}

func (g GHCB) mark(at int) { g.Page[abi.GHCBValidBitmap+at/64] |= 1 << (at / 8 % 8) }

// Valid says whether the field at an offset is marked as valid.
func (g GHCB) Valid(at int) bool { return g.Page[abi.GHCBValidBitmap+at/64]>>(at/8%8)&1 != 0 }

// Get returns what is at an offset, whether or not it is marked as valid.
func (g GHCB) Get(at int) uint64 { return get64(g.Page[at:]) }

// Exit asks the host for an exit with what has been set before, and returns its reply.
func (g GHCB) Exit(x Instructions, code abi.ExitCode, info1, info2 uint64) Reply {
	g.Set(abi.GHCBSWExitCode, uint64(code))
	g.Set(abi.GHCBSWExitInfo1, info1)
	g.Set(abi.GHCBSWExitInfo2, info2)
	put64(g.Page[abi.GHCBProtocolVersion-2:], abi.ProtocolVersion2<<16) // and 0 for the usage, after it
	x.SetGHCBMSR(g.GPA)
	x.VMGEXIT()
	return Reply{Info1: g.Get(abi.GHCBSWExitInfo1), Info2: g.Get(abi.GHCBSWExitInfo2)}
}

// exit is Exit where the host has to return fields.
func (g GHCB) exit(x Instructions, code abi.ExitCode, info1 uint64, returned ...int) Reply {
	r := g.Exit(x, code, info1, 0)
	for _, at := range returned {
		r.Missing = r.Missing || !g.Valid(at)
	}
	return r
}

// A Reply is what the host has answered.
type Reply struct {
	Info1, Info2 uint64 // SW_EXITINFO1 and SW_EXITINFO2
	Missing      bool   // a field that the host has to return is not marked as valid
}

// Response is what the host wants of the guest.
func (r Reply) Response() abi.Response { return abi.Response(r.Info1) }

// OK says whether the host has done what it was asked for. Otherwise fields hold nothing of use.
func (r Reply) OK() bool { return r.Response() == abi.NoAction && !r.Missing }

// Exception returns the exception that the host asks the guest to take for the instruction that it exited for. There are
// two that it may ask for, #UD and #GP; ok is false of anything else.
func (r Reply) Exception() (vector uint8, code uint32, ok bool) {
	const form = abi.EventInjectionValid | abi.EventInjectionType
	const valid = abi.EventInjectionValid | abi.EventInjectionException
	vector = uint8(r.Info2 & abi.EventInjectionVector)
	if r.Response() != abi.IssueException || r.Info2&form != valid || vector != vectorUD && vector != vectorGP {
		return 0, 0, false
	}
	if r.Info2&abi.EventInjectionHasCode != 0 {
		code = uint32(r.Info2 >> abi.EventInjectionCode)
	}
	return vector, code, true
}

const (
	vectorUD = 6
	vectorGP = 13
)
