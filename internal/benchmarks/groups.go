package main

import "slices"

func groups() []group {
	return slices.Concat(authGroups(), refreshGroups(), cursorGroups(), depthGroups(), middlewareGroups(), rbacGroups(), auditGroups(), softdeleteGroups())
}
