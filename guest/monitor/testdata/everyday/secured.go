package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
	_ "time/tzdata"
)

// secured has two goroutines speak TLS through a pipe in memory, with a certificate made here, which is trusted only where it is known.
func secured() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "everyday"}, DNSNames: []string{"everyday.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	_, err = certificate.Verify(x509.VerifyOptions{Roots: x509.NewCertPool()})
	fmt.Println(errors.As(err, new(x509.UnknownAuthorityError)))
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() {
		c := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		line, err := bufio.NewReader(c).ReadString('\n')
		if err == nil {
			_, err = fmt.Fprintf(c, "you said %s", line)
		}
		served <- errors.Join(err, far.Close())
	}()
	c := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "everyday.example"})
	if err := c.Handshake(); err != nil {
		return err
	}
	state := c.ConnectionState()
	fmt.Println(tls.VersionName(state.Version), state.PeerCertificates[0].Subject, len(state.VerifiedChains))
	if _, err := fmt.Fprintln(c, "hello"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	fmt.Printf("%q %v %v\n", answer, err, <-served)
	return nil
}

// zones knows time zones where the program has brought them.
func zones() error {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "America/New_York", "No/Where"} {
		l, err := time.LoadLocation(name)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(at.In(l).Format(time.RFC1123Z), at.In(l).IsDST())
	}
	return nil
}
