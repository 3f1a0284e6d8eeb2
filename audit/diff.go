package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Diff returns the changes that turn before into after, both seen as JSON: structs through their
// json tags, [json.RawMessage] as what it holds. Equal documents give none. Missing, null and
// empty are three things. The order is stable: members by name, elements by index. Numbers are
// compared as exact decimals. A value without JSON form gives [ErrUnencodable].
//
// In arrays the common head and tail are left out and what is between is compared by position.
//
// Diff shows values as they are. [Logger.Change] is the way that masks them.
func Diff(before, after any) ([]Change, error) {
	a, err := toTree(before)
	if err != nil {
		return nil, fmt.Errorf("audit: diff: before: %w", err)
	}
	b, err := toTree(after)
	if err != nil {
		return nil, fmt.Errorf("audit: diff: after: %w", err)
	}
	return diffTrees(nil, "", a, b), nil
}

func diffTrees(list []Change, path string, a, b any) []Change {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return diffObjects(list, path, x, y)
		}
	case []any:
		if y, ok := b.([]any); ok {
			return diffArrays(list, path, x, y)
		}
	}
	if equalTrees(a, b) {
		return list
	}
	return append(list, Change{Path: path, Op: OpReplace, Old: encode(a), New: encode(b)})
}

func diffObjects(list []Change, path string, a, b map[string]any) []Change {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		x, inA := a[k]
		y, inB := b[k]
		at := path + "/" + escapeKey(k)
		switch {
		case !inA:
			list = append(list, Change{Path: at, Op: OpAdd, New: encode(y)})
		case !inB:
			list = append(list, Change{Path: at, Op: OpRemove, Old: encode(x)})
		default:
			list = diffTrees(list, at, x, y)
		}
	}
	return list
}

func diffArrays(list []Change, path string, a, b []any) []Change {
	head := 0
	for head < len(a) && head < len(b) && equalTrees(a[head], b[head]) {
		head++
	}
	endA, endB := len(a), len(b)
	for endA > head && endB > head && equalTrees(a[endA-1], b[endB-1]) {
		endA, endB = endA-1, endB-1
	}
	at := func(i int) string { return path + "/" + strconv.Itoa(i) }
	both := min(endA, endB)
	for i := head; i < both; i++ {
		list = diffTrees(list, at(i), a[i], b[i])
	}
	// From the end, so that each index is that of the original array.
	for i := endA - 1; i >= both; i-- {
		list = append(list, Change{Path: at(i), Op: OpRemove, Old: encode(a[i])})
	}
	for i := both; i < endB; i++ {
		list = append(list, Change{Path: at(i), Op: OpAdd, New: encode(b[i])})
	}
	return list
}

// Apply returns doc, seen as JSON, with the changes made one after the other: Apply(before,
// Diff(before, after)) equals after. The result consists of map[string]any, []any, string, bool,
// nil and [json.Number] and shares nothing with doc. Old values are not compared. A path that
// does not fit is [ErrApply].
func Apply(doc any, changes []Change) (any, error) {
	tree, err := toTree(doc)
	if err != nil {
		return nil, fmt.Errorf("audit: apply: %w", err)
	}
	for i, c := range changes {
		if tree, err = applyOne(tree, c); err != nil {
			return nil, fmt.Errorf("%w: change %d", err, i)
		}
	}
	return tree, nil
}

func applyOne(tree any, c Change) (any, error) {
	var value any
	switch c.Op {
	case OpAdd, OpReplace:
		var err error
		if value, err = parseTree(c.New); err != nil {
			return nil, fmt.Errorf("%w: value", ErrApply)
		}
	case OpRemove:
	default:
		return nil, fmt.Errorf("%w: operation", ErrApply)
	}
	if c.Path == "" {
		return value, nil // a removed document is null
	}
	if c.Path[0] != '/' {
		return nil, fmt.Errorf("%w: path", ErrApply)
	}
	return applyAt(tree, strings.Split(c.Path[1:], "/"), c.Op, value)
}

func applyAt(tree any, steps []string, op string, value any) (any, error) {
	last := len(steps) == 1
	switch node := tree.(type) {
	case map[string]any:
		key := unescapeKey(steps[0])
		child, there := node[key]
		if !there && (!last || op != OpAdd) {
			return nil, fmt.Errorf("%w: no such member", ErrApply)
		}
		if !last {
			child, err := applyAt(child, steps[1:], op, value)
			node[key] = child
			return node, err
		}
		if op == OpRemove {
			delete(node, key)
		} else {
			node[key] = value
		}
		return node, nil
	case []any:
		i, err := strconv.Atoi(steps[0])
		limit := len(node)
		if last && op == OpAdd {
			limit++
		}
		if err != nil || i < 0 || i >= limit || strconv.Itoa(i) != steps[0] {
			return nil, fmt.Errorf("%w: index", ErrApply)
		}
		switch {
		case !last:
			node[i], err = applyAt(node[i], steps[1:], op, value)
			return node, err
		case op == OpAdd:
			return slices.Insert(node, i, value), nil
		case op == OpRemove:
			return slices.Delete(node, i, i+1), nil
		}
		node[i] = value
		return node, nil
	}
	return nil, fmt.Errorf("%w: nothing below a value", ErrApply)
}

// MergePatch returns the RFC 7396 patch that turns before into after, for systems that read that
// form; {} when they are equal. It needs both documents because it repeats changed arrays whole.
// A member that becomes null cannot be expressed there and gives [ErrNotMergeable].
func MergePatch(before, after any) (json.RawMessage, error) {
	a, err := toTree(before)
	if err != nil {
		return nil, fmt.Errorf("audit: merge patch: before: %w", err)
	}
	b, err := toTree(after)
	if err != nil {
		return nil, fmt.Errorf("audit: merge patch: after: %w", err)
	}
	patch, err := mergePatch(a, b)
	if err != nil {
		return nil, err
	}
	return encode(patch), nil
}

func mergePatch(a, b any) (any, error) {
	to, ok := b.(map[string]any)
	if !ok {
		return b, nil
	}
	from, _ := a.(map[string]any) // anything else counts as {}, as RFC 7396 says
	patch := map[string]any{}
	for k := range from {
		if _, stays := to[k]; !stays {
			patch[k] = nil
		}
	}
	for k, y := range to {
		x, there := from[k]
		if there && equalTrees(x, y) {
			continue
		}
		if y == nil {
			return nil, ErrNotMergeable
		}
		p, err := mergePatch(x, y)
		if err != nil {
			return nil, err
		}
		patch[k] = p
	}
	return patch, nil
}
