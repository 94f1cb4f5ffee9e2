package compose

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// index knows where in the Compose files something is said, for error messages.
type index struct {
	main  string // the app's first Compose file
	found map[string][]declared
}

// declared is one mapping of one file: a service, a network.
type declared struct {
	file string
	node *yaml.Node
}

func newIndex(main string) *index {
	return &index{main: main, found: map[string][]declared{}}
}

func (x *index) add(section, name, file string, node *yaml.Node) {
	key := section + "/" + name
	x.found[key] = append(x.found[key], declared{file, node})
}

// base adds a declaration that others override.
func (x *index) base(section, name, file string, node *yaml.Node) {
	key := section + "/" + name
	x.found[key] = append([]declared{{file, node}}, x.found[key]...)
}

// at returns "file:line" of a field, dotted from the service on. Where no file
// says it, it is the service's own place, else the app's first file.
func (x *index) at(section, name, field string) string {
	list := x.found[section+"/"+name]
	for i := len(list) - 1; i >= 0; i-- {
		if line, _ := locate(list[i].node, strings.Split(field, ".")); line > 0 {
			return list[i].file + ":" + strconv.Itoa(line)
		}
	}
	if len(list) > 0 {
		last := list[len(list)-1]
		return last.file + ":" + strconv.Itoa(max(last.node.Line, 1))
	}
	return x.main
}

// has tells whether any file says the field.
func (x *index) has(section, name, field string) bool {
	keys := strings.Split(field, ".")
	for _, d := range x.found[section+"/"+name] {
		if _, depth := locate(d.node, keys); depth == len(keys) {
			return true
		}
	}
	return false
}

// locate returns the line of a key below node, or of the deepest one that is
// there, and how many of the keys were found.
func locate(node *yaml.Node, keys []string) (line, depth int) {
	for _, key := range keys {
		at, value := child(node, key)
		if at == nil {
			break
		}
		line, node = at.Line, value
		depth++
	}
	return line, depth
}

// child returns key and value of a mapping, nil where it has no such key.
func child(node *yaml.Node, key string) (*yaml.Node, *yaml.Node) {
	node = target(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// target looks through an alias.
func target(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
