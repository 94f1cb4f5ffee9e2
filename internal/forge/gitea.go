package forge

// gitea is the API v1 of Gitea and Forgejo: "Create a commit status", 201. What
// context, description and link may hold is bounded by the database alone, which has them
// as TEXT (models/git/commit_status.go in both); 255 characters are what is shown well.
type gitea struct{ strict }

func (gitea) say(d *destination, s Status, token string) call {
	body := map[string]any{"state": giteaState(s.State), "context": cut(s.Context, 255), "description": cut(s.Description, 255)}
	unlessEmpty(body, "target_url", s.URL)
	return call{
		url: at(d.place.API, "repos", d.place.Owner(), d.place.Name(), "statuses", s.Commit), body: body,
		header: map[string]string{"Authorization": "token " + token, "Accept": "application/json"},
	}
}

// giteaState is one of pending, success, error, failure and warning.
func giteaState(s State) string {
	if s == Superseded {
		return "warning"
	}
	return string(s)
}
