package negotiate

import "github.com/tacit-vm/tacit/accept"

// A Policy is what firmware does about an operating system that may not know how to accept memory.
type Policy uint8

const (
	// Negotiate offers the memory acceptance protocol. If it has not been called by the first ExitBootServices, firmware
	// accepts everything then; that changes the memory map, so the call fails and the operating system tries again.
	Negotiate Policy = iota
	// Lazy hands memory over unaccepted whatever the operating system says, and offers no protocol.
	Lazy
	// Eager accepts everything before it starts the image.
	Eager

	// Policies is how many there are.
	Policies
)

var policyNames = [Policies]string{"negotiate", "lazy", "eager"}

// String returns the name of p in lower case.
func (p Policy) String() string {
	if p < Policies {
		return policyNames[p]
	}
	return "unknown policy"
}

// A Negotiation is firmware's side: what firmware and the operating system have told each other. It is plain data. The
// zero Negotiation of each [Policy] is the state before anything has been said.
type Negotiation struct {
	Policy Policy

	Offered      bool    // the memory acceptance protocol is installed
	LookedUpBy   Callers // who asked for the protocol
	AllowedBy    Callers // who called AllowUnacceptedMemory
	AcceptedLate uint64  // bytes that AcceptRest has had accepted
	ExitAttempts int     // calls of ExitBootServices
	Settled      bool    // AcceptRest has been called
}

// Offer says whether firmware is to install the protocol, and takes it for installed.
func (n *Negotiation) Offer() bool {
	n.Offered = n.Policy == Negotiate
	return n.Offered
}

// LookUp hears who asks for the protocol, there or not.
func (n *Negotiation) LookUp(by string) { n.LookedUpBy.add(by) }

// Allow is the protocol's only function, AllowUnacceptedMemory: the caller accepts memory itself.
func (n *Negotiation) Allow(by string) { n.AllowedBy.add(by) }

// Books is firmware's memory map, as far as it is about unaccepted memory.
type Books interface {
	// NextUnaccepted returns the first memory at or above an address that is unaccepted; empty where there is none.
	NextUnaccepted(from uint64) accept.Range
	// Accepted makes ordinary memory of r, a range that NextUnaccepted has returned. It changes the map and its key.
	Accepted(r accept.Range) error
}

// AcceptRest is what firmware does at every ExitBootServices before it looks at the key. Only the first one matters, and
// only where the policy is Negotiate: unless the operating system has said that it accepts memory itself, all that is left
// is accepted, in ascending order. It reports whether the map has changed. The operating system's key is wrong then, and
// it finds all its memory when it looks again.
//
// An error, of the driver or the books, leaves the rest as it is. What had been accepted before is in the books.
//
// It is what EDK2 does for SEV-SNP, from a handler of EFI_EVENT_GROUP_BEFORE_EXIT_BOOT_SERVICES
// (OvmfPkg/AmdSevDxe/AmdSevDxe.c).
func (n *Negotiation) AcceptRest(b Books, d accept.Driver) (changed bool, err error) {
	late := !n.Settled && n.Policy == Negotiate && n.AllowedBy.Len() == 0
	n.Settled = true
	if !late {
		return false, nil
	}
	for r := b.NextUnaccepted(0); !r.Empty(); r = b.NextUnaccepted(r.End) {
		if err := d.Accept(r); err != nil {
			return changed, err
		}
		if err := b.Accepted(r); err != nil {
			return changed, err
		}
		n.AcceptedLate += r.Len()
		changed = true
	}
	return changed, nil
}

// maxCallers bounds a list of callers: who calls a thousand times under a thousand names is not to fill firmware's
// memory.
const maxCallers = 16

// Callers are the names of those who called, each once, in the order of their first calls; of the first 16 only.
type Callers struct {
	names [maxCallers]string
	n     int
}

// Len returns how many there are.
func (c *Callers) Len() int { return c.n }

// Names returns the names: nil where there are none.
func (c *Callers) Names() []string { return append([]string(nil), c.names[:c.n]...) }

func (c *Callers) add(name string) {
	for _, known := range c.names[:c.n] {
		if known == name {
			return
		}
	}
	if c.n < maxCallers {
		c.names[c.n] = name
		c.n++
	}
}
