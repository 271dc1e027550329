package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/lzw"
	"compress/zlib"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	htmltemplate "html/template"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
	"unicode/utf8"
)

// corpus is 128 KiB of words, the same each time.
func corpus() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("memory that is accepted when it is touched and not before since to accept all of it takes long")
	var b bytes.Buffer
	for b.Len() < 128<<10 {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte(" \n"[r.IntN(8)/7])
	}
	return b.Bytes()
}

func digest(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:8]) }

// packed compresses with all that the library has, and gets back what it was.
func packed() error {
	text := corpus()
	for _, c := range []struct {
		name   string
		writer func(io.Writer) (io.WriteCloser, error)
		reader func(io.Reader) (io.ReadCloser, error)
	}{
		{"flate 1", func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 1) }, func(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil }},
		{"flate 9", func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 9) }, func(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil }},
		{"huffman", func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.HuffmanOnly) }, func(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil }},
		{"gzip", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }},
		{"zlib", func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }, func(r io.Reader) (io.ReadCloser, error) { return zlib.NewReader(r) }},
		{"lzw", func(w io.Writer) (io.WriteCloser, error) { return lzw.NewWriter(w, lzw.LSB, 8), nil }, func(r io.Reader) (io.ReadCloser, error) { return lzw.NewReader(r, lzw.LSB, 8), nil }},
	} {
		var b bytes.Buffer
		w, err := c.writer(&b)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		size, sum := b.Len(), digest(b.Bytes())
		r, err := c.reader(&b)
		if err != nil {
			return err
		}
		back, err := io.ReadAll(r)
		fmt.Println(c.name, size, sum, bytes.Equal(back, text), err, r.Close())
	}
	return nil
}

type record struct {
	Name   string            `json:"name" xml:"name,attr"`
	Values []float64         `json:"values" xml:"value"`
	When   time.Time         `json:"when" xml:"when"`
	Next   *record           `json:"next,omitempty" xml:"next"`
	Tags   map[string]string `json:"tags,omitempty" xml:"-"`
}

// encoded sends a value through each encoding and back.
func encoded() error {
	v := record{"a ü <b>", []float64{1, -2.5, 1e-300, math.MaxFloat64}, time.Date(2026, 11, 29, 10, 30, 0, 7, time.UTC), &record{Name: "inner"}, map[string]string{"k": "v", "j": "w"}}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	var back record
	err = json.Unmarshal(text, &back)
	fmt.Println(digest(text), reflect.DeepEqual(v, back), err)
	var stream bytes.Buffer
	var again record
	err = errors.Join(gob.NewEncoder(&stream).Encode(v), gob.NewDecoder(&stream).Decode(&again))
	fmt.Println(reflect.DeepEqual(v, again), err)
	text, err = xml.Marshal(v)
	fmt.Println(digest(text), err, xml.Unmarshal(text, &back))
	der, err := asn1.Marshal(struct {
		A int
		B string
		C []int
	}{5, "text", []int{1, 300, -1}})
	fmt.Println(base64.StdEncoding.EncodeToString(der), err)
	rows, err := csv.NewReader(strings.NewReader("a,\"b \"\"c\"\"\"\n1,2\n")).ReadAll()
	fmt.Println(rows, err, crc32.ChecksumIEEE(der), binary.BigEndian.AppendUint32(nil, 0x01020304))
	fmt.Println(regexp.MustCompile(`(\w+)@(\w+)\.com`).ReplaceAllString("bob@example.com, al@tacit.com", "$2:$1"), utf8.RuneCountInString("héllo, 世界"))
	return nil
}

// bignum computes digits of pi and of e, a large prime and a power modulo it.
func bignum() error {
	// Machin's formula, with 1000 digits after the point.
	unity := new(big.Int).Exp(big.NewInt(10), big.NewInt(1010), nil)
	arctan := func(x int64) *big.Int {
		term := new(big.Int).Div(unity, big.NewInt(x))
		sum, square := new(big.Int).Set(term), big.NewInt(x*x)
		for n := int64(3); term.Sign() != 0; n += 2 {
			term.Div(term, square)
			part := new(big.Int).Div(term, big.NewInt(n))
			if n%4 == 3 {
				part.Neg(part)
			}
			sum.Add(sum, part)
		}
		return sum
	}
	pi := new(big.Int).Mul(big.NewInt(4), arctan(5))
	pi.Sub(pi, arctan(239)).Mul(pi, big.NewInt(4))
	digits := pi.String()
	fmt.Println(digits[:20], digits[990:1001])
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 521), big.NewInt(1))
	fmt.Println(prime.ProbablyPrime(10), digest(new(big.Int).Exp(big.NewInt(3), pi, prime).Bytes()))
	root := new(big.Float).SetPrec(500).Sqrt(big.NewFloat(2).SetPrec(500))
	fmt.Println(root.Text('f', 100), big.NewRat(3, 9), math.Sqrt(2), math.Sin(1e10), math.FMA(0.1, 10, -1))
	return nil
}

