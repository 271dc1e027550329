// Package compare holds the record of one run against that of another, its base: how many times as long, how much more,
// and who in the guest asked for what changed. It runs nothing.
//
//	metric.go      the numbers that are compared
//	condition.go   what a number may not be: "init > 1.05x"
//	change.go      whose acceptance differs
//	sensitivity.go how a ratio moves with the cost model
//	series.go      what the patch series says of such a ratio, and what it does not say
//
// compare/study runs the machines whose records are compared.
package compare
