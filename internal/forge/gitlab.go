package forge

import (
	"net/http"
	"strings"
)

// gitlab is GitLab's API v4: "Set commit pipeline status" in its "Commits API", 201. The
// project is its path, escaped as one part. Name, description and link have at most 255
// characters: the name and the description by the columns, the link by the model
// (app/models/generic_commit_status.rb; gitlab-org/gitlab#501079), else it is 400. Only a
// status that is pending or running is changed, another begins anew
// (lib/api/commit_statuses.rb); the same state once more is 400, "Cannot transition status
// via :enqueue from :pending" (gitlab-org/gitlab-foss#25807), in all versions.
type gitlab struct{}

func (gitlab) say(d *destination, s Status, token string) call {
	body := map[string]any{"state": gitlabState(s.State), "name": cut(s.Context, 255), "description": cut(s.Description, 255)}
	unlessEmpty(body, "target_url", within(s.URL, 255))
	return call{
		url: at(d.place.API, "projects", d.place.Path, "statuses", s.Commit), body: body,
		header: map[string]string{"PRIVATE-TOKEN": token},
	}
}

// well is the answer that it is in that state.
func (gitlab) well(s Status, code int, body string) bool {
	_, from, found := strings.Cut(body, "Cannot transition status")
	return found && code == http.StatusBadRequest && strings.Contains(from, "from :"+gitlabState(s.State))
}

// gitlabState is one of pending, running, success, failed, canceled and skipped.
func gitlabState(s State) string {
	switch s {
	case Failure:
		return "failed"
	case Superseded:
		return "canceled"
	default:
		return string(s)
	}
}
