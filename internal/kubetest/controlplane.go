package kubetest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// startEtcd starts the store of a cluster: Debian's, which need not survive a
// power cut here.
func (c *Cluster) startEtcd(ctx context.Context) error {
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", c.EtcdPorts[0]), fmt.Sprintf("http://127.0.0.1:%d", c.EtcdPorts[1])
	return c.run(ctx, "etcd", "etcd", []string{
		"--name=test", "--data-dir=" + filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=test=" + peer,
		"--quota-backend-bytes=4294967296", "--logger=zap", "--log-level=warn",
	})
}

// startAPIServer starts kube-apiserver. A token file, audit and profiling are
// off; everything else that decides what is accepted is as in a real cluster.
func (c *Cluster) startAPIServer(ctx context.Context) error {
	key := func(name string) string { return filepath.Join(c.dir, "pki", name) }
	return c.run(ctx, "kube-apiserver", c.program("kube-apiserver"), append([]string{
		"--etcd-servers=http://127.0.0.1:" + strconv.Itoa(c.EtcdPorts[0]),
		"--bind-address=" + c.Net.API.String(), "--secure-port=" + strconv.Itoa(c.Net.Port),
		"--advertise-address=" + c.advertised(),
		"--cert-dir=" + key(""), "--tls-cert-file=" + key("apiserver.crt"), "--tls-private-key-file=" + key("apiserver.key"),
		"--client-ca-file=" + key("ca.crt"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
		"--service-cluster-ip-range=" + c.Net.Services,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key("accounts.crt"), "--service-account-signing-key-file=" + key("accounts.key"),
		"--requestheader-client-ca-file=" + key("ca.crt"), "--requestheader-allowed-names=front-proxy",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + key("front-proxy.crt"), "--proxy-client-key-file=" + key("front-proxy.key"), "--enable-aggregator-routing",
		"--kubelet-client-certificate=" + key("admin.crt"), "--kubelet-client-key=" + key("admin.key"),
		"--kubelet-certificate-authority=" + key("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--profiling=false", "--v=1",
	}, c.options.APIServer...))
}

// advertised is the address that the cluster's endpoints name: never a loopback
// one, which the server would refuse.
func (c *Cluster) advertised() string {
	if c.Net.Node == nil {
		return "203.0.113.1" // of the range for documentation: nobody goes there
	}
	return c.Net.Node.String()
}

// startManagers starts the controllers and, where there is a node, the scheduler.
func (c *Cluster) startManagers(ctx context.Context) error {
	if c.options.NoControllers {
		return nil
	}
	key := func(name string) string { return filepath.Join(c.dir, "pki", name) }
	who := filepath.Join(c.dir, "kubeconfig")
	err := c.run(ctx, "kube-controller-manager", c.program("kube-controller-manager"), []string{
		"--kubeconfig=" + who, "--secure-port=0", "--leader-elect=false", "--use-service-account-credentials",
		"--service-account-private-key-file=" + key("accounts.key"), "--root-ca-file=" + key("ca.crt"),
		"--cluster-signing-cert-file=" + key("ca.crt"), "--cluster-signing-key-file=" + key("ca.key"),
		"--kube-api-qps=400", "--kube-api-burst=800", "--concurrent-namespace-syncs=20",
		"--node-monitor-period=10s", "--node-monitor-grace-period=5m", "--profiling=false", "--v=1",
	})
	if err != nil || !c.options.Node {
		return err
	}
	return c.run(ctx, "kube-scheduler", c.program("kube-scheduler"), []string{
		"--kubeconfig=" + who, "--secure-port=0", "--leader-elect=false", "--kube-api-qps=400", "--kube-api-burst=800", "--profiling=false", "--v=1",
	})
}

// awaitAPIServer waits until the API server calls itself ready.
func (c *Cluster) awaitAPIServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.awaitProgram(ctx, "kube-apiserver", func(ctx context.Context) error {
		_, err := c.exchange(ctx, http.MethodGet, "/readyz", nil)
		return err
	})
}

// awaitControllers waits until the controllers have given the default namespace
// what pods need.
func (c *Cluster) awaitControllers(ctx context.Context) error {
	if c.options.NoControllers {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.awaitProgram(ctx, "kube-controller-manager", func(ctx context.Context) error {
		for _, path := range []string{"serviceaccounts/default", "configmaps/kube-root-ca.crt"} {
			if _, err := c.exchange(ctx, http.MethodGet, "/api/v1/namespaces/default/"+path, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// patience is how long a program has to answer after its start.
const patience = 2 * time.Minute

// writeKeys issues what the programs of a cluster know each other by.
func (c *Cluster) writeKeys() error {
	keys := filepath.Join(c.dir, "pki")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("make a directory for keys: %w", err)
	}
	ours, err := newAuthority(keys)
	if err != nil {
		return err
	}
	subjects := map[string]subject{
		"admin":       {name: "admin", groups: []string{"system:masters"}},
		"accounts":    {name: "service-accounts"},
		"front-proxy": {name: "front-proxy"},
		"apiserver":   {name: "kube-apiserver", hosts: c.Net.servers(), names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}},
		"kubelet":     {name: "system:node:" + NodeName, groups: []string{"system:nodes"}, hosts: c.Net.servers()},
	}
	for name, of := range subjects {
		made, err := ours.issue(of)
		if err != nil {
			return err
		}
		if err := save(keys, name, made); err != nil {
			return err
		}
	}
	for path, name := range map[string]string{"kubeconfig": "admin", "kubelet.kubeconfig": "kubelet"} {
		who, err := load(keys, name)
		if err != nil {
			return err
		}
		if err := writeKubeconfig(filepath.Join(c.dir, path), c.Net.url(), ours.pem, who); err != nil {
			return err
		}
	}
	return nil
}
