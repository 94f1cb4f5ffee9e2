package compose

import (
	"maps"
	"slices"
)

// undefined finds the first service of a model that lacks an image or refers to
// what is not there: compose-go tells one of several. It is nil where all is.
func (a *app) undefined(model map[string]any) error {
	services := mapAt(model, "services")
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service := mapAt(services, name)
		if !a.active(service) {
			continue
		}
		if service["image"] == nil && service["build"] == nil && service["provider"] == nil {
			return a.reject(name, "image", "say `image:`", "there is no image")
		}
		for _, ref := range references(service) {
			if _, ok := mapAt(model, ref.field+"s")[ref.value]; !ok {
				return a.reject(name, ref.field+"s", "declare it under the top-level `"+ref.field+"s`", "there is no %s %s", ref.field, ref.value)
			}
		}
		for _, on := range slices.Sorted(maps.Keys(mapAt(service, "depends_on"))) {
			if services[on] == nil {
				return a.reject(name, "depends_on", "", "there is no service %s", on)
			}
		}
	}
	return nil
}

// active tells whether a profile of the app, or none, lets the service run.
func (a *app) active(service map[string]any) bool {
	own := texts(service["profiles"])
	return len(own) == 0 || slices.ContainsFunc(own, func(p string) bool {
		return slices.Contains(a.req.App.Config.Profiles, p) || slices.Contains(a.req.App.Config.Profiles, "*")
	})
}

// references are the networks, volumes, configs and secrets that a service of a
// model refers to.
func references(service map[string]any) []pair {
	var out []pair
	for _, key := range slices.Sorted(maps.Keys(mapAt(service, "networks"))) {
		out = append(out, pair{"network", key})
	}
	for _, field := range []string{"volume", "config", "secret"} {
		list, _ := service[field+"s"].([]any)
		for _, e := range list {
			m, _ := e.(map[string]any)
			source, _ := m["source"].(string)
			if source != "" && (field != "volume" || m["type"] == "volume") {
				out = append(out, pair{field, source})
			}
		}
	}
	return out
}
