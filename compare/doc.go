// Package compare runs guests on machines that differ in one thing, and holds what came of them side by side: how
// accepted memory grows, when their programs start, what is lost, and who accepted what.
//
// [Run] takes guests and returns a [Result] for each; run.go, measure.go and rows.go know nothing of what is compared.
// [Demonstration] is the one comparison so far, that of tacit demo: demo.go has its guests and what is expected of them,
// words.go what it says, text.go and page.go the two forms in which it says so.
package compare
