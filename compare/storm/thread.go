package storm

// A measured boot is one of others, on a real machine.
type measured struct {
	cpus     int
	from, to float64 // seconds
}

// thread is what Dstack-TEE/dstack pull request 1220 (2026, Granite Rapids) says of the boot of TDs whose host maps 4 KiB
// pages, with an affected kernel: 64 processors take about 50 s; 248 and 32 GiB took 575 to 680 s.
var thread = []measured{{64, 50, 50}, {248, 575, 680}}

const threadName = "measured in Dstack-TEE/dstack pull request 1220: a TD, 4 KiB pages, another kernel"
