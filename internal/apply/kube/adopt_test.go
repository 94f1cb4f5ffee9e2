package kube

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/resource"
)

// theirs makes the objects as somebody else does: by a server-side apply, or as
// kubectl apply and Helm do without one.
func (p *place) theirs(manager string, serverSide bool, objects []resource.Object, mark func(*unstructured.Unstructured)) {
	p.t.Helper()
	for _, o := range objects {
		u, err := decoded(o)
		if err != nil {
			p.t.Fatal(err)
		}
		mark(u)
		at := p.admin.Resource(p.resourceOf(u)).Namespace(p.namespace)
		if serverSide {
			body, encoded := u.MarshalJSON()
			if encoded != nil {
				p.t.Fatal(encoded)
			}
			_, err = at.Patch(p.t.Context(), u.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: manager})
		} else {
			_, err = at.Create(p.t.Context(), u, metav1.CreateOptions{FieldManager: manager})
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *place) resourceOf(u *unstructured.Unstructured) schema.GroupVersionResource {
	p.t.Helper()
	k, err := p.engine.kinds.find(p.t.Context(), u.GroupVersionKind())
	if err != nil {
		p.t.Fatal(err)
	}
	return k.gvr
}

// live returns an object as it is now.
func (p *place) live(o resource.Object) *unstructured.Unstructured {
	p.t.Helper()
	u, err := decoded(o)
	if err != nil {
		p.t.Fatal(err)
	}
	live, err := p.admin.Resource(p.resourceOf(u)).Namespace(p.namespace).Get(p.t.Context(), u.GetName(), metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return live
}

// waitFor polls until something is so.
func (p *place) waitFor(is func() bool) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatal("it took too long")
		}
	}
}

