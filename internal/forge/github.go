package forge

// github is GitHub's REST API, version 2022-11-28: "Create a commit status", 201.
// A description has at most 140 characters, else it is 422, "description is too long
// (maximum is 140 characters)", which the page does not say and the answer does; so is a
// commit that is not there, and the thousandth status of one context ("REST API endpoints
// for commit statuses"). Redirects are 301, 302 and 307 where a repository was renamed.
type github struct{ strict }

func (github) say(d *destination, s Status, token string) call {
	body := map[string]any{"state": githubState(s.State), "context": cut(s.Context, 255), "description": cut(s.Description, 140)}
	unlessEmpty(body, "target_url", s.URL)
	header := bearer(token)
	header["Accept"], header["X-GitHub-Api-Version"] = "application/vnd.github+json", "2022-11-28"
	return call{url: at(d.place.API, "repos", d.place.Owner(), d.place.Name(), "statuses", s.Commit), body: body, header: header}
}

// githubState is one of error, failure, pending and success.
func githubState(s State) string {
	if s == Superseded {
		return "error"
	}
	return string(s)
}
