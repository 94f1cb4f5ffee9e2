package show

import "strings"

// cell is one field of a table.
type cell struct {
	text   string
	colour colour
}

// table is rows of cells in columns of equal width. Cells hold no line breaks.
type table struct{ rows [][]cell }

func (t *table) head(names ...string) {
	row := make([]cell, len(names))
	for i, n := range names {
		row[i] = cell{n, faint}
	}
	t.rows = append(t.rows, row)
}

func (t *table) row(cells ...cell) { t.rows = append(t.rows, cells) }

func text(s string) cell { return cell{text: s} }

// draw returns the table. Colours are put on
// after the widths are known.
func (t *table) draw(s Style) string {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, c := range row {
			b.WriteString(s.paint(c.colour, c.text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columns(c.text)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
