package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/record"
)

// storeFlags say where results are kept.
type storeFlags struct {
	dir    string
	remote jetstream.Remote
}

// add adds the flags.
func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.dir, "store", "", "keep results in the directory `DIR` (default: tacit/results in the user's cache)")
	f.addRemote(flags)
}

func (f *storeFlags) addRemote(flags *pflag.FlagSet) {
	flags.StringVar(&f.remote.URL, "nats", "", "use the NATS servers at `URL`, several with commas between them, such as tls://nats.example:4222")
	flags.StringVar(&f.remote.Credentials, "nats-creds", "", "show the servers the credentials in `FILE`")
	flags.StringVar(&f.remote.CA, "nats-ca", "", "believe servers whose certificates are signed with one in `FILE` (default: the system's)")
	flags.StringVar(&f.remote.Cert, "nats-cert", "", "show the servers the certificate in `FILE`")
	flags.StringVar(&f.remote.Key, "nats-key", "", "the key of --nats-cert is in `FILE`")
}

// check says what cannot be meant.
func (f *storeFlags) check() error {
	switch {
	case f.dir != "" && f.remote.URL != "":
		return errors.New("--store and --nats: results are kept in one of the two")
	case f.remote.URL == "" && (f.remote.Credentials != "" || f.remote.CA != "" || f.remote.Cert != "" || f.remote.Key != ""):
		return errors.New("--nats-creds, --nats-ca, --nats-cert and --nats-key are for servers that --nats names")
	case (f.remote.Cert == "") != (f.remote.Key == ""):
		return errors.New("--nats-cert and --nats-key go together")
	}
	return nil
}

// files are the files that the flags name.
func (f *storeFlags) files() []named {
	return []named{
		{by: "--nats-creds", path: f.remote.Credentials}, {by: "--nats-ca", path: f.remote.CA},
		{by: "--nats-cert", path: f.remote.Cert}, {by: "--nats-key", path: f.remote.Key},
	}
}

// open opens the store that the flags name, or the user's own.
func (f *storeFlags) open(ctx context.Context, as string, stderr io.Writer) (*jetstream.Store, error) {
	if f.remote.URL != "" {
		to := f.remote
		to.Name = as
		return jetstream.Connect(ctx, to)
	}
	dir, err := f.directory()
	if err != nil {
		return nil, err
	}
	return jetstream.Open(ctx, dir, func() {
		fmt.Fprintf(stderr, "tacit: %s: another tacit has the store, and is waited for\n", record.Printable(dir))
	})
}

// directory is the store that is no server: the one that is named, or the user's own.
func (f *storeFlags) directory() (string, error) {
	if f.dir != "" {
		return f.dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep results: %w: say it with --store", err)
	}
	return filepath.Join(cache, "tacit", "results"), nil
}

// errDirty says why a build keeps nothing.
var errDirty = errors.New("this build of tacit is of no version: results are kept by version, so they are not kept. " +
	"Build it with go build in a checkout without changes, or with go install …@VERSION")

// cleanVersion is the version of the sources that this is built from. A tree with changes has none: two such builds may
// differ, and be called the same. It is a variable for tests.
var cleanVersion = func() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errDirty
	}
	setting := map[string]string{}
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	return versionOf(info.Main.Version, setting["vcs.revision"], setting["vcs.modified"])
}

// versionOf is the version as results are kept by: without that of Go and the host's architecture, which do not matter.
func versionOf(version, revision, modified string) (string, error) {
	devel := version == "" || version == "(devel)"
	if modified == "true" || strings.Contains(version, "+dirty") || devel && revision == "" {
		return "", errDirty
	}
	if devel {
		version = "devel"
	}
	return strings.TrimSpace("tacit " + cmp.Or(version, "devel") + " " + revision), nil
}
