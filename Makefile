.PHONY: run demo test check lint fmt openapi outdated

run: ## start the reference server on http://127.0.0.1:8080
	go run ./examples/server

demo: ## walk through a quote against a running server
	go run ./examples/quote-demo

test: ## what a contributor runs all the time
	go test ./...

check: ## what every change must pass
	bash .ci/run

bin/golangci-lint bin/gofumpt: tools/go.mod
	GOBIN=$(CURDIR)/bin go -C tools install tool

lint: bin/golangci-lint
	bin/golangci-lint run ./...

fmt: bin/gofumpt
	git ls-files '*.go' | xargs bin/gofumpt -w

openapi: ## write the API document anew
	go run ./examples/server openapi > examples/server/api/openapi.json

outdated: ## direct dependencies with a newer release
	go list -m -u -f '{{if and .Update (not .Indirect)}}{{.Path}} {{.Version}} -> {{.Update.Version}}{{end}}' all
