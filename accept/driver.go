package accept

// A Driver accepts memory by the means of one architecture: TDG.MEM.PAGE.ACCEPT on Intel TDX, a page state change and
// PVALIDATE on AMD SEV-SNP. It is all that this package and those who use it need to know of an architecture;
// [github.com/tacit-vm/tacit/accept/tdx] and [github.com/tacit-vm/tacit/accept/snp] are two.
type Driver interface {
	// Accept accepts r, whose ends are multiples of [PageSize], whole. No page of r has been accepted before: a
	// driver that finds one returns an error, since either its caller or the host is not to be trusted.
	//
	// After an error only the driver knows which pages of r have been accepted. An error may be good only
	// until the next call.
	Accept(r Range) error
}

// A DriverFunc is a function that is a [Driver].
type DriverFunc func(r Range) error

// Accept calls f.
func (f DriverFunc) Accept(r Range) error { return f(r) }
