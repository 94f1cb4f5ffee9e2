package docker

import (
	"path"
	"strings"

	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/spec"
)

// aliased says every link as service:alias.
func aliased(links []string) []string {
	out := make([]string, 0, len(links))
	for _, link := range links {
		target, alias, ok := strings.Cut(link, ":")
		if !ok {
			alias = target
		}
		out = append(out, target+":"+alias)
	}
	return sorted(out)
}

// readLinks says links to containers of the project as service:alias, and leaves
// out the aliases that Compose adds by itself.
func (s *snapshot) readLinks(c *spec.Container) {
	var out []string
	for _, link := range c.Links {
		target, alias, ok := strings.Cut(link, ":")
		target, alias = strings.TrimPrefix(target, "/"), path.Base(alias)
		if !ok {
			alias = target
		}
		service := s.serviceOf(target)
		if service == "" {
			out = append(out, target+":"+alias)
			continue
		}
		added := alias == target || strings.HasPrefix(alias, service+"-") || strings.HasPrefix(alias, service+"_") ||
			strings.HasPrefix(alias, c.Project+"-"+service+"-") || strings.HasPrefix(alias, c.Project+"_"+service+"_")
		if !added {
			out = append(out, service+":"+alias)
		}
	}
	c.Links = sorted(out)
}

// resolveLinks puts container names in the place of linked services.
func (s *snapshot) resolveLinks(links []string) ([]string, error) {
	var out []string
	for _, link := range aliased(links) {
		target, alias, _ := strings.Cut(link, ":")
		if peer := s.present(target); peer != nil {
			target = peer.name()
		} else if s.serviceOf(target) == "" && !strings.HasPrefix(target, "/") {
			return nil, rejected("the linked service must be part of the app and start first", "resolve link %s: no container of %s", link, target)
		}
		out = append(out, target+":"+alias)
	}
	return out, nil
}

func (s *snapshot) resolveEndpointLinks(endpoints map[string]*network.EndpointSettings) error {
	for _, e := range endpoints {
		links, err := s.resolveLinks(e.Links)
		if err != nil {
			return err
		}
		e.Links = links
	}
	return nil
}
