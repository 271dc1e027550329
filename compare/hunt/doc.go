// Package hunt looks for races: it boots a guest with many processors in one order of what they could do at the same time
// after another, until it ends otherwise than in the plain order, or the orders that were asked for have been tried.
//
//	hunt.go    the boots, several at a time, and which of them is found
//	judge.go   what an end says
//	result.go  what came of it, for people and programs
package hunt
