package show_test

import (
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
)

// mirrored is a host whose repository was rewritten, and that goes by a mirror.
func mirrored() reconcile.Status {
	return reconcile.Status{
		Host: "press-07", Agent: true, Revision: first,
		Remotes: []source.RemoteStatus{
			{Name: "https://git.example.org/plant.git", State: source.RemoteDiverged, Head: second.Commit, Answered: now.Add(-20 * time.Second), Reason: "branch main is at 9f8e7d6c9f, which does not descend from 1a2b3c4d1a " + hostile, Hint: "find out who did it"},
			{Name: "https://mirror.plant-2.example.org/plant.git", State: source.RemoteServing, Head: first.Commit, Answered: now.Add(-20 * time.Second)},
			{Name: "/srv/mirror", State: source.RemoteStandby},
			{Name: "ssh://git@old.example.org/plant.git", State: source.RemoteUnreachable, Answered: now.Add(-3 * time.Hour), Reason: "connection refused"},
		},
		Apps: []reconcile.AppStatus{{Name: "shop", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Since: now.Add(-time.Hour)}},
	}
}

// brought is a host that a courier serves, who carries some bundles too few.
func brought() reconcile.Status {
	st := mirrored()
	st.Remotes = []source.RemoteStatus{{
		Name: "bundle:///srv/incoming", State: source.RemoteServing, Head: first.Commit, Answered: now.Add(-20 * time.Second),
		Bundles: []source.BundleState{
			{File: "/srv/incoming/3.bundle", State: source.BundleWaits, Reason: "it builds on commit " + second.Commit + ", which no bundle here brings"},
			{File: "/srv/incoming/2.bundle", State: source.BundleBroken, Reason: "it is no Git bundle " + hostile},
			{File: "/srv/incoming/1.bundle", State: source.BundleServes},
		},
	}}
	return st
}
