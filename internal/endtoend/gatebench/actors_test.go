package gatebench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/gate"
)

// gate starts a gate as the agent does: its table is there before it starts, and
// names the backend by its container's ID.
func (s *stage) gate(name string, mode gate.Mode) *actor {
	s.b.Helper()
	table, err := gate.Table{Format: gate.Format, Mode: mode, Port: 8080, Backends: []gate.Backend{{ID: s.backend.id[:12], Port: 8080}}}.Encode()
	must(s.b, err)
	return s.start(name, built(s.b, "syncd.io/syncd/cmd/syncd-gate"), files{"/gate/" + gate.TableFile: string(table)}, "serve", "-dir", "/gate")
}

// haproxy starts the distribution's HAProxy, with as many threads as it finds
// processors, which is its default.
func (s *stage) haproxy() *actor {
	s.b.Helper()
	return s.start("haproxy", "haproxy", files{"/haproxy.cfg": `
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
frontend port
  bind :8080
  default_backend pool
backend pool
  server web ` + s.backend.own + `
`}, "-db", "-f", "/haproxy.cfg")
}

// nginx starts the distribution's nginx, which keeps connections to the backend
// and tells it what a gate does.
func (s *stage) nginx() *actor {
	s.b.Helper()
	return s.start("nginx", "nginx", files{"/nginx.conf": `
daemon off;
user www-data;
worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  keepalive_requests 1000000000;
  upstream pool {
    server ` + s.backend.own + `;
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 8080;
    location / {
      proxy_pass http://pool;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`}, "-e", "stderr", "-c", "/nginx.conf")
}

// built builds one of the project's own programs as it is shipped.
func built(b *testing.B, pkg string) string {
	b.Helper()
	out := filepath.Join(b.TempDir(), filepath.Base(pkg))
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v: %s", pkg, err, said)
	}
	return out
}
