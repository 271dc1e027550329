package catalogue

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Keeper is a [certify.Runner] that runs no boot twice: what has come to its end is kept before it is answered.
type Keeper struct {
	Results Results
	Tool    string         // the version of what runs
	Boots   certify.Runner // runs those that are not known
	Kept    atomic.Int64   // how many were known
}

// Run returns what is known of the boot, or runs it. A boot of which it cannot be said whether it is known is not run.
func (k *Keeper) Run(ctx context.Context, s *certify.Subject, cfg vm.Config) (*record.Record, error) {
	j, err := JobOf(s, cfg)
	if err != nil {
		return nil, err
	}
	if j.SHA256 == "" { // a disk of this machine, which may have another content the next time
		return k.Boots.Run(ctx, s, cfg)
	}
	key := j.Key(k.Tool)
	switch known, err := get(ctx, k.Results, key); {
	case err == nil && known.Final:
		k.Kept.Add(1)
		return known.answer()
	case err != nil && !errors.Is(err, ErrUnknown):
		return nil, err
	}
	r, err := k.Boots.Run(ctx, s, cfg)
	if result := resultOf(key, k.Tool, j, r, err); result.Final {
		ctx, cancel := lasting(ctx) // the work is done
		defer cancel()
		if err := k.Results.Keep(ctx, result); err != nil {
			return nil, err
		}
	}
	return r, err
}

// lastWords is how long what has been found out may take to be kept where ctx is done already.
const lastWords = 600 * time.Millisecond

// lasting is a context that ends a little after ctx.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })
	return longer, func() { stop(); cancel() }
}
