// Package demo is tacit demo: five guests side by side, which show what unaccepted memory is good for, how accepted
// memory grows, when programs start, and what is lost.
//
// [Run] takes guests and returns a [Result] for each; run.go, measure.go and rows.go know nothing of which guests they
// are. [Demonstration] has the five, and what is expected of them: demo.go. words.go is what it says, text.go and page.go
// the two forms in which it says so.
package demo
