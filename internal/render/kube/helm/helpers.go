package helm

import (
	"fmt"
	"strings"
)

// helpersFile is what the templates are in that another moment adds to a chart.
const helpersFile = "templates/_syncd-moment.tpl"

func helper(function string) string { return "syncd-moment." + function }

// fallingBack are the functions that take the time for what is none: a value that is
// missing, or a number of a values file, which is one with a point. For durationRound
// it is the other way round: of a time, it tells how long ago that was.
func fallingBack() []string {
	return []string{"date", "dateInZone", "date_in_zone", "htmlDate", "htmlDateInZone", "durationRound"}
}

// helpers are templates that stand for functions at another time. Each gets a list of
// the function's arguments.
func helpers(when string) string {
	var out strings.Builder
	for _, f := range []struct{ function, date, arguments string }{
		{"date", "last .", "(first .) $t"},
		{"dateInZone", "rest . | first", "(first .) $t (last .)"},
		{"date_in_zone", "rest . | first", "(first .) $t (last .)"},
		{"htmlDate", "first .", "$t"},
		{"htmlDateInZone", "first .", "$t (last .)"},
	} {
		fmt.Fprintf(&out, `{{ define %q }}{{ $t := %s }}`, helper(f.function), f.date)
		fmt.Fprintf(&out, `{{ if not (has (typeOf $t) (list "time.Time" "*time.Time" "int" "int32" "int64")) }}{{ $t = %s }}{{ end }}`, when)
		fmt.Fprintf(&out, `{{ %s %s }}{{ end }}`, f.function, f.arguments)
	}
	fmt.Fprintf(&out, `{{ define %q }}{{ $t := first . }}{{ if eq (typeOf $t) "time.Time" }}{{ %s }}{{ else }}{{ durationRound $t }}{{ end }}{{ end }}`, helper("durationRound"), when)
	return out.String() + tplHelper(when)
}

// tplHelper is tpl, of a text in which it is another time.
func tplHelper(when string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "{{ define %q }}{{ $text := first . }}", helper("tpl"))
	for _, change := range [][2]string{{"now", when}, {"now", when}, {"ago", "print"}} { // twice in one action is enough
		fmt.Fprintf(&out, "{{ $text = regexReplaceAll %q $text %q }}", inAction(change[0]), "${1}"+change[1])
	}
	return out.String() + "{{ tpl $text (last .) }}{{ end }}"
}

// inAction finds a function that is called in an action, outside of quotes, and what
// stands before it there.
func inAction(function string) string {
	const before = "[^{}\"`]|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`"
	return `(\{\{(?:(?:` + before + `)*?[\s(|=-])?)` + function + `\b`
}
