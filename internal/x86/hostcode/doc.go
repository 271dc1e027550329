// Package hostcode has the words in which the processor speaks with what makes machine code of its blocks, whatever the host
// is: what is translated and where its code goes, what code says when it leaves, and where code finds the processor's state.
// The translators of amd64 and of arm64 hosts are made of them.
package hostcode
