package compose

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// endless is what no rejection takes, however busy the machine: what lasts
// longer grows without a bound.
const endless = time.Minute

// within fails when fn seems to have no bound.
func within(t *testing.T, fn func()) {
	t.Helper()
	start := computed(t)
	fn()
	if took := computed(t) - start; took > endless {
		t.Errorf("took %s", took)
	}
}

// computed is the time that this process was on a CPU, however busy the machine
// is.
func computed(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func bomb() string {
	var out strings.Builder
	out.WriteString("x-a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&out, "x-a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return out.String() + "services: {web: {image: a}}\n"
}

func ladder(layers int) string {
	var out strings.Builder
	out.WriteString("services:\n")
	for i := range layers {
		for _, side := range []string{"a", "b"} {
			fmt.Fprintf(&out, "  %s%03d:\n    image: x\n", side, i)
			if i > 0 {
				fmt.Fprintf(&out, "    depends_on: [a%03d, b%03d]\n", i-1, i-1)
			}
		}
	}
	return out.String()
}

func manyServices(n int) string {
	var out strings.Builder
	out.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&out, "  s%05d: {image: x, network_mode: none}\n", i)
	}
	return out.String()
}

func TestBadYAMLIsRejected(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"empty":            {"", []string{"app/compose.yaml", "empty"}},
		"comment only":     {"# nothing\n", []string{"app/compose.yaml"}},
		"null":             {"null\n", []string{"app/compose.yaml"}},
		"list":             {"[]", []string{"app/compose.yaml:1"}},
		"scalar":           {"hello", []string{"app/compose.yaml:1"}},
		"number":           {"42", []string{"app/compose.yaml:1"}},
		"not UTF-8":        {"services: {web: {image: \"\xff\xfe\"}}", []string{"app/compose.yaml", "UTF-8"}},
		"NUL":              {"services:\x00", []string{"app/compose.yaml", "NUL"}},
		"tab":              {"services:\n\tweb: {}\n", []string{"app/compose.yaml:2:1: not valid YAML"}},
		"tab in a line":    {"services:\n  web:\n    image: a\n\tbad: x\n", []string{"app/compose.yaml:4:1: not valid YAML", "begins in line 3"}},
		"indentation":      {"services:\n  web:\n    image: a\n   bad: x\n", []string{"app/compose.yaml:4:4: not valid YAML", "begins in line 2"}},
		"two colons":       {"services:\n  web: {image: a: b}\n", []string{"app/compose.yaml:2:17: not valid YAML"}},
		"open quote":       {"services:\n  web: {image: \"a\n", []string{"app/compose.yaml:3:1: not valid YAML", "begins in line 2"}},
		"unclosed":         {"services: {web: {image: a}", []string{"app/compose.yaml:2:1: not valid YAML", "begins in line 1"}},
		"duplicate key":    {"services:\n  web: {image: a}\n  web: {image: b}\n", []string{"app/compose.yaml:3", `"web"`, "line 2"}},
		"alias bomb":       {bomb(), []string{"app/compose.yaml", "nodes"}},
		"alias of itself":  {"x-a: &a [*a]\nservices: {web: {image: a}}\n", []string{"app/compose.yaml"}},
		"unknown alias":    {"services: *nothing\n", []string{"app/compose.yaml", "nothing"}},
		"20,000 brackets":  {"x-a: " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000), []string{"app/compose.yaml", "exceeded max depth"}},
		"20,000 braces":    {"x-a: " + strings.Repeat("{a: ", 20000) + strings.Repeat("}", 20000), []string{"app/compose.yaml", "exceeded max depth"}},
		"20,000 open":      {"x-a: " + strings.Repeat("[", 20000), []string{"app/compose.yaml", "exceeded max depth"}},
		"20,000 dashes":    {"x-a:\n" + strings.Repeat("- ", 20000) + "a\n", []string{"app/compose.yaml", "exceeded max depth"}},
		"20,000 lines":     {"x-a:\n" + strings.Repeat("[\n", 20000), []string{"app/compose.yaml", "exceeded max depth"}},
		"1,000 levels":     {staircase(1000), []string{"app/compose.yaml", "levels"}},
		"100,000 keys":     {"x-a:\n" + manyKeys(90_000), []string{"app/compose.yaml:2", "20000 keys"}},
		"number key":       {"services:\n  web: {image: a, labels: {1: {2: 3}}}\n", []string{"app/compose.yaml"}},
		"services a list":  {"services: [web]\n", []string{"app/compose.yaml"}},
		"service a string": {"services: {web: nginx}\n", []string{"app/compose.yaml", "web"}},
		"service null":     {"services: {web: }\n", []string{"app/compose.yaml", "web"}},
		"unknown field":    {"services: {web: {image: a, imge: b}}\n", []string{"app/compose.yaml", "web", "imge"}},
		"unknown top":      {"servces: {}\nservices: {web: {image: a}}\n", []string{"app/compose.yaml", "servces"}},
		"100 documents":    {strings.Repeat("---\nservices: {web: {image: a}}\n", 100), []string{"app/compose.yaml", "documents"}},
		"too big":          {"#" + strings.Repeat("x", 3<<20), []string{"app/compose.yaml", "limit"}},
		"template bomb":    {"services: {web: {image: \"" + strings.Repeat("${A:-", 20000) + "\"}}\n", []string{"app/compose.yaml"}},
		"template chain":   {"services: {web: {image: \"" + strings.Repeat("${A:-x}", 20000) + "\"}}\n", []string{"app/compose.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() { mustFail(t, one(c.text).request(t), fault.Rejected, c.words...) })
		})
	}
}

