// Package confidential is what the architectures of confidential guests share: what each asks of its host, and how a guest
// of each ends that touches what is not its to touch, whose host leaves it alone, or that gives up. The rules themselves
// are packages tdx and snp.
package confidential
