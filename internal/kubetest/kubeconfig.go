package kubetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// object is a piece of JSON; a kubeconfig may as well be that as YAML.
type object map[string]any

// kubeconfig is as much of the format as is written here.
type kubeconfig struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Current    string         `json:"current-context"`
	Clusters   []namedCluster `json:"clusters"`
	Users      []namedUser    `json:"users"`
	Contexts   []object       `json:"contexts"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server    string `json:"server"`
		Authority []byte `json:"certificate-authority-data"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		Cert []byte `json:"client-certificate-data"`
		Key  []byte `json:"client-key-data"`
	} `json:"user"`
}

// writeKubeconfig writes a self-contained kubeconfig that says who is who by a
// certificate.
func writeKubeconfig(path, url string, authority []byte, who pair) error {
	const name = "syncd-test"
	cluster, user := namedCluster{Name: name}, namedUser{Name: name}
	cluster.Cluster.Server, cluster.Cluster.Authority = url, authority
	user.User.Cert, user.User.Key = who.cert, who.key
	return writeJSON(path, kubeconfig{
		APIVersion: "v1", Kind: "Config", Current: name,
		Clusters: []namedCluster{cluster}, Users: []namedUser{user},
		Contexts: []object{{"name": name, "context": object{"cluster": name, "user": name}}},
	})
}

// openKubeconfig speaks to a cluster as the user of a kubeconfig that
// writeKubeconfig wrote.
func openKubeconfig(path string) (*Access, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a kubeconfig: %w", err)
	}
	var found kubeconfig
	if err := json.Unmarshal(content, &found); err != nil || len(found.Clusters) != 1 || len(found.Users) != 1 {
		return nil, errors.Join(fmt.Errorf("%s is not one that was written here", path), err)
	}
	cluster, user := found.Clusters[0].Cluster, found.Users[0].User
	cert, err := tls.X509KeyPair(user.Cert, user.Key)
	if err != nil {
		return nil, fmt.Errorf("read the keys in %s: %w", path, err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cluster.Authority)
	trust := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}
	return &Access{
		dir: filepath.Dir(path), url: cluster.Server,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}},
	}, nil
}

// writeJSON writes a file that only its owner reads: whole, or not at all.
func writeJSON(path string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
