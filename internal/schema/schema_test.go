package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type inner struct {
	Schema string `json:"schema"`
	Deep   string `json:"deep"`
	Both   int    `json:"both"`
}

type outer struct {
	*inner
	Both  string         `json:"both"`
	Again *outer         `json:"again"`
	Size  uint64         `json:"size"`
	When  time.Time      `json:"when"`
	Some  []int          `json:"some,omitempty"`
	By    map[string]any `json:"-"`
}

// The schema of a type takes what encoding/json writes of it, and nothing that has another type, or lacks a key.
func TestSchemaIsOfTheType(t *testing.T) {
	known := []Form{{Name: "of.tests/1", Type: reflect.TypeFor[outer]()}}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(Of(known[0], known)); err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("it", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("it")
	if err != nil {
		t.Fatal(err)
	}
	one := &outer{inner: &inner{Schema: "of.tests/1"}, Both: "text"}
	one.Again = &outer{inner: &inner{Schema: "of.tests/1"}, Some: []int{1}}
	written, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	for change, valid := range map[string]bool{
		`"x":1`: true, `"both":1`: false, `"schema":"of.tests/2"`: false, `"size":-1`: false, `"size":null`: false, `"again":null`: true,
		`"again":{}`: false, `"some":[1]`: true, `"some":["1"]`: false, `"deep":0`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(append(written[:len(written)-1:len(written)-1], ","+change+"}"...)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value); (err == nil) != valid {
			t.Errorf("with %s: %v", change, err)
		}
	}
}
