// Package storm shows what becomes of acceptance where a guest has many processors: how long a boot takes until its first
// program, who accepts how much meanwhile, how many processors accept at the same time, and what they wait for. Kernels
// that accept for each look for a free page, as long as they have no watermarks, accept the more the more processors they
// have to start.
//
//	plan.go     which boots there are: a study of each kernel with each number of processors
//	row.go      what is said of a boot
//	table.go    for people, json.go for programs, picture.go for those who would rather look
//	thread.go   what others have measured, to hold it against
package storm
