module github.com/groundwork-go/groundwork/internal/benchmarks

go 1.26.0

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/go-chi/httplog/v3 v3.3.0
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/groundwork-go/groundwork v0.0.0
	github.com/rs/cors v1.11.1
	github.com/unrolled/secure v1.17.0
)

replace github.com/groundwork-go/groundwork => ../..
