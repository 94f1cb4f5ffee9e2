package trace

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// The types below are those of opentelemetry/proto/trace/v1, as its JSON encoding
// has them: names in lowerCamelCase, 64-bit numbers as strings, IDs in hex.
type (
	export struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []wire `json:"spans"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	wire struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		ParentID   string     `json:"parentSpanId,omitempty"`
		Name       string     `json:"name"`
		Kind       int        `json:"kind"`
		Begun      string     `json:"startTimeUnixNano"`
		Ended      string     `json:"endTimeUnixNano"`
		Attributes []keyValue `json:"attributes,omitempty"`
		Status     *status    `json:"status,omitempty"`
	}
	status struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		Text string `json:"stringValue"`
	}
)

// The numbers of the protocol.
const (
	kindInternal = 1
	codeError    = 2
)

// encode writes traces, each a span with its parts, as the body of one request.
func encode(from []Attribute, version string, traces []Span) ([]byte, error) {
	var spans []wire
	for _, root := range traces {
		spans = append(spans, flat(root, id(16), "")...)
	}
	return json.Marshal(export{ResourceSpans: []resourceSpans{{
		Resource:   resource{keyValues(from)},
		ScopeSpans: []scopeSpans{{Scope: scope{Name: "syncd.io/syncd", Version: version}, Spans: spans}},
	}}})
}

func flat(s Span, trace, parent string) []wire {
	w := wire{
		TraceID: trace, SpanID: id(8), ParentID: parent, Name: s.Name, Kind: kindInternal,
		Begun: nanos(s.Begun), Ended: nanos(s.Ended), Attributes: keyValues(s.Attributes),
	}
	if s.Failed != "" {
		w.Status = &status{Message: s.Failed, Code: codeError}
	}
	all := []wire{w}
	for _, part := range s.Parts {
		all = append(all, flat(part, trace, w.SpanID)...)
	}
	return all
}

func keyValues(of []Attribute) []keyValue {
	var all []keyValue
	for _, a := range of {
		if a.Value != "" {
			all = append(all, keyValue{a.Key, value{a.Value}})
		}
	}
	return all
}

// nanos is a time in nanoseconds since 1970; none is before that.
func nanos(t time.Time) string {
	if t.Unix() < 0 {
		return "0"
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

// id returns so many random bytes in hex.
func id(bytes int) string {
	raw := make([]byte, bytes)
	rand.Read(raw) // it never fails
	return hex.EncodeToString(raw)
}
