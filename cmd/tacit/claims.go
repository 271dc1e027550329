package main

import (
	"context"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/vm"
)

// A claimer says what can be known of the image at path without running it; nil where nothing can.
type claimer func(ctx context.Context, path string, img *image.Image) (*certify.Claims, error)

// claimsOf are the claims that inspect reads out of the file.
func claimsOf(ctx context.Context, path string, img *image.Image) (*certify.Claims, error) {
	r, err := inspect.File(ctx, path, inspect.Options{})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, nil // an EFI application that is no kernel: there is nothing to hold the boots against
	}
	for _, k := range r.Kernels {
		if k.Release != img.Name && len(r.Kernels) > 1 {
			continue
		}
		claim := func(p inspect.Platform) certify.PlatformClaim {
			return certify.PlatformClaim{Guest: certify.Answer(p.Guest.Verdict), Accepts: certify.Answer(p.Accepts.Verdict)}
		}
		return &certify.Claims{
			Negotiates: certify.Answer(k.Negotiates.Verdict),
			On:         map[string]certify.PlatformClaim{vm.TDX: claim(k.TDX), vm.SNP: claim(k.SNP)},
		}, nil
	}
	return nil, nil
}
