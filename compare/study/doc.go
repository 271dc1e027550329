// Package study runs images in many ways and holds the runs side by side: every image on every platform, with every
// amount of memory, in every [Variant]. It answers "what is lazy acceptance worth?", with variants, and "what did this
// commit change?", with images.
//
//	variant.go  the ways in which a guest is started
//	plan.go     which boots there are, and which is held against which
//	run.go      several at once
//	saved.go    boots that need not be run again
//	row.go      what is said of a boot
//	judge.go    which conditions it meets
//	table.go    for people, json.go for programs, picture.go and page.go for those who would rather look
//	words.go    what has to be known to read them
package study
