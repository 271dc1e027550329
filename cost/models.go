package cost

// Models lists every model there is.
func Models() []Model { return []Model{TDX(), SNP(), Plain()} }

// TDX is the model for Intel TDX guests. It is anchored in one published figure: a 4 KiB page that the guest accepts
// when the host has yet to add it takes about 8 µs in all (Exit + HostAdd4K + TDXAccept4K = 8,000 ns). The others
// measured more on older processors: 11.4 to 16.6 µs (intel/lkvs), 11.9 µs (asterinas).
func TDX() Model { return Model{"tdx-estimate-1", "tdx", &tdx, nil} }

// SNP is the model for AMD SEV-SNP guests. Exits and #VC rest on one published measurement; for PVALIDATE, RMPUPDATE
// and page state changes no published time per operation was found.
func SNP() Model { return Model{"snp-estimate-1", "snp", &snp, nil} }

// Plain is the model for a guest of no confidential architecture.
func Plain() Model { return Model{"plain-estimate-1", "none", &plain, nil} }

// The sources more than one row leans on.
const (
	oneTick = "estimate: by definition, so that a TSC of 1 GHz advances by one for each instruction"
	dstack  = "Dstack-TEE/dstack pull request 1220 (2026, Granite Rapids, host maps 4 KiB): 8 µs for each 4 KiB fault"
	cvmEval = "TUM-DSE/CVM_eval benchmarks/vmexit (EPYC, averages): hypercall 3,553 ns and CPUID answered inside the guest " +
		"646 ns under SEV-SNP, hypercall 1,255 ns in a plain guest"
	ofDevices = "estimate: a VMM's thread and a solid-state disk: 20 µs for a request, and 2 GB/s"
	zeroing   = "clearing at 10 GB/s takes 400 ns for each 4 KiB"
)

var tdx = [events]Row{
	Instruction:   {NS: 1, Source: oneTick},
	Exit:          {NS: 2_500, Source: "estimate: share of the published total, " + dstack},
	HostAdd4K:     {NS: 3_500, Source: "estimate: share of the published total, " + dstack},
	HostAdd2M:     {NS: 207_900, Source: "estimate: 3,100 ns as for 4 KiB, and " + zeroing},
	ServiceMiB:    {NS: 102_400, Source: "estimate: as fast as clearing memory, and " + zeroing},
	ModuleCall:    {NS: 600, Source: "estimate: a VM exit to the module and back, without the host"},
	TDXAccept4K:   {NS: 2_000, Source: "derived: the rest of the published total, " + dstack},
	TDXAccept2M:   {NS: 206_400, Source: "estimate: 1,600 ns as for 4 KiB, and the module clears the page: " + zeroing},
	VE:            {NS: 1_000, Source: "estimate: a VM exit to the module, and the injection"},
	MapGPA:        {NS: 10_000, Source: "estimate: the host's kernel hands the request to the VMM in user space"},
	MapGPA4K:      {NS: 3_000, Source: "estimate: blocking, tracking and removing or adding one mapping"},
	MapGPA2M:      {NS: 20_000, Source: "estimate: as for 4 KiB, and giving the pages back to the host"},
	DeviceRequest: {NS: 20_000, Source: ofDevices},
	DeviceKiB:     {NS: 500, Source: ofDevices},
}

var snp = [events]Row{
	Instruction:       {NS: 1, Source: oneTick},
	Exit:              {NS: 2_900, Source: "derived: 3,553 ns less the 646 ns spent in the guest, published: " + cvmEval},
	HostAdd4K:         {NS: 3_500, Source: "estimate: as for TDX"},
	HostAdd2M:         {NS: 207_900, Source: "estimate: as for TDX"},
	ServiceMiB:        {NS: 102_400, Source: "estimate: as fast as clearing memory, and " + zeroing},
	VC:                {NS: 400, Source: "estimate: less than the published 646 ns that include the handler, " + cvmEval},
	PValidate4K:       {NS: 500, Source: "estimate: no published time found"},
	PValidate2M:       {NS: 1_000, Source: "estimate: no published time found; one RMP entry, contents are not cleared"},
	PageStateChange:   {NS: 10_000, Source: "estimate: the host's kernel hands the request to the VMM in user space"},
	PageStateChange4K: {NS: 1_000, Source: "estimate: no published time found"},
	PageStateChange2M: {NS: 2_000, Source: "estimate: no published time found"},
	RMPUpdate:         {NS: 1_000, Source: "estimate: no published time found"},
	DeviceRequest:     {NS: 20_000, Source: ofDevices},
	DeviceKiB:         {NS: 500, Source: ofDevices},
}

var plain = [events]Row{
	Instruction:   {NS: 1, Source: oneTick},
	Exit:          {NS: 1_255, Source: "published: " + cvmEval},
	HostAdd4K:     {NS: 1_500, Source: "estimate: an EPT violation, and " + zeroing},
	HostAdd2M:     {NS: 206_000, Source: "estimate: an EPT violation, and " + zeroing},
	ServiceMiB:    {NS: 102_400, Source: "estimate: as fast as clearing memory, and " + zeroing},
	DeviceRequest: {NS: 20_000, Source: ofDevices},
	DeviceKiB:     {NS: 500, Source: ofDevices},
}
