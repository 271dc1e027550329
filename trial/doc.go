// Package trial tries the published attacks on confidential guests against an image, and says what it withstands.
//
// A guest is started once on each platform. A copy of it goes on with an honest host: what it comes to is what the others are
// held against. Each attack has another copy of its own, from the moment at which it is to begin.
//
//	plan.go     which trials there are
//	run.go      the guests, and several trials at once
//	verdict.go  held, broken, or not reached
//	table.go    how it is shown to people and programs, junit.go to continuous integration
//
// The attacks themselves are package internal/attack.
package trial
