// Package jetstream keeps what package catalogue finds, and hands out its work, on NATS JetStream: in this process, with a
// directory to keep it in, or on servers elsewhere. The two differ in how they are reached, and in nothing else.
//
//	open.go    a server in this process, or a connection
//	lock.go    one process at a time has a directory
//	values.go  results, verdicts and readings: key-value buckets
//	images.go  the bytes of images: an object store
//	queue.go   boots to run: a stream with a consumer for each version of the tool
package jetstream
