package physical

// Plane is one of the two memories that a guest-physical address of a confidential guest can mean: what is stored through
// one is not what is read through the other.
type Plane uint8

// The planes. A guest without a confidential platform has only the private one.
const (
	Private Plane = iota
	Shared

	Planes // how many there are
)

var planeNames = [Planes]string{Private: "private", Shared: "shared"}

func (p Plane) String() string { return word(planeNames[:], p) }

// MarshalText writes the plane as records have it: "private", "shared".
func (p Plane) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (p *Plane) UnmarshalText(text []byte) error { return unword(planeNames[:], text, p) }