func manyKeys(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, " k%d: 1\n", i)
	}
	return out.String() + "services: {web: {image: a}}\n"
}

func staircase(levels int) string {
	var out strings.Builder
	for i := range levels {
		out.WriteString(strings.Repeat(" ", i) + "x-a:\n")
	}
	return out.String()
}

func TestBadComposeIsRejected(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"a billion replicas":     {service("web", "image: a\nscale: 1000000000"), []string{"app/compose.yaml:4", "service web", "scale", "limits.objects"}},
		"deploy a billion":       {service("web", "image: a\ndeploy:\n  replicas: 1000000000"), []string{"app/compose.yaml:5", "service web", "deploy.replicas"}},
		"negative replicas":      {service("web", "image: a\nscale: -1"), []string{"app/compose.yaml", "web", "scale"}},
		"ports 1-65535":          {service("web", "image: a\nports: ['1-65535:1-65535']"), []string{"app/compose.yaml:4", "service web", "ports", "1000"}},
		"long ports":             {service("web", "image: a\nports: [{target: 80, published: '1-65535'}]"), []string{"service web", "ports"}},
		"expose 1-65535":         {service("web", "image: a\nexpose: ['1-65535']"), []string{"service web", "expose"}},
		"huge port":              {service("web", "image: a\nports: ['99999:80']"), []string{"app/compose.yaml", "99999"}},
		"10,000 services":        {manyServices(10000), []string{"app/compose.yaml", "limits.objects"}},
		"cycle":                  {"services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n", []string{"app/compose.yaml:2", "depends_on", "a -> b -> c -> a"}},
		"self":                   {"services:\n  a: {image: x, depends_on: [a]}\n", []string{"a -> a"}},
		"cycle of networks":      {"services:\n  a: {image: x, network_mode: 'service:b'}\n  b: {image: x, volumes_from: [a]}\n", []string{"a -> b -> a"}},
		"entangled needs":        {ladder(60), []string{"depends_on", "paths"}},
		"unknown need":           {service("web", "image: a\ndepends_on: [db]"), []string{"app/compose.yaml", "web", "db"}},
		"no image":               {service("web", "command: [a]"), []string{"app/compose.yaml", "web", "image"}},
		"build alone":            {service("web", "build: ."), []string{"app/compose.yaml:3", "service web", "build", "image:"}},
		"unknown network":        {service("web", "image: a\nnetworks: [n]"), []string{"app/compose.yaml", "web", "n"}},
		"unknown volume":         {service("web", "image: a\nvolumes: ['v:/v']"), []string{"app/compose.yaml", "web", "v"}},
		"unknown secret":         {service("web", "image: a\nsecrets: [s]"), []string{"app/compose.yaml", "web", "s"}},
		"two replicas, one name": {service("web", "image: a\nscale: 2\ncontainer_name: x1"), []string{"app/compose.yaml", "web", "container_name"}},
		"two replicas, one port": {service("web", "image: a\nscale: 2\nports: ['80:80']"), []string{"app/compose.yaml:5", "service web", "ports", "0.0.0.0:80/tcp"}},
		"two of one name":        {"services: {a: {image: x, container_name: xx}, b: {image: x, container_name: xx}}\n", []string{"app/compose.yaml:1", "service b", "container_name", "service a"}},
		"a made name":            {"services: {a: {image: x}, b: {image: x, container_name: shop-a-1}}\n", []string{"app/compose.yaml:1", "service b", "container_name", "service a"}},
		"network_mode a network": {service("web", "image: a\nnetwork_mode: backend"), []string{"app/compose.yaml:4", "service web", "network_mode", "networks"}},
		"no port":                {service("web", "image: a\nports: [{target: 70000}]"), []string{"app/compose.yaml", "web", "ports"}},
		"no protocol":            {service("web", "image: a\nports: [{target: 80, protocol: quic}]"), []string{"app/compose.yaml:4", "service web", "ports", "quic"}},
		"swappiness":             {service("web", "image: a\nmem_swappiness: 200"), []string{"app/compose.yaml:4", "service web", "mem_swappiness"}},
		"negative cpus":          {service("web", "image: a\ncpus: -1"), []string{"app/compose.yaml:4", "service web", "cpus"}},
		"unknown key":            {service("web", "imagee: a"), []string{"app/compose.yaml:3: unknown key \"services.web.imagee\"", "image"}},
		"unknown key below":      {service("web", "image: a\ndeploy: {resourcess: {}}"), []string{"app/compose.yaml:4: unknown key \"services.web.deploy.resourcess\""}},
		"unknown section":        {"services: {web: {image: a}}\nnetwork: {}\n", []string{"app/compose.yaml: unknown key \"network\""}},
		"not the type":           {service("web", "image: [a]"), []string{"app/compose.yaml:3: services.web.image must be a string"}},
		"no size":                {service("web", "image: a\nmem_limit: banana"), []string{"app/compose.yaml:4: 'services[web].mem_limit' invalid size"}},
		"no image's name":        {service("web", "image: 'BAD IMAGE::'"), []string{"app/compose.yaml:3", "service web", "image", "BAD IMAGE::"}},
		"a range too short":      {service("web", "image: a\nscale: 3\nports: ['80-81:80']"), []string{"app/compose.yaml:5", "service web", "ports", "3 replicas", "2 ports"}},
		"hasty healthcheck":      {service("web", "image: a\nhealthcheck: {test: a, interval: 1us}"), []string{"app/compose.yaml:4", "service web", "healthcheck.interval"}},
		"negative grace":         {service("web", "image: a\nstop_grace_period: -5s"), []string{"app/compose.yaml:4", "service web", "stop_grace_period"}},
		"volumes of itself":      {service("web", "image: a\nvolumes_from: [web]"), []string{"web -> web"}},
		"env_file format":        {service("web", "image: a\nenv_file: [{path: compose.yaml, format: json}]"), []string{"app/compose.yaml:4", "service web", "env_file", "json"}},
		"relative target":        {service("web", "image: a\nvolumes: [{type: volume, target: data}]"), []string{"app/compose.yaml:4", "service web", "volumes", "data"}},
		"subpath climbs":         {service("web", "image: a\nvolumes: [{type: volume, target: /d, volume: {subpath: ../x}}]"), []string{"service web", "volumes", "../x"}},
		"cluster volume":         {service("web", "image: a\nvolumes: [{type: cluster, target: /d}]"), []string{"service web", "volumes", "cluster"}},
		"no address":             {service("web", "image: a\nnetworks: {default: {ipv4_address: here}}"), []string{"service web", "networks.default.ipv4_address", "here"}},
		"restart sometimes":      {service("web", "image: a\nrestart: sometimes"), []string{"app/compose.yaml:4", "service web", "restart"}},
		"restart always:3":       {service("web", "image: a\nrestart: 'always:3'"), []string{"service web", "restart", "on-failure"}},
		"attempts of any":        {service("web", "image: a\ndeploy: {restart_policy: {condition: any, max_attempts: 3}}"), []string{"service web", "deploy.restart_policy.max_attempts"}},
		"pull daily":             {service("web", "image: a\npull_policy: daily"), []string{"service web", "pull_policy", "once per revision"}},
		"foreign labels":         {service("web", "image: a\nlabels: {com.docker.compose.project: other}"), []string{"service web", "labels", "com.docker.compose.project"}},
		"remote include":         {"include: ['https://example.com/x.yaml']\nservices: {web: {image: a}}\n", []string{"app/compose.yaml:1", "include", "remote"}},
		"remote extends":         {service("web", "extends: {file: 'https://example.com/x.yaml', service: web}"), []string{"app/compose.yaml:3", "service web", "extends", "remote"}},
		"git include":            {"include: ['git@example.com:x.git']\nservices: {web: {image: a}}\n", []string{"include", "remote"}},
		"extends itself":         {service("web", "extends: web\nimage: a"), []string{"web"}},
		"extends circle":         {"services:\n  a: {extends: b}\n  b: {extends: a}\n", []string{"extends"}},
		"jobs":                   {"jobs: {a: {image: a}}\nservices: {web: {image: a}}\n", []string{"app/compose.yaml:1", "jobs"}},
		"models":                 {"models: {a: {model: a}}\nservices: {web: {image: a}}\n", []string{"app/compose.yaml:1", "models"}},
		"global x-syncd":         {"x-syncd: {job: true}\nservices: {web: {image: a}}\n", []string{"app/compose.yaml:1", "x-syncd"}},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() { mustFail(t, one(c.text).request(t), fault.Rejected, c.words...) })
		})
	}
}

