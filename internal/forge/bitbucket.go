package forge

import (
	"cmp"
	"encoding/base64"
)

// Both know names of 255 characters and URLs of 450, and refuse longer ones with 400
// (BSERV-12804; what Jenkins' plugin for both found, bitbucket-branch-source-plugin#928).
const (
	bitbucketText = 255
	bitbucketLink = 450
)

// bitbucket is Bitbucket Cloud's API 2.0: "Create a build status for a commit" of the
// group "Commit statuses", 201. The key has at most 40 characters, which the page does not
// say and the answer does (BCLOUD-23984), and tells statuses apart: a second one with the
// same key takes the place of the first. The URL has to be there.
type bitbucket struct{ strict }

func (bitbucket) say(d *destination, s Status, token string) call {
	return call{
		url: at(d.place.API, "repositories", d.place.Owner(), d.place.Name(), "commit", s.Commit, "statuses", "build"),
		body: map[string]any{
			"key": keyOf(s.Context, 40), "state": bitbucketState(s.State, "STOPPED"), "name": cut(s.Context, bitbucketText), "description": cut(s.Description, bitbucketText),
			"url": cmp.Or(within(s.URL, bitbucketLink), at(d.place.Web, d.place.Owner(), d.place.Name(), "commits", s.Commit)),
		},
		header: login(d, token),
	}
}

// bitbucketServer is the REST API of Bitbucket Server and Data Center, 7.14 and later:
// "Updating build status for commits" in its developers' guide, 204. Key, state and URL
// have to be there.
type bitbucketServer struct{ strict }

func (bitbucketServer) say(d *destination, s Status, token string) call {
	return call{
		url: at(d.place.API, "api", "latest", "projects", d.place.Owner(), "repos", d.place.Name(), "commits", s.Commit, "builds"),
		body: map[string]any{
			"key": keyOf(s.Context, bitbucketText), "state": bitbucketState(s.State, "CANCELLED"), "name": cut(s.Context, bitbucketText), "description": cut(s.Description, bitbucketText),
			"url": cmp.Or(within(s.URL, bitbucketLink), at(d.place.Web, "projects", d.place.Owner(), "repos", d.place.Name(), "commits", s.Commit)),
		},
		header: login(d, token),
	}
}

func bitbucketState(s State, superseded string) string {
	switch s {
	case Success:
		return "SUCCESSFUL"
	case Failure:
		return "FAILED"
	case Superseded:
		return superseded
	default:
		return "INPROGRESS"
	}
}

// keyOf is a context in so many bytes: one that is longer ends with a digest of all
// of it, so that two of them are not one.
func keyOf(context string, most int) string {
	if len(context) <= most {
		return context
	}
	return cut(context, most-9-len("…")) + "-" + digest(context)
}

// login is an access token by itself, or another one with the name that it belongs to.
func login(d *destination, token string) map[string]string {
	if d.conf.Username == "" {
		return bearer(token)
	}
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(d.conf.Username+":"+token))}
}
