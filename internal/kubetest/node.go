package kubetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

// NodeName is the name of a cluster's only node.
const NodeName = "node"

// startNode starts containerd and the kubelet, and waits until the node takes
// pods. It does nothing where no node is asked for.
func (c *Cluster) startNode(ctx context.Context, _ string) error {
	if !c.options.Node {
		return nil
	}
	for _, step := range []func(context.Context) error{c.startContainerd, c.loadOwnImages, c.startKubelet, c.awaitNode} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// socket is where the node's containerd listens.
func (a *Access) socket() string { return filepath.Join(a.dir, "containerd.sock") }

// startContainerd starts a containerd of the cluster's own, beside any that a
// Docker engine has.
func (c *Cluster) startContainerd(ctx context.Context) error {
	files := map[string]string{
		"containerd.toml":        c.containerdConfig(),
		"cni/10-bridge.conflist": c.cniConfig(),
	}
	for name, content := range files {
		path := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make a directory for %s: %w", name, err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := c.run(ctx, "containerd", "containerd", []string{"--config", filepath.Join(c.dir, "containerd.toml")}, noRegistry()...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.awaitProgram(ctx, "containerd", func(ctx context.Context) error { return c.ctr(ctx, nil, "version") })
}

// noRegistry sends every pull where it is refused at once, as there may be no
// network and then a long wait. A registry on this machine's loopback is asked:
// Go's clients never use a proxy for it.
func noRegistry() []string {
	const nobody = "http://127.0.0.1:1"
	return []string{"HTTP_PROXY=" + nobody, "HTTPS_PROXY=" + nobody, "http_proxy=" + nobody, "https_proxy=" + nobody, "NO_PROXY=", "no_proxy="}
}

// containerdConfig is for containerd 1.6 and 1.7. Adjusting to a limited
// oom_score_adj matters where root may not lower it: every sandbox would fail.
func (c *Cluster) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = "%[1]s/containerd"
state = "%[1]s/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "%[2]s"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%[3]s"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_selinux = false
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "%[4]s"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "%[1]s/cni"
`, c.dir, c.socket(), pauseImage, snapshotter(c.dir))
}

// snapshotter is overlayfs, unless the directory is on one: they do not stack.
func snapshotter(dir string) string {
	const overlay = 0x794c7630 // OVERLAYFS_SUPER_MAGIC of statfs(2)
	var found syscall.Statfs_t
	if syscall.Statfs(dir, &found) == nil && found.Type == overlay {
		return "native"
	}
	return "overlayfs"
}

// cniConfig is a bridge and ports of the host. Its addresses are remembered
// below the cluster's directory.
func (c *Cluster) cniConfig() string {
	return fmt.Sprintf(`{
  "cniVersion": "0.4.0",
  "name": "%[1]s",
  "plugins": [
    {"type": "bridge", "bridge": "%[1]s", "isGateway": true, "hairpinMode": true, "ipam": {
      "type": "host-local", "dataDir": "%[2]s/addresses", "ranges": [[{"subnet": "%[3]s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, c.Net.Bridge, c.dir, c.Net.Pods)
}

// cgroup is where the node's pods are: below it, and nothing else is.
func (n network) cgroup() string { return "/" + n.Bridge }

// startKubelet starts the kubelet: it never evicts, collects no images, and asks
// nothing of the machine that a container engine does not.
func (c *Cluster) startKubelet(ctx context.Context) error {
	if err := makeCgroups(c.Net.cgroup()); err != nil {
		return err
	}
	config := filepath.Join(c.dir, "kubelet.json")
	if err := writeJSON(config, c.kubeletConfig()); err != nil {
		return err
	}
	return c.run(ctx, "kubelet", c.program("kubelet"), []string{
		"--config=" + config, "--kubeconfig=" + filepath.Join(c.dir, "kubelet.kubeconfig"), "--root-dir=" + filepath.Join(c.dir, "kubelet"),
		"--hostname-override=" + NodeName, "--node-ip=" + c.Net.Node.String(), "--v=1",
	})
}

func (c *Cluster) kubeletConfig() object {
	key := func(name string) string { return filepath.Join(c.dir, "pki", name) }
	return object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address": c.Net.Node.String(), "readOnlyPort": 0, "healthzPort": 0,
		"authentication": object{"anonymous": object{"enabled": false}, "webhook": object{"enabled": false}, "x509": object{"clientCAFile": key("ca.crt")}},
		"authorization":  object{"mode": "AlwaysAllow"},
		"tlsCertFile":    key("kubelet.crt"), "tlsPrivateKeyFile": key("kubelet.key"),
		"containerRuntimeEndpoint": "unix://" + c.socket(),
		"cgroupDriver":             "cgroupfs", "cgroupRoot": c.Net.cgroup(), "failCgroupV1": false, "failSwapOn": false, "oomScoreAdj": 0,
		"enforceNodeAllocatable": []string{"pods"}, "localStorageCapacityIsolation": false, "makeIPTablesUtilChains": false,
		"podLogsDir": filepath.Join(c.dir, "pods"), "volumePluginDir": filepath.Join(c.dir, "volumeplugins"),
		"clusterDNS": []string{c.Net.dns()}, "clusterDomain": "cluster.local", "resolvConf": "",
		"evictionHard":                object{"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
		"imageGCHighThresholdPercent": 100, "volumeStatsAggPeriod": "-1s",
		"maxPods": 1000, "podPidsLimit": -1, "serializeImagePulls": false,
		"kubeAPIQPS": 400, "kubeAPIBurst": 800, "eventRecordQPS": 0, "registryPullQPS": 0,
		"syncFrequency": "10s", "nodeStatusUpdateFrequency": "30s", "nodeLeaseDurationSeconds": 240,
		"logging": object{"flushFrequency": "1s"},
	}
}

// dns is an address that pods are told to ask for names. Nobody answers there.
func (n network) dns() string {
	return fmt.Sprintf("10.%d.0.10", n.API.To4()[1])
}

// awaitNode waits until the node calls itself ready.
func (c *Cluster) awaitNode(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.awaitProgram(ctx, "kubelet", c.nodeReady)
}

// Host returns the address at which pods reach what listens on this machine.
func (a *Access) Host() (string, error) {
	found, err := readLayout(a.dir)
	if err != nil {
		return "", err
	}
	if found.Net.Node == nil {
		return "", errors.New("the cluster has no node")
	}
	return found.Net.Node.String(), nil
}

// nodeReady returns an error unless the node is ready and takes pods.
func (a *Access) nodeReady(ctx context.Context) error {
	node, err := a.Do(ctx, http.MethodGet, "/api/v1/nodes/"+NodeName, nil)
	if err != nil {
		return err
	}
	for _, condition := range list(node, "status", "conditions") {
		if condition["type"] == "Ready" && condition["status"] == "True" && len(list(node, "spec", "taints")) == 0 {
			return nil
		}
	}
	return fmt.Errorf("the node is not ready: %v", list(node, "status", "conditions"))
}
