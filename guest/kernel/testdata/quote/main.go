// Command quote asks twice for a quote of the guest that it is.
package main

import (
	"fmt"

	"github.com/tacit-vm/tacit/guest/kernel"
)

func main() {
	for i := range 2 {
		quote, err := kernel.Quote([64]byte{byte(i)})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(len(quote), "bytes")
	}
}
