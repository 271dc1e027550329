// Package schema writes reports as JSON, and JSON Schemas (https://json-schema.org, draft 2020-12) of what encoding/json
// makes of Go types, so that the schema of a form is never another than the form.
package schema

import (
	"encoding"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Write writes a value as all of tacit's reports are written: indented by two spaces, with <, > and & as they are.
func Write(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// A Schema is one, or a part of one: the keywords that are needed here, under their own names.
type Schema struct {
	Draft       string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Const       string             `json:"const,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	OneOf       []*Schema          `json:"oneOf,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Values      *Schema            `json:"additionalProperties,omitempty"` // of a map
	Defs        map[string]*Schema `json:"$defs,omitempty"`
}

// A Form is a form of JSON that has a name and a Go type.
type Form struct {
	Name  string       // of the form and its version, "tacit.record/1": what its key "schema" says, where it has one
	About string       // what has this form
	Type  reflect.Type // what it is made from

	// One is for a form that is one of several structs, each with a key "event" that says which. Type is nil then.
	One map[string]reflect.Type
}

const draft = "https://json-schema.org/draft/2020-12/schema"

// Of is the schema of a form. Where it holds others of known, their names are in it, too. Keys that it does not know are
// no error: new ones may appear under one version.
func Of(f Form, known []Form) *Schema {
	m := maker{defs: map[string]*Schema{}, names: map[reflect.Type]string{}}
	for _, k := range known {
		if k.Type != nil {
			m.names[k.Type] = k.Name
		}
	}
	s := &Schema{}
	if f.One == nil {
		*s = *m.of(f.Type)
	}
	for _, word := range slices.Sorted(maps.Keys(f.One)) {
		one := m.object(f.One[word])
		one.Properties["event"] = &Schema{Const: word}
		one.Required = append(one.Required, "event")
		s.OneOf = append(s.OneOf, one)
	}
	s.Draft, s.Title, s.Description, s.Defs = draft, f.Name, f.About, m.defs
	return s
}

// A maker makes one schema.
type maker struct {
	defs  map[string]*Schema // structs, by package and name
	names map[reflect.Type]string
}

var (
	aTime    = reflect.TypeFor[time.Time]()
	text     = reflect.TypeFor[encoding.TextMarshaler]()
	itself   = reflect.TypeFor[json.Marshaler]()
	raw      = reflect.TypeFor[json.RawMessage]()
	nothing  = &Schema{Type: "null"}
	anything = &Schema{}
)

// of is the schema of a type. It panics on one that encoding/json cannot write either: types are ours.
func (m *maker) of(t reflect.Type) *Schema {
	switch {
	case t == aTime:
		return &Schema{Type: "string", Format: "date-time"}
	case t == raw:
		return anything
	case t.Kind() == reflect.Pointer:
		return orNull(m.of(t.Elem()))
	case t.Implements(itself):
		return written(t)
	case t.Implements(text):
		return &Schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &Schema{Type: "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer", Minimum: new(int)}
	case reflect.Slice:
		return orNull(&Schema{Type: "array", Items: m.of(t.Elem())})
	case reflect.Array:
		return &Schema{Type: "array", Items: m.of(t.Elem())}
	case reflect.Map:
		return orNull(&Schema{Type: "object", Values: m.of(t.Elem())})
	case reflect.Struct:
		return m.reference(t)
	}
	panic("no JSON of " + t.String())
}

// written is the schema of a type that writes itself, and writes its zero value as what it always is.
func written(t reflect.Type) *Schema {
	text, err := json.Marshal(reflect.Zero(t).Interface())
	if err != nil || len(text) == 0 || text[0] != '"' {
		panic("no JSON string of " + t.String())
	}
	return &Schema{Type: "string"}
}

func orNull(s *Schema) *Schema { return &Schema{AnyOf: []*Schema{s, nothing}} }

// reference puts a struct among the definitions, and refers to it: types may hold themselves. One without a name is written
// out where it is.
func (m *maker) reference(t reflect.Type) *Schema {
	if t.Name() == "" {
		return m.object(t)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(t.String(), "main."), "JSON")
	if m.defs[name] == nil {
		m.defs[name] = &Schema{}
		*m.defs[name] = *m.object(t)
	}
	return &Schema{Ref: "#/$defs/" + name}
}

// object is the schema of a struct.
func (m *maker) object(t reflect.Type) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	depth := map[string]int{} // the shallower of two fields with one name is written
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Anonymous && name == ""
		if !f.IsExported() || embedded || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if before, twice := depth[name]; twice && before <= len(f.Index) {
			continue
		}
		if depth[name] == 0 && options != "omitempty" {
			s.Required = append(s.Required, name)
		}
		depth[name] = len(f.Index)
		s.Properties[name] = m.of(f.Type)
		if name == "schema" && m.names[t] != "" {
			s.Properties[name] = &Schema{Const: m.names[t]}
		}
	}
	return s
}
