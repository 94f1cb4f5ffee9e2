package helm

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// maxPlaces bounds how many places a message lists.
const maxPlaces = 5

// call is a place in a template, or in a text that may be one, where a function is named.
type call struct {
	file     string
	line     int // 0 in a value
	function string
	// offset is where the name begins, in bytes; first tells that it begins its
	// command, and may have arguments.
	offset int
	first  bool
}

// calls are the functions that a template names, in the order of the text. One that
// cannot be parsed has none: the engine says why.
func calls(file, text string) []call {
	root := parse.New(file)
	root.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := root.Parse(text, "", "", trees); err != nil {
		return nil
	}
	var out []call
	add := func(ident *parse.IdentifierNode, first bool) {
		offset := int(ident.Position())
		if strings.HasPrefix(text[min(offset, len(text)):], ident.Ident) {
			out = append(out, call{file, 1 + strings.Count(text[:offset], "\n"), ident.Ident, offset, first})
		}
	}
	for _, tree := range trees {
		visit(tree.Root, add)
	}
	slices.SortFunc(out, func(a, b call) int { return a.offset - b.offset })
	return out
}

// visit walks what a node holds: any kind of it, for they all keep their parts in
// fields.
func visit(node parse.Node, add func(ident *parse.IdentifierNode, first bool)) {
	if node == nil || reflect.ValueOf(node).IsNil() {
		return
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, part := range n.Nodes {
			visit(part, add)
		}
	case *parse.ActionNode:
		visit(n.Pipe, add)
	case *parse.TemplateNode:
		visit(n.Pipe, add)
	case *parse.IfNode:
		branch(&n.BranchNode, add)
	case *parse.RangeNode:
		branch(&n.BranchNode, add)
	case *parse.WithNode:
		branch(&n.BranchNode, add)
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			visit(command, add)
		}
	case *parse.CommandNode:
		for i, part := range n.Args {
			if ident, ok := part.(*parse.IdentifierNode); ok {
				add(ident, i == 0)
			} else {
				visit(part, add)
			}
		}
	case *parse.ChainNode:
		if ident, ok := n.Node.(*parse.IdentifierNode); ok {
			add(ident, false)
		} else {
			visit(n.Node, add)
		}
	}
}

func branch(n *parse.BranchNode, add func(ident *parse.IdentifierNode, first bool)) {
	visit(n.Pipe, add)
	visit(n.List, add)
	visit(n.ElseList, add)
}

// at lists places, for a message.
func at(places []call) string {
	var out []string
	for _, p := range places {
		place := p.file
		if p.line > 0 {
			place += ":" + strconv.Itoa(p.line)
		}
		if !slices.Contains(out, place) {
			out = append(out, place)
		}
	}
	if len(out) == 0 {
		return ""
	}
	more := ""
	if len(out) > maxPlaces {
		out, more = out[:maxPlaces], " and others"
	}
	return " (at " + strings.Join(out, ", ") + more + ")"
}
