package snp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/confidential"
)

// What the guest writes with its key and the host reads without it is AES, each 16 bytes on their own, with a tweak by
// where in physical memory they are (AMD, "Memory Encryption", 2016; the mode is called XEX). So what is put back into the
// frame that it was read from is what it was, and anything else that the host writes is junk. Only frames in a host's
// hands are ever seen like this, see frames.go; of all others junk.go knows all that a guest can see.

// guestKey is the guest's key, in the two parts that the mode takes.
type guestKey struct{ data, tweak cipher.Block }

// newKey makes a guest's key of the seed.
func newKey(seed uint64) (k guestKey, err error) {
	var b [2 * aes.BlockSize]byte
	state := mix(seed ^ golden)
	for at := 0; at < len(b); at += 8 {
		state += golden
		binary.LittleEndian.PutUint64(b[at:], mix(state))
	}
	if k.data, err = aes.NewCipher(b[:aes.BlockSize]); err == nil {
		k.tweak, err = aes.NewCipher(b[aes.BlockSize:])
	}
	return k, err
}

// encrypt turns the 4 KiB that the guest has in frame f into what the host reads there.
func (k guestKey) encrypt(f confidential.Frame, page []byte) { k.apply(k.data.Encrypt, f, page) }

// decrypt turns what the host writes to frame f into what the guest reads there.
func (k guestKey) decrypt(f confidential.Frame, page []byte) { k.apply(k.data.Decrypt, f, page) }

// apply applies block to each 16 bytes of page, with a tweak by frame and place.
func (k guestKey) apply(block func(dst, src []byte), f confidential.Frame, page []byte) {
	var tweak [aes.BlockSize]byte
	for at := 0; at < len(page); at += aes.BlockSize {
		binary.LittleEndian.PutUint64(tweak[:], uint64(f))
		binary.LittleEndian.PutUint64(tweak[8:], uint64(at))
		k.tweak.Encrypt(tweak[:], tweak[:])
		b := page[at : at+aes.BlockSize]
		subtle.XORBytes(b, b, tweak[:])
		block(b, b)
		subtle.XORBytes(b, b, tweak[:])
	}
}
