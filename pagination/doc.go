// Package pagination turns request parameters into pages of a list: by page number with a total,
// and by sealed cursors that neither skip nor repeat a row, at the same cost at any depth.
package pagination
