package middleware

import (
	"errors"
	"time"
)

// StackConfig configures [Stack]. A nil field leaves its part out; a pointer to a zero config is the
// part with its defaults.
type StackConfig struct {
	RequestID *RequestIDConfig
	ClientIP  *ClientIPConfig
	Metrics   *MetricsConfig
	AccessLog *AccessLogConfig
	Recover   *RecoverConfig
	Headers   *HeadersConfig
	Hosts     *HostsConfig
	CORS      *CORSConfig
	CSRF      *CSRFConfig
	// Origins is the one list of CORS.Origins and CSRF.TrustedOrigins, where those are empty.
	Origins []string
	// MaxBody limits request bodies as [MaxBody] does. Zero is no limit.
	MaxBody int64
	// Timeout is the deadline of [Timeout]. Zero is none.
	Timeout time.Duration
}

// Stack chains the parts in the order the package documentation explains. Every fault of every part is
// reported at once.
func Stack(cfg StackConfig) (Middleware, error) {
	var list []Middleware
	var errs []error
	add := func(mw Middleware, err error) {
		list = append(list, mw)
		if err != nil {
			errs = append(errs, err)
		}
	}
	if cfg.RequestID != nil {
		add(RequestID(*cfg.RequestID))
	}
	if cfg.ClientIP != nil {
		add(ClientIP(*cfg.ClientIP))
	}
	if cfg.Metrics != nil {
		add(Metrics(*cfg.Metrics), nil)
	}
	if cfg.AccessLog != nil {
		add(AccessLog(*cfg.AccessLog), nil)
	}
	if cfg.Recover != nil {
		add(Recover(*cfg.Recover), nil)
	}
	if cfg.Headers != nil {
		add(Headers(*cfg.Headers))
	}
	if cfg.Hosts != nil {
		add(TrustedHosts(*cfg.Hosts))
	}
	if cfg.CORS != nil {
		c := *cfg.CORS
		if len(c.Origins) == 0 {
			c.Origins = cfg.Origins
		}
		add(CORS(c))
	}
	if cfg.CSRF != nil {
		c := *cfg.CSRF
		if len(c.TrustedOrigins) == 0 {
			c.TrustedOrigins = cfg.Origins
		}
		add(CSRF(c))
	}
	if cfg.MaxBody > 0 {
		add(MaxBody(cfg.MaxBody), nil)
	}
	if cfg.Timeout > 0 {
		add(Timeout(cfg.Timeout), nil)
	}
	if err := errors.Join(flatten(errs)...); err != nil {
		return nil, err
	}
	return Chain(list...), nil
}

// flatten makes one list of joined errors.
func flatten(errs []error) []error {
	var out []error
	for _, err := range errs {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			out = append(out, joined.Unwrap()...)
			continue
		}
		out = append(out, err)
	}
	return out
}