// pictures draws, and encodes and decodes what it has drawn.
func pictures() error {
	img := image.NewRGBA(image.Rect(0, 0, 160, 120))
	for y := range 120 {
		for x := range 160 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y * 2), uint8(x * y), 255})
		}
	}
	draw.Draw(img, image.Rect(20, 20, 60, 60), image.NewUniform(color.NRGBA{200, 0, 0, 128}), image.Point{}, draw.Over)
	for _, c := range []struct {
		name   string
		encode func(io.Writer) error
	}{
		{"png", func(w io.Writer) error { return png.Encode(w, img) }},
		{"jpeg", func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 80}) }},
		{"gif", func(w io.Writer) error { return gif.Encode(w, img, nil) }},
	} {
		var b bytes.Buffer
		if err := c.encode(&b); err != nil {
			return err
		}
		sum, size := digest(b.Bytes()), b.Len()
		back, name, err := image.Decode(&b)
		if err != nil {
			return err
		}
		fmt.Println(name, size, sum, back.Bounds(), back.At(30, 30))
	}
	return nil
}

// pages fills in templates, and a table.
func pages() error {
	data := map[string]any{"Title": "<script>", "Rows": []record{{Name: "a&b", Values: []float64{1.5}}, {Name: "c", Values: nil}}}
	page := htmltemplate.Must(htmltemplate.New("page").Funcs(htmltemplate.FuncMap{"up": strings.ToUpper}).Parse(
		`<h1 onclick="f('{{.Title}}')">{{.Title | up}}</h1>{{range $i, $r := .Rows}}<p>{{$i}} {{$r.Name}} {{len .Values}}{{else}}none{{end}}` + "\n"))
	if err := page.Execute(os.Stdout, data); err != nil {
		return err
	}
	if err := template.Must(template.New("").Parse("{{define \"x\"}}[{{.}}]{{end}}{{range .Rows}}{{template \"x\" .Name}}{{printf \"%6.2f\" 3.14159}}{{end}}\n")).Execute(os.Stdout, data); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	for i := range 4 {
		fmt.Fprintf(w, "%d\t%x\t%e\n", i, 1<<(i*5), math.Pow(2.5, float64(i*10)))
	}
	return w.Flush()
}

// logged writes records of a log, without their time.
func logged() error {
	without := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}
	for _, h := range []slog.Handler{slog.NewTextHandler(os.Stdout, without), slog.NewJSONHandler(os.Stdout, without)} {
		l := slog.New(h).With("program", "everyday").WithGroup("g")
		l.Info("said", "n", 1, slog.Group("inner", "d", 1500*time.Millisecond, "err", errors.New("none")))
		l.Debug("more", "list", []int{1, 2})
	}
	return nil
}

// archives writes a zip and a tar, and reads them.
func archives() error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	text := corpus()[:50_000]
	for _, name := range []string{"a.txt", "dir/b.txt"} {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return err
	}
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil {
			return err
		}
		back, err := io.ReadAll(c)
		fmt.Println(f.Name, f.CompressedSize64, bytes.Equal(back, text), err, c.Close())
	}
	b.Reset()
	t := tar.NewWriter(&b)
	err = errors.Join(t.WriteHeader(&tar.Header{Name: "c", Mode: 0o640, Size: 3, ModTime: time.Unix(1e9, 0)}))
	_, err2 := t.Write([]byte("abc"))
	if err := errors.Join(err, err2, t.Close()); err != nil {
		return err
	}
	h, err := tar.NewReader(&b).Next()
	fmt.Println(h.Name, h.FileInfo().Mode(), h.Size, h.ModTime.UTC(), err)
	return nil
}

type number interface{ ~int | ~float64 }

func total[T number](all iter.Seq[T]) (sum T) {
	for v := range all {
		sum += v
	}
	return sum
}

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f°C", float64(c)) }

// generic uses type parameters, iterators and reflection.
func generic() error {
	squares := func(yield func(int) bool) {
		for i := 0; yield(i * i); i++ {
		}
	}
	next, stop := iter.Pull(iter.Seq[int](squares))
	defer stop()
	for range 5 {
		_, _ = next()
	}
	v, _ := next()
	m := map[string]celsius{"ice": 0, "steam": 100, "body": 36.6}
	fmt.Println(v, total(slices.Values([]float64{1, 2.5})), total(maps.Values(map[int]int{1: 10, 2: 20})), slices.Sorted(maps.Keys(m)), m)
	t := reflect.TypeFor[record]()
	for f := range t.NumField() {
		fmt.Print(t.Field(f).Name, " ", t.Field(f).Type, " ", t.Field(f).Tag.Get("json"), "; ")
	}
	add := reflect.MakeFunc(reflect.TypeFor[func(int, int) int](), func(in []reflect.Value) []reflect.Value {
		return []reflect.Value{reflect.ValueOf(int(in[0].Int() + in[1].Int()))}
	})
	method := reflect.ValueOf(celsius(21)).MethodByName("String").Call(nil)[0]
	fmt.Println(add.Call([]reflect.Value{reflect.ValueOf(2), reflect.ValueOf(3)})[0].Int(), method)
	made := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a"`}}))
	err := json.Unmarshal([]byte(`{"a":7}`), made.Interface())
	fmt.Printf("%+v %v\n", made.Elem(), err)
	return nil
}
