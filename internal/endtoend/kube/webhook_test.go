package kube_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// admission serves a webhook that the cluster asks about this namespace's ConfigMaps,
// and no others.
func (p *place) admission(answer http.HandlerFunc) {
	p.t.Helper()
	host, err := p.access.Host()
	p.must(err)
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	p.must(err)
	certificate, authority := p.certificate(net.ParseIP(host))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: answer, ReadHeaderTimeout: time.Minute}}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	p.t.Cleanup(server.Close)
	p.do(http.MethodPost, "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", object{
		"metadata": object{"name": p.namespace},
		"webhooks": []any{object{
			"name": "judge.example.org", "clientConfig": object{"url": server.URL, "caBundle": base64.StdEncoding.EncodeToString(authority)},
			"rules":             []any{object{"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"}, "resources": []any{"configmaps"}}},
			"namespaceSelector": object{"matchLabels": object{"kubernetes.io/metadata.name": p.namespace}},
			"sideEffects":       "None", "admissionReviewVersions": []any{"v1"}, "failurePolicy": "Fail", "timeoutSeconds": 1,
		}},
	})
}

// asked waits until the cluster asks a webhook that does not let an object of this
// name in.
func (p *place) asked(name string) {
	p.t.Helper()
	p.eventually("the webhook is asked", func() bool {
		_, err := p.access.Do(p.t.Context(), http.MethodPost, p.path("configmaps", "")+"?dryRun=All", object{"metadata": object{"name": name}})
		return err != nil
	})
}

// dismiss takes the webhook away.
func (p *place) dismiss() {
	p.t.Helper()
	path := "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" + p.namespace
	if p.at(path) != nil {
		p.do(http.MethodDelete, path, nil)
	}
}

// certificate vouches for a server at an address, and for itself.
func (p *place) certificate(at net.IP) (tls.Certificate, []byte) {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.must(err)
	draft := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{at}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, key.Public(), key)
	p.must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// refuse denies what is named so.
func refuse(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var review struct {
			Request struct{ UID, Name string }
		}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer := object{"uid": review.Request.UID, "allowed": !strings.HasPrefix(review.Request.Name, name)}
		if answer["allowed"] == false {
			answer["status"] = object{"message": "no extras on Fridays"}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}) // the cluster notices
	}
}

func TestAWebhookThatRefusesGoesBack(t *testing.T) {
	p := newPlace(t)
	p.settings(quick)
	good := p.deployed(settingsMap, asleep)
	p.t.Cleanup(p.dismiss)
	p.admission(refuse("extra"))
	p.asked("extra-trial")
	p.deploy(settingsMap, asleep, extra)
	p.wantOutcome(p.sync(), reconcile.RolledBack, "ConfigMap/"+p.namespace+"/extra", "no extras on Fridays")
	p.wantOutcome(p.sync(), reconcile.Held, "no extras on Fridays")
	p.dismiss()
	p.goesOn(good, asleep)
}

// A webhook that does not answer blames nobody: it is tried again.
func TestAWebhookThatTimesOutBlamesNobody(t *testing.T) {
	p := newPlace(t)
	p.settings(quick)
	p.deployed(settingsMap, asleep)
	p.t.Cleanup(p.dismiss)
	over := make(chan struct{})
	p.admission(func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) }) // before the server is closed, which waits for its answers
	p.asked("trial")
	p.deploy(strings.Replace(settingsMap, "blue", "green", 1), asleep)
	p.wantOutcome(p.sync(), reconcile.Unreachable, "ConfigMap/"+p.namespace+"/settings", "judge.example.org", "webhook")
	if rec := p.record(); len(rec.Quarantine) > 0 {
		t.Errorf("the revision was blamed: %+v", rec.Quarantine)
	}
	p.dismiss()
	p.eventually("the change arrives", func() bool { return p.sync().Outcome == reconcile.Applied })
	p.settled()
}
