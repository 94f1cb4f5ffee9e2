package resource

// Check are conditions on a live object, in the target's own language (CEL over
// `object` on Kubernetes). An empty one says nothing.
type Check struct {
	Healthy string `json:"healthy,omitempty"`
	Failed  string `json:"failed,omitempty"`
}
