// Package certify proves by booting what an image does with unaccepted memory: every image is started on every
// platform, under every firmware policy and with every amount of memory that is asked for, and what it did becomes a
// verdict that a catalogue can store.
//
// What others say of the image without running it ([Claims], which package inspect reads out of the file) is held
// against the boots. Where the two disagree, one of them is wrong, and the certificate says so.
//
//	plan.go     which boots there are
//	subject.go  of what, and who runs them; disk.go of a disk
//	run.go      several at once
//	verdict.go  what they prove
//	path.go     how the kernel was started, held against what the file says of that
//	table.go    how it is shown to people and programs, junit.go and sarif.go to continuous integration
package certify
