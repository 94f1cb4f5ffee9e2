package kube

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/version"
)

// Facts are what a person wants to know of a cluster.
type Facts struct {
	// Server is the API server's address, Version its version.
	Server, Version string
	// Kinds is how many kinds it serves that can be applied.
	Kinds int
}

// Facts asks the API server what it is. Errors: Unreachable, Blocked where it does
// not accept the credentials.
func (e *Engine) Facts(ctx context.Context) (Facts, error) {
	info, err := e.version(ctx)
	if err != nil {
		return Facts{}, err
	}
	return Facts{Server: e.base.Host, Version: info.GitVersion, Kinds: e.kinds.count()}, nil
}

// Ping asks for a sign of life. Errors: Unreachable.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.version(ctx)
	return err
}

func (e *Engine) version(ctx context.Context) (version.Info, error) {
	var info version.Info
	id, err := e.as("")
	if err != nil {
		return info, err
	}
	var raw []byte
	err = e.bounded(ctx, func(ctx context.Context) error {
		raw, err = id.core.Get().AbsPath("/version").Do(ctx).Raw()
		return err
	})
	if err == nil {
		err = json.Unmarshal(raw, &info)
	}
	return info, classified(err, "ask the cluster for its version")
}
