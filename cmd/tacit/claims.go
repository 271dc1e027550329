package main

import (
	"context"
	"path"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/vm"
)

// A claimer says what can be known of the image in a file without running it; nil where nothing can. Without an image it is a
// disk.
type claimer func(ctx context.Context, file string, img *image.Image) (*certify.Claims, error)

// claimsOf are the claims that inspect reads out of the file.
func claimsOf(ctx context.Context, file string, img *image.Image) (*certify.Claims, error) {
	r, err := inspect.File(ctx, file, inspect.Options{})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, nil // an EFI application that is no kernel: there is nothing to hold the boots against
	}
	if img == nil {
		return claimsOfDisk(r), nil
	}
	for _, k := range r.Kernels {
		if k.Release != img.Name && len(r.Kernels) > 1 {
			continue
		}
		return &certify.Claims{Negotiates: certify.Answer(k.Negotiates.Verdict), On: platformClaims(k)}, nil
	}
	return nil, nil
}

func platformClaims(k *inspect.Kernel) map[string]certify.PlatformClaim {
	claim := func(p inspect.Platform) certify.PlatformClaim {
		return certify.PlatformClaim{Guest: certify.Answer(p.Guest.Verdict), Accepts: certify.Answer(p.Accepts.Verdict)}
	}
	return map[string]certify.PlatformClaim{vm.TDX: claim(k.TDX), vm.SNP: claim(k.SNP)}
}

// claimsOfDisk are those of all its kernels, with the ways in which they are started. What a kernel can do is no claim of a
// disk of which a loader may start it without its EFI stub: then nothing tells it of unaccepted memory, and a TD dies of it.
func claimsOfDisk(r *inspect.Report) *certify.Claims {
	c := &certify.Claims{Negotiates: certify.Unknown}
	for _, k := range r.Kernels {
		claims := certify.KernelClaims{Release: k.Release, Negotiates: certify.Answer(k.Negotiated())}
		if k.Stub() == inspect.Yes {
			claims.On = platformClaims(k)
		}
		for _, b := range k.Boots {
			way := certify.Way{By: []string{path.Base(k.Path)}, Stub: certify.Answer(b.Stub)} // a unified kernel image starts the kernel in it
			for _, program := range b.Programs {
				way.By = append(way.By, path.Base(program))
			}
			claims.Ways = append(claims.Ways, way)
		}
		c.Kernels = append(c.Kernels, claims)
	}
	return c
}
