package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// serveNATS is a server, as nats-server -c CONFIG is one, in a process of its own.
func serveNATS(config string) {
	o, err := server.ProcessConfigFile(config)
	if err == nil {
		o.NoSigs, o.NoLog = true, true
		var s *server.Server
		if s, err = server.NewServer(o); err == nil {
			s.Start()
			end := make(chan os.Signal, 1)
			signal.Notify(end, syscall.SIGTERM)
			<-end
			os.Exit(0)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A cluster is three servers as processes, with certificates of one authority, an account for tacit, and another.
type cluster struct {
	t       testing.TB
	ports   []string // of clients, then of routes
	dir     string   // of everything: what servers keep is in s0, s1 and s2
	servers []*exec.Cmd
}

func newCluster(t testing.TB) *cluster {
	c := &cluster{t: t, servers: make([]*exec.Cmd, 3), dir: t.TempDir()}
	var held []net.Listener
	for range 6 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
		c.ports = append(c.ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	for _, l := range held {
		l.Close()
	}
	authority(t, c.dir)
	trust := accounts(t, c.dir)
	for i := range 3 {
		var routes []string
		for j := range 3 {
			if j != i {
				routes = append(routes, strconv.Quote("tls://127.0.0.1:"+c.ports[3+j]))
			}
		}
		write(t, c.in(fmt.Sprintf("s%d.conf", i)), fmt.Sprintf(`server_name: s%d
listen: "127.0.0.1:%s"
jetstream { store_dir: %q, sync_interval: always }
tls { cert_file: %q, key_file: %[5]q, ca_file: %[6]q }
cluster {
  name: tests, listen: "127.0.0.1:%s", routes: [%s]
  tls { cert_file: %[4]q, key_file: %[5]q, ca_file: %[6]q, verify: true }
}
%[9]s`, i, c.ports[i], c.in(fmt.Sprintf("s%d", i)), c.in("server.crt"), c.in("server.key"), c.in("ca.crt"), c.ports[3+i], strings.Join(routes, ", "), trust))
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range 3 {
			c.kill(i)
		}
	})
	return c
}

func (c *cluster) in(name string) string { return filepath.Join(c.dir, name) }

// authority makes a certificate authority, and a certificate of its for 127.0.0.1; and another authority.
func authority(t testing.TB, dir string) {
	t.Helper()
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			BasicConstraintsValid: true,
		}
	}
	keep := func(name, kind string, der []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ca := template("authority of tests")
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	for _, name := range []string{"other.crt", "ca.crt"} {
		caKey := key()
		der, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
		keep(name, "CERTIFICATE", der, err)
		of := template("server")
		of.IPAddresses, of.KeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, x509.KeyUsageDigitalSignature
		of.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // of routes it is both
		serverKey := key()
		der, err = x509.CreateCertificate(rand.Reader, of, ca, &serverKey.PublicKey, caKey)
		keep("server.crt", "CERTIFICATE", der, err)
		der, err = x509.MarshalPKCS8PrivateKey(serverKey)
		keep("server.key", "PRIVATE KEY", der, err)
	}
}

// accounts makes accounts as nsc does, with a file of credentials for a user of each, and returns what servers have to know:
// tacit's, and another's that has no storage.
func accounts(t testing.TB, dir string) (config string) {
	t.Helper()
	encoded := func(text string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	pair := func(make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		k, err := make()
		if err != nil {
			t.Fatal(err)
		}
		return k, encoded(k.PublicKey())
	}
	operator, operatorID := pair(nkeys.CreateOperator)
	preload, system := "", ""
	for _, name := range []string{"tacit", "other", "system"} {
		account, id := pair(nkeys.CreateAccount)
		claims := jwt.NewAccountClaims(id)
		claims.Name = name
		if name == "tacit" {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
		}
		preload += "  " + id + ": " + encoded(claims.Encode(operator)) + "\n"
		system = id // the last
		user, userID := pair(nkeys.CreateUser)
		seed, err := user.Seed()
		if err != nil {
			t.Fatal(err)
		}
		creds, err := jwt.FormatUserConfig(encoded(jwt.NewUserClaims(userID).Encode(account)), seed)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".creds"), string(creds))
	}
	claims := jwt.NewOperatorClaims(operatorID)
	claims.SystemAccount = system
	return fmt.Sprintf("operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n%s}\n", encoded(claims.Encode(operator)), system, preload)
}

func (c *cluster) start(i int) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(self)
	withStdin(c.t, cmd)
	cmd.Env = append(os.Environ(), "TACIT_ENDS_WITH_STDIN=1", "TACIT_IS_NATS="+c.in(fmt.Sprintf("s%d.conf", i)))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.servers[i] = cmd
}

func (c *cluster) kill(i int) {
	_ = c.servers[i].Process.Kill()
	_ = c.servers[i].Wait() // it was killed
}

// losePower kills all servers at once, and starts them again. What one of them had written last is gone, as far as a disk that
// told the truth can lose it: of each file the last block is cut short on one server, which has to get it from the others. On
// the two others, a write that was under way has left something at the end.
func (c *cluster) losePower() {
	c.t.Helper()
	for i := range 3 {
		_ = c.servers[i].Process.Kill()
	}
	for i := range 3 {
		_ = c.servers[i].Wait() // it was killed
		torn := 0
		err := filepath.WalkDir(c.in(fmt.Sprintf("s%d", i)), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".blk" {
				return err
			}
			info, err := d.Info()
			if err != nil || info.Size() == 0 {
				return err
			}
			torn++
			if i == 0 {
				return os.Truncate(path, max(0, info.Size()-1000))
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(make([]byte, 333))
			f.Close()
			return err
		})
		if err != nil || torn == 0 {
			c.t.Errorf("server %d: %d files were torn, %v", i, torn, err)
		}
	}
	for i := range 3 {
		c.start(i)
	}
}

// url is where clients find the servers, through others' ports where some are given.
func (c *cluster) url(ports ...string) string {
	if len(ports) == 0 {
		ports = c.ports[:3]
	}
	all := slices.Clone(ports)
	for i := range all {
		all[i] = (&url.URL{Scheme: "tls", Host: "127.0.0.1:" + all[i]}).String()
	}
	return strings.Join(all, ",")
}

// flags are those with which tacit reaches the servers.
func (c *cluster) flags(ports ...string) []string {
	return []string{"--nats", c.url(ports...), "--nats-creds", c.in("tacit.creds"), "--nats-ca", c.in("ca.crt")}
}

// ready waits until the cluster has a leader, and returns a look at it that is not tacit's.
func (c *cluster) ready() jetstream.JetStream {
	c.t.Helper()
	for tries := 0; ; tries++ {
		conn, err := nats.Connect(c.url(), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.UserCredentials(c.in("tacit.creds")), nats.RootCAs(c.in("ca.crt")))
		if err != nil {
			c.t.Fatal(err)
		}
		js, err := jetstream.New(conn)
		if err == nil {
			_, err = js.CreateStream(c.t.Context(), jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: 3})
		}
		if err == nil {
			c.t.Cleanup(conn.Close)
			return js
		}
		conn.Close()
		if tries == 60 { // some minutes
			c.t.Fatalf("the cluster has no leader: %v", err)
		}
		select {
		case <-c.t.Context().Done():
			c.t.Fatal(err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
