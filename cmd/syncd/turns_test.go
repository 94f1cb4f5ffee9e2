package main

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

func TestWhoStandsBySaysWhoLeads(t *testing.T) {
	b := &turns{namespace: "syncd"}
	for leader, want := range map[string]string{"": "standby; nobody leads yet", "syncd-7f_ABC": "standby; the leader is syncd-7f"} {
		b.follow(leader)
		_, status := b.Status(t.Context(), nil)
		_, acted := b.Act(t.Context(), "pause", reconcile.ActRequest{App: "shop"}, nil)
		_, history := b.History(t.Context(), "shop", 1)
		for verb, err := range map[string]error{"status": status, "act": acted, "history": history} {
			if err == nil || err.Error() != want || fault.Of(err) != fault.Blocked || fault.Advice(err) == "" {
				t.Errorf("%s: %v (%s)", verb, err, fault.Advice(err))
			}
		}
		if leader != "" && !strings.Contains(fault.Advice(status), "kubectl -n syncd exec syncd-7f -- syncd") {
			t.Errorf("hint %q", fault.Advice(status))
		}
	}
	if gates, err := b.AllGates(t.Context()); err != nil || gates != nil {
		t.Errorf("gates %v, %v", gates, err)
	}
	a, err := reconcile.New(reconcile.Options{Host: config.Host{}.Defaults(), Source: noRepository{}})
	if err != nil {
		t.Fatal(err)
	}
	b.sit(a)
	if _, err := b.leading(); err != nil {
		t.Errorf("who leads says %v", err)
	}
}

func TestWhereTheRecordIs(t *testing.T) {
	for _, tt := range []struct {
		k       *config.Kubernetes
		secrets bool
	}{{nil, false}, {&config.Kubernetes{}, false}, {&config.Kubernetes{Record: "disk"}, false}, {&config.Kubernetes{Record: "secrets"}, true}} {
		if got := inSecrets(config.Host{Kubernetes: tt.k}); got != tt.secrets {
			t.Errorf("%+v: in Secrets %v", tt.k, got)
		}
	}
	if got := ownNamespace(config.Kubernetes{}); got != "syncd" {
		t.Errorf("the default is %q", got)
	}
}
