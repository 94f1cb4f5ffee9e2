package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// ForgePlace is where a forge has the repository.
type ForgePlace struct {
	// API is the base of its API, Web that of its pages; both without a slash at their
	// end.
	API, Web string
	// Path is the repository's: OWNER/NAME, at GitLab with all groups.
	Path string
}

// publicForge is a provider's own service: the host of its pages, and its API.
type publicForge struct{ host, api string }

func publicForges() map[string]publicForge {
	return map[string]publicForge{
		GitHub:    {"github.com", "https://api.github.com"},
		GitLab:    {"gitlab.com", "https://gitlab.com/api/v4"},
		Bitbucket: {"bitbucket.org", "https://api.bitbucket.org/2.0"},
		Forgejo:   {"codeberg.org", "https://codeberg.org/api/v1"},
	}
}

// apiPath is where a provider's API lies on a server of one's own.
func apiPath(provider string) string {
	switch provider {
	case GitHub:
		return "/api/v3" // of GitHub Enterprise Server
	case GitLab:
		return "/api/v4"
	case Gitea, Forgejo:
		return "/api/v1"
	case Bitbucket:
		return "/2.0"
	default:
		return "/rest"
	}
}

// Place finds the repository whose commits are told: what the settings leave out is
// taken from the URL of the repository that is followed. A token is never sent to a
// public service for a repository that another server has. Errors begin with the
// name of the key, with a hint.
func (f Feedback) Place(repo string) (ForgePlace, error) {
	host, path := forgeOf(repo)
	if f.Repository != "" {
		path = f.Repository
	}
	path = strings.TrimPrefix(path, "scm/") // Bitbucket Server's, over HTTP
	if names := strings.Count(path, "/") + 1; names < 2 || names > 2 && f.Provider != GitLab {
		return ForgePlace{}, fault.Hint(errors.New(".repository is missing: repo.url does not say it"), "add repository: OWNER/NAME, as the forge calls it")
	}
	place := ForgePlace{Path: path}
	public, known := publicForges()[f.Provider]
	switch {
	case f.URL == "" && known && (host == "" || host == public.host):
		place.API, place.Web = public.api, "https://"+public.host
		return place, nil
	case f.URL == "":
		example := "https://" + cmp.Or(host, "git.example.org")
		return ForgePlace{}, fault.Hint(errors.New(".url is missing: whose API it is, nothing says"), "such as url: "+example)
	}
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ForgePlace{}, fault.Hint(errors.New(".url is no base of an API"), "such as url: https://git.example.org; the token has its own key")
	}
	base := strings.TrimSuffix(u.String(), "/")
	prefix := apiPath(f.Provider)
	switch web, whole := strings.CutSuffix(base, prefix); {
	case known && base == public.api, known && u.Host == public.host:
		place.API, place.Web = public.api, "https://"+public.host
	case whole:
		place.API, place.Web = base, web
	default:
		place.API, place.Web = base+prefix, base
	}
	return place, nil
}

// forgeOf is the server and the path of a repository's URL; empty where it has none.
func forgeOf(repo string) (host, path string) {
	if u, err := url.Parse(repo); err == nil && u.Scheme != "" {
		if u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" {
			return "", ""
		}
		return u.Hostname(), trimRepo(u.Path)
	}
	before, after, scp := strings.Cut(repo, ":")
	if !scp || strings.Contains(before, "/") {
		return "", ""
	}
	_, host, user := strings.Cut(before, "@")
	if !user {
		host = before
	}
	return host, trimRepo(after)
}

func trimRepo(path string) string {
	return strings.TrimSuffix(strings.Trim(path, "/"), ".git")
}

// Owner is the repository's: all of the path but its last part.
func (p ForgePlace) Owner() string { return p.Path[:strings.LastIndex(p.Path, "/")] }

// Name is the repository's own.
func (p ForgePlace) Name() string { return p.Path[strings.LastIndex(p.Path, "/")+1:] }

// String says where it is.
func (p ForgePlace) String() string { return fmt.Sprintf("%s of %s", p.Path, p.Web) }
