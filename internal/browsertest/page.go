package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A View is how a reader looks at a page.
type View struct {
	Width, Height int // in CSS pixels
	Dark          bool
	Still         bool // the reader wants no motion
}

// A Page is one that the browser shows.
type Page struct {
	t       testing.TB
	b       *Browser
	session string

	// Under the browser's lock.
	loaded   bool
	errors   []string
	requests []string
}

// Open shows an address and waits until all of it is there.
func (b *Browser) Open(t testing.TB, address string, v View) *Page {
	t.Helper()
	var target struct{ TargetID string }
	var session struct{ SessionID string }
	p := &Page{t: t, b: b}
	p.do(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	p.do(&session, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.mu.Lock()
	p.session = session.SessionID
	b.sessions[p.session] = p
	b.mu.Unlock()
	t.Cleanup(func() { _, _ = b.call("", "Target.closeTarget", map[string]any{"targetId": target.TargetID}) })
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.do(nil, domain+".enable", nil)
	}
	p.do(nil, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": v.Width, "height": v.Height, "deviceScaleFactor": 1, "mobile": v.Width < 600,
	})
	feature := func(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }
	scheme, motion := "light", "no-preference"
	if v.Dark {
		scheme = "dark"
	}
	if v.Still {
		motion = "reduce"
	}
	p.do(nil, "Emulation.setEmulatedMedia", map[string]any{
		"features": []any{feature("prefers-color-scheme", scheme), feature("prefers-reduced-motion", motion)},
	})
	p.do(nil, "Page.navigate", map[string]any{"url": address})
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		loaded := p.loaded
		b.mu.Unlock()
		if loaded {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not there after %v", address, patience)
		}
	}
	return p
}

// do calls a method, and fails the test where that fails.
func (p *Page) do(result any, method string, params any) {
	p.t.Helper()
	answer, err := p.b.call(p.session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(answer, result)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// happened takes an event, under the browser's lock.
func (p *Page) happened(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		p.loaded = true
	case "Network.requestWillBeSent":
		var e struct{ Request struct{ URL string } }
		_ = json.Unmarshal(m.Params, &e) // what cannot be read counts, too
		p.requests = append(p.requests, e.Request.URL)
	case "Runtime.exceptionThrown", "Log.entryAdded":
		p.errors = append(p.errors, string(m.Params))
	case "Runtime.consoleAPICalled":
		p.errors = append(p.errors, "the console: "+string(m.Params))
	}
}

// Errors are what went wrong in the page until now: exceptions, what its policy refused, and all that it wrote on the
// browser's console.
func (p *Page) Errors() []string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return slices.Clone(p.errors)
}

// Requests are the addresses that were asked for until now.
func (p *Page) Requests() []string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return slices.Clone(p.requests)
}

// Eval computes an expression in the page, after what it has to draw has been drawn, and stores its value in result, which may
// be nil.
func (p *Page) Eval(result any, expression string) {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.do(&answer, "Runtime.evaluate", map[string]any{
		"expression":   fmt.Sprintf("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))).then(() => (%s))", expression),
		"awaitPromise": true, "returnByValue": true,
	})
	if e := answer.ExceptionDetails; e != nil {
		p.t.Fatalf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
}

// Press presses a key, by the name that the page sees, such as "ArrowRight", and lets it go.
func (p *Page) Press(key string) {
	p.t.Helper()
	codes := map[string]int{
		"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
		"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
	}
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		p.do(nil, "Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "windowsVirtualKeyCode": codes[key]})
	}
}

// Click presses the mouse's button at a place in the view, and lets it go.
func (p *Page) Click(x, y float64) {
	p.t.Helper()
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		p.do(nil, "Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1})
	}
}

// Screenshot is a picture of the page as a PNG: of what can be seen, or of the whole.
func (p *Page) Screenshot(whole bool) []byte {
	p.t.Helper()
	var answer struct{ Data string }
	p.do(&answer, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": whole})
	png, err := base64.StdEncoding.DecodeString(answer.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}