func TestAnEmptyAppIsHeldNotApplied(t *testing.T) {
	for name, text := range map[string]string{
		"no services":       "services: {}\n",
		"only networks":     "networks: {a: {}}\n",
		"profiles disabled": service("web", "image: a\nprofiles: [debug]"),
	} {
		t.Run(name, func(t *testing.T) {
			mustFail(t, one(text).request(t), fault.Blocked, "app/compose.yaml", "no services", "held", "delete the app's directory")
		})
	}
}

func TestNoComposeFileIsRejected(t *testing.T) {
	mustFail(t, files{"app/README.md": "x"}.request(t), fault.Rejected, "no Compose file")
}

func TestManyServicesWithinTheLimitAreRendered(t *testing.T) {
	req := one(manyServices(2000)).request(t)
	start := time.Now()
	if got := len(mustRender(t, req).Objects); got != 2000 {
		t.Errorf("%d objects, want 2000", got)
	}
	t.Logf("took %s", time.Since(start))
}

func TestTheAnswerIsBounded(t *testing.T) {
	req := web("scale: 50\nenvironment: {A: " + strings.Repeat("x", 1000) + "}").request(t)
	req.MaxBytes = 10000
	mustFail(t, req, fault.Rejected, "app/compose.yaml", "limits.renderSize")
	req.MaxBytes, req.MaxObjects = 1<<20, 49
	mustFail(t, req, fault.Rejected, "app/compose.yaml", "limits.objects")
}
