// Package source finds images where they are: in files and directories here, behind https URLs, in registries of container
// images and in their layouts. What is elsewhere is fetched into a cache, whole and with its digest or not at all.
//
// Servers are not trusted: each answer is bounded in size and in time, what has another digest than was asked for is thrown
// away, and none leads to an address of the local network that the user has not named.
//
//	reference.go  what people write for an image
//	expand.go     … for several: patterns, directories, lists
//	source.go     from a reference to a file that can be opened
//	registry.go   manifests of container images, from a registry; layout.go from a directory
//	download.go   one file by HTTP, in several attempts if need be
//	client.go     which addresses and schemes are asked
//	cache.go      where files are kept by digest, and for how long
package source