// pods are the UIDs of the place's pods.
func (p *place) pods() []string {
	p.t.Helper()
	list, err := p.admin.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(p.namespace).List(p.t.Context(), metav1.ListOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, pod := range list.Items {
		out = append(out, string(pod.GetUID()))
	}
	slices.Sort(out)
	return out
}

func managers(u *unstructured.Unstructured) string {
	var out []string
	for _, f := range u.GetManagedFields() {
		if f.Subresource == "" {
			out = append(out, f.Manager)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// labels and notes mark an object as a tool's.
func labels(with map[string]string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) { u.SetLabels(with) }
}

func notes(with map[string]string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) { u.SetAnnotations(with) }
}

// What others made is left alone until a person says so; then it is mended where it
// is, no pod restarts, and nobody else has a hold on it.
func TestAdoptionTakesOverFromEachToolWithoutARestart(t *testing.T) {
	for name, c := range map[string]struct {
		manager    string
		serverSide bool
		mark       func(*unstructured.Unstructured)
		maker      string
	}{
		"kubectl": {
			"kubectl-client-side-apply", false, notes(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"}), "kubectl",
		},
		"Flux": {
			"kustomize-controller", true,
			labels(map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}),
			"Flux Kustomization flux-system/apps",
		},
		"Argo CD": {"argocd-controller", true, notes(map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/web"}), "Argo CD application shop"},
		"Helm": {
			"helm", false, func(u *unstructured.Unstructured) {
				labels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})(u)
				notes(map[string]string{"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "a"})(u)
			}, "Helm release a/shop",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			want := p.set(shop)
			p.theirs(c.manager, c.serverSide, want, c.mark)
			p.waitFor(func() bool { return len(p.pods()) == 2 })
			before := p.pods()

			pairs, report := p.observe(want)
			for _, pair := range pairs {
				if len(pair.Live) != 1 || !pair.Live[0].Foreign || pair.Live[0].Maker != c.maker {
					t.Errorf("%s: %+v, want it foreign and made by %s", pair.Key, pair.Live, c.maker)
				}
				p.owned.Adopted = append(p.owned.Adopted, pair.Live[0].Ref)
			}
			if plan, err := apply.NewPlan(apply.Request{Pairs: pairs, Report: report}); err != nil || len(plan.Blocked) != 3 {
				t.Errorf("the plan: %v, %v", plan.Blocked, err)
			}
			for _, s := range p.plan(want).Services {
				if s.How != apply.InPlace {
					t.Errorf("%s is changed %s: %v", s.Group, s.How, s.Changes)
				}
			}
			adopted := p.owned.Adopted
			p.owned.Adopted = nil // it was only asked what would be done
			if pairs, _ := p.observe(want); !pairs[0].Live[0].Foreign {
				t.Errorf("asking has made %s ours", pairs[0].Key)
			}
			p.owned.Adopted = adopted
			p.deploy(want)
			if after := p.pods(); !slices.Equal(before, after) {
				t.Errorf("the pods were %v and are %v", before, after)
			}
			p.owned.Adopted = nil // the labels say it
			if _, report := p.observe(want); !report.InSync() {
				t.Errorf("after the adoption: %s", report)
			}
			for _, o := range want {
				live := p.live(o)
				if _, held, err := withoutOthers(live.GetManagedFields()); err != nil || held {
					t.Errorf("%s of %s is not ours alone: %s (%v)", o.Key, c.maker, managers(live), err)
				}
				if marks := marksOf(live, &unstructured.Unstructured{}); len(marks) > 0 {
					t.Errorf("%s still has the marks %v", o.Key, marks)
				}
			}
			p.vanishes(c.manager)
		})
	}
}

// vanishes tests that what goes from Git goes from the cluster, too.
func (p *place) vanishes(manager string) {
	p.t.Helper()
	want := p.set(strings.Replace(shop, "data: {colour: blue}", "data: {size: big}", 1))
	p.deploy(want)
	if data, _, _ := unstructured.NestedStringMap(p.live(want[0]).Object, "data"); data["colour"] != "" || data["size"] != "big" {
		p.t.Errorf("after it was taken from Git, %s's data is %v", manager, data)
	}
}

// What only somebody else has set is not Git's, and stays.
func TestAdoptionLeavesWhatOnlyOthersHaveSet(t *testing.T) {
	p := newPlace(t)
	all := p.set(strings.Replace(shop, "data: {colour: blue}", "data: {colour: red, extra: theirs}", 1))
	p.theirs("kubectl-client-side-apply", false, all[:1], func(*unstructured.Unstructured) {})
	want := p.set(shop)[:1]
	pairs, _ := p.observe(want)
	p.owned.Adopted = []resource.Ref{pairs[0].Live[0].Ref}
	p.deploy(want)
	live := p.live(want[0])
	if data, _, _ := unstructured.NestedStringMap(live.Object, "data"); data["colour"] != "blue" || data["extra"] != "theirs" {
		t.Errorf("the data is %v", data)
	}
	if got := managers(live); got != "kubectl-client-side-apply syncd" {
		t.Errorf("the managers are %s", got)
	}
}

// An object that another agent, or another app, has taken over is let go.
func TestWhatAnotherAgentTookOverIsLetGo(t *testing.T) {
	p := newPlace(t)
	want := p.set(shop)[:1]
	p.deploy(want)
	other, err := Open(t.Context(), Options{Kubeconfig: kubetest.Shared(t).Kubeconfig(), Agent: p.namespace + "-b", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	q := &place{t: t, engine: other, target: other.Target("shop"), namespace: p.namespace, owned: apply.Owned{App: "shop"}, admin: p.admin, done: map[string]bool{}}
	pairs, _ := q.observe(want)
	if maker := pairs[0].Live[0].Maker; maker != "app shop of syncd (agent "+p.namespace+")" || pairs[0].Live[0].Holder != "" {
		t.Errorf("for the other agent it is made by %q, held by %q", maker, pairs[0].Live[0].Holder)
	}
	q.owned.Adopted = []resource.Ref{pairs[0].Live[0].Ref}
	q.deploy(want)
	p.waitFor(func() bool {
		pairs, _ := p.observe(want)
		return pairs[0].Live[0].Foreign
	})
	if pairs, _ := p.observe(nil); len(pairs) != 0 {
		t.Errorf("the agent that lost it would prune %v", pairs)
	}

	r := &place{t: t, engine: other, target: other.Target("blog"), namespace: p.namespace, owned: apply.Owned{App: "blog"}, admin: p.admin, done: map[string]bool{}}
	if pairs, _ := r.observe(want); !pairs[0].Live[0].Foreign || pairs[0].Live[0].Holder != "shop" {
		t.Errorf("for another app it is %+v", pairs[0].Live[0])
	}
}

func TestNewsAreEventsAboutTheObject(t *testing.T) {
	p := newPlace(t)
	want := p.set(shop)[:1]
	p.deploy(want)
	pairs, _ := p.observe(want)
	news := apply.News{Key: want[0].Key, Ref: pairs[0].Live[0].Ref, Reason: "RolledBack", Text: "revision 1a2b failed;\nit is back", Warning: true}
	for range 3 {
		if err := p.target.Tell(t.Context(), news); err != nil {
			t.Fatal(err)
		}
	}
	news.Reason, news.Warning = "Applied", false
	if err := p.target.Tell(t.Context(), news); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.events(news.Ref.ID) {
		count := int32(1)
		if e.Series != nil {
			count = e.Series.Count
		}
		raw, err := json.Marshal([]any{e.Type, e.Reason, e.Message, count, e.ReportingController, e.InvolvedObject.Kind, e.InvolvedObject.Name})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(raw))
	}
	slices.Sort(got)
	want2 := `["Normal","Applied","revision 1a2b failed; it is back",1,"syncd.io/syncd","ConfigMap","settings"]` + "\n" +
		`["Warning","RolledBack","revision 1a2b failed; it is back",3,"syncd.io/syncd","ConfigMap","settings"]`
	if strings.Join(got, "\n") != want2 {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), want2)
	}
}

func TestEachMakerIsSuspendedInItsOwnWords(t *testing.T) {
	for maker, want := range map[string]string{
		"kubectl":                               "",
		"Flux Kustomization flux-system/apps":   "flux suspend kustomization apps -n flux-system",
		"Flux HelmRelease shop/web":             "flux suspend helmrelease web -n shop",
		"Argo CD application shop":              "argocd app set shop --sync-policy none",
		"Helm release a/shop":                   "helm uninstall would delete",
		"app shop of syncd (agent other)":       "syncd release shop on the agent that keeps it",
		"app shop of syncd (agent this-agent1)": "take it out of app shop",
	} {
		if got := suspend(maker, "this-agent1"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", maker, got, want)
		}
	}
}
