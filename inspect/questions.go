package inspect

// question is one that is asked about every kernel.
type question int

const (
	guestTDX question = iota
	acceptsTDX
	guestSNP
	acceptsSNP
	negotiates
	acceptsAny // unaccepted memory at all, whatever the platform
	questions
)
