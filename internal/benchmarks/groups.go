package main

import "slices"

func groups() []group {
	return slices.Concat(authGroups(), cursorGroups(), middlewareGroups())
}
