package source

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxRedirects is how often a server may send on.
const maxRedirects = 5

// dialer makes connections for one reference.
type dialer struct {
	named map[string]bool // hosts, with their ports, that the user has named, whatever their addresses are
}

// client is what asks servers for one reference: host is the server that it names.
func (f *Fetcher) client(host string) *http.Client {
	d := &dialer{named: map[string]bool{withPort(host): !f.Strangers}}
	for _, h := range f.Hosts {
		d.named[withPort(h)] = true
	}
	t := &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return http.ProxyFromEnvironment(r) },
		// A proxy of the user's own resolves names itself, so that only literal addresses are looked at then.
		DialContext:            d.dial,
		TLSClientConfig:        f.TLS,
		TLSHandshakeTimeout:    f.limits().silence,
		ResponseHeaderTimeout:  f.limits().silence,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
	if p, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: host}}); err == nil && p != nil {
		d.named[withPort(p.Host)] = true
	}
	return &http.Client{Transport: secure{t, d}, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return refusal(fmt.Sprintf("more than %d redirects", maxRedirects))
		}
		return nil
	}}
}

// withPort is a host with its port, 443 if it has none.
func withPort(host string) string {
	host = strings.ToLower(host)
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "443")
}

// secure refuses what is not asked for by TLS, unless it is of this machine.
type secure struct {
	http.RoundTripper
	d *dialer
}

func (s secure) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()) {
		return nil, refusal("plain HTTP is not spoken with other machines")
	}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && !s.d.named[hostPort(r.URL)] {
		if err := public(ip); err != nil {
			return nil, err
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[u.Scheme]
	}
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// dial connects to a host that was named, or to any that has a public address: a name that leads to a local one is found out
// when it has been resolved, and cannot be another the next time.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n := net.Dialer{Timeout: 10 * time.Second}
	if !d.named[strings.ToLower(address)] {
		n.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return err
			}
			return public(at.Addr())
		}
	}
	return n.DialContext(ctx, network, address)
}

// shared is the address space of carriers (RFC 6598), which clouds have services of their own in.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// public says why an address is not that of a server for everybody; nil if it is.
func public(ip netip.Addr) error {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return refusal(fmt.Sprintf("it leads to %s, an address of the local network that was not named: if that is meant, say so with --local-host", ip))
	}
	return nil
}

// A refusal is why a server is not asked, also the next time.
type refusal string

func (r refusal) Error() string { return string(r) }
