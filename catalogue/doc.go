// Package catalogue certifies many images, and knows afterwards what it has found: what a boot shows is a function of
// image, configuration and version of the tool, so it is kept under the digest of the three, and no boot is run twice.
//
// A boot that is to be run is a [Job], a value that travels to other machines; what came of it is a [Result]. The package
// knows no engine: it says what it needs of one that keeps ([Results]), hands out ([Queue]) and holds images ([Images]),
// and package catalogue/jetstream is one.
//
//	job.go      what is to be booted, and the key of what comes of it
//	result.go   what came of it
//	keeper.go   certify's boots, each run once, here
//	spread.go   … or by workers on other machines
//	worker.go   one that takes boots from a queue, disks.go the disks that it has got
//	history.go  verdicts by date and version, and what changed between two
package catalogue
