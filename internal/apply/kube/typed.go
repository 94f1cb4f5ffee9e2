package kube

import (
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// typed asks for objects of a few kinds of one group. client-go's typed clients
// would do as well, and bring every version of every kind along: a quarter of the
// agent's program, of which it needs three.
type typed struct {
	rest.Interface
	params runtime.ParameterCodec
}

// newTyped returns what asks for the kinds of a group that are named by their types.
// It uses client where it is not nil.
func newTyped(cfg *rest.Config, client *http.Client, group schema.GroupVersion, kinds ...runtime.Object) (typed, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(group, kinds...)
	metav1.AddToGroupVersion(scheme, group)
	cfg = rest.CopyConfig(cfg)
	cfg.GroupVersion, cfg.APIPath = &group, "/apis"
	if group.Group == "" {
		cfg.APIPath = "/api"
	}
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	var err error
	if client == nil {
		if client, err = rest.HTTPClientFor(cfg); err != nil {
			return typed{}, err
		}
	}
	out, err := rest.RESTClientForConfigAndClient(cfg, client)
	return typed{Interface: out, params: runtime.NewParameterCodec(scheme)}, err
}
