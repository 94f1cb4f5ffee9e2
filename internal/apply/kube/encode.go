package kube

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/resource"
)

// encodeSecret says in data what a Secret's stringData says, which comes first of the
// two. The API server does the same, but has whoever applies own stringData, which it
// does not keep: nothing would show that somebody changes such a value, nor that Git
// does (kubernetes/kubernetes, issue 108008).
func encodeSecret(key resource.Key, u *unstructured.Unstructured) {
	plain, ok := u.Object["stringData"].(map[string]any)
	if key.Kind != "Secret" || !ok {
		return
	}
	data, ok := u.Object["data"].(map[string]any)
	if !ok {
		if u.Object["data"] != nil { // the API server says what is wrong with it
			return
		}
		data = map[string]any{}
	}
	for name, value := range plain {
		switch value := value.(type) {
		case string:
			data[name] = base64.StdEncoding.EncodeToString([]byte(value))
		case nil:
			data[name] = ""
		default: // likewise
			return
		}
	}
	u.Object["data"] = data
	delete(u.Object, "stringData")
}
