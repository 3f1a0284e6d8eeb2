// Package config reads the server's settings from the environment. Every fault is reported at once,
// and no fault repeats a secret.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Config is the whole configuration, checked. It holds secrets: do not print it.
type Config struct {
	// Production is true for APP_ENV=production. Development, the default, simulates what is not
	// configured and makes its own keys.
	Production bool
	// ListenAddr is the address to serve on (LISTEN_ADDR).
	ListenAddr string
	// PublicURL is the root of every link the server builds, without a trailing slash (PUBLIC_URL).
	PublicURL string
	// DataDir holds what development keeps between runs (DATA_DIR).
	DataDir string
	// Database says where the rows are.
	Database Database
	// Redis is the URL of the server that replicas share, which may hold a password; empty is none
	// (REDIS_URL).
	Redis string
	// StoragePath is the folder of uploaded files (STORAGE_URL).
	StoragePath string
	// OpenAI says who analyses photos.
	OpenAI OpenAI
	// Mail says how mails are sent.
	Mail Mail
	// AllowedHosts are the names the server answers to (ALLOWED_HOSTS).
	AllowedHosts []string
	// AllowedOrigins are the other origins whose pages may use the API (ALLOWED_ORIGINS).
	AllowedOrigins []string
	// TrustedProxies are the networks whose X-Forwarded-For is believed (TRUSTED_PROXIES).
	TrustedProxies []netip.Prefix
	// Keys are the server's own secrets.
	Keys Keys
	// MetricsAddr is the address to serve metrics on; empty is nowhere (METRICS_ADDR).
	MetricsAddr string
	// LogLevel is the lowest level that is logged (LOG_LEVEL).
	LogLevel slog.Level
}

// SecureCookies reports whether browsers reach the server over HTTPS. Only development does without:
// there the address may be plain HTTP, over which browsers take no secure cookie.
func (c *Config) SecureCookies() bool {
	return c.Production || strings.HasPrefix(c.PublicURL, "https://")
}

// Database says where the rows are and how many connections may be open.
type Database struct {
	// Dialect is SQLite or PostgreSQL.
	Dialect sqldb.Dialect
	// Path is the file of SQLite.
	Path string
	// URL is the connection string of PostgreSQL. It may hold a password.
	URL string
	// MaxOpen and MaxIdle bound the pool, MaxLifetime the life of a connection. On SQLite they apply
	// to the connections that read; there is always exactly one that writes.
	MaxOpen, MaxIdle int
	MaxLifetime      time.Duration
	// AcquireTimeout is how long start-up waits for a database that does not answer yet.
	AcquireTimeout time.Duration
}

// OpenAI is the access to a model.
type OpenAI struct {
	// APIKey may be empty for servers that want none.
	APIKey string
	// BaseURL is empty for OpenAI itself.
	BaseURL string
	// Model is the model's name.
	Model string
}

// Configured reports whether there is a model to ask.
func (o OpenAI) Configured() bool { return o.APIKey != "" || o.BaseURL != "" }

// Mail is the access to an SMTP server.
type Mail struct {
	// Host and Port are empty when there is none (SMTP_URL).
	Host string
	Port int
	// Username and Password may be empty.
	Username, Password string
	// ImplicitTLS is true for smtps://, and false for smtp://, which demands STARTTLS.
	ImplicitTLS bool
	// Plaintext allows a server on this machine to do without STARTTLS.
	Plaintext bool
	// From is the sender of every mail (MAIL_FROM).
	From string
}

// Configured reports whether there is a server to send through.
func (m Mail) Configured() bool { return m.Host != "" }

// raw is the environment as it is.
type raw struct {
	AppEnv      string `env:"APP_ENV"`
	ListenAddr  string `env:"LISTEN_ADDR" envDefault:"127.0.0.1:8080"`
	PublicURL   string `env:"PUBLIC_URL"`
	DataDir     string `env:"DATA_DIR" envDefault:"./data"`
	StorageURL  string `env:"STORAGE_URL"`
	RedisURL    string `env:"REDIS_URL"`
	LogLevel    string `env:"LOG_LEVEL" envDefault:"info"`
	DatabaseURL string `env:"DATABASE_URL"`

	MaxOpen        int           `env:"DATABASE_MAX_OPEN" envDefault:"25"`
	MaxIdle        int           `env:"DATABASE_MAX_IDLE" envDefault:"25"`
	MaxLifetime    time.Duration `env:"DATABASE_MAX_LIFETIME" envDefault:"1h"`
	AcquireTimeout time.Duration `env:"DATABASE_ACQUIRE_TIMEOUT" envDefault:"30s"`

	OpenAIKey     string `env:"OPENAI_API_KEY"`
	OpenAIBaseURL string `env:"OPENAI_BASE_URL"`
	OpenAIModel   string `env:"OPENAI_MODEL" envDefault:"gpt-4.1-mini"`

	SMTPURL  string `env:"SMTP_URL"`
	MailFrom string `env:"MAIL_FROM"`

	AllowedHosts   []string `env:"ALLOWED_HOSTS"`
	AllowedOrigins []string `env:"ALLOWED_ORIGINS"`
	TrustedProxies []string `env:"TRUSTED_PROXIES"`
	MetricsAddr    string   `env:"METRICS_ADDR"`

	SigningKeys []string `env:"AUTH_SIGNING_KEYS"`
	RefreshKeys []string `env:"AUTH_REFRESH_KEYS"`
	CursorKeys  []string `env:"CURSOR_KEY"`
	Encryption  []string `env:"ENCRYPTION_KEY"`
}

// Error is one fault of one variable.
type Error struct {
	// Variable is its name.
	Variable string
	// Value is what it held; empty for secrets.
	Value string
	// Reason says what is wrong with it.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s %s", e.Variable, e.Reason)
	}
	return fmt.Sprintf("%s=%q %s", e.Variable, e.Value, e.Reason)
}

// faults collects what is wrong.
type faults []error

func (f *faults) add(variable, value, reason string) {
	*f = append(*f, &Error{Variable: variable, Value: value, Reason: reason})
}

// Load reads environ, which has the form of os.Environ, and in development the keys in DataDir,
// which it makes on the first start. An empty variable counts as one that is not set. The error
// joins an [*Error] for each fault.
func Load(environ []string) (Config, error) {
	var found faults
	in := parse(environ, &found)
	cfg := Config{ListenAddr: in.ListenAddr, DataDir: in.DataDir}
	switch in.AppEnv {
	case "", "development":
	case "production":
		cfg.Production = true
	default:
		found.add("APP_ENV", in.AppEnv, "must be development or production")
	}
	if err := cfg.LogLevel.UnmarshalText([]byte(in.LogLevel)); err != nil {
		found.add("LOG_LEVEL", in.LogLevel, "must be debug, info, warn or error")
	}
	loopback := checkListen("LISTEN_ADDR", in.ListenAddr, &found)
	cfg.Database = database(in, cfg.Production, &found)
	cfg.Redis = redisServer(in, &found)
	cfg.StoragePath = storage(in, cfg.Production, &found)
	cfg.PublicURL = publicURL(in, cfg.Production, &found)
	cfg.OpenAI = openAI(in, &found)
	cfg.Mail = mailServer(in, &found)
	cfg.AllowedHosts = allowedHosts(in, cfg, &found)
	cfg.AllowedOrigins = allowedOrigins(in, &found)
	cfg.TrustedProxies = trustedProxies(in, &found)
	cfg.MetricsAddr = metricsAddr(in, &found)
	cfg.Keys = keys(in, &found)
	if in.AppEnv == "" {
		// Whoever serves others or uses a shared database has to say what this is.
		if !loopback {
			found.add("LISTEN_ADDR", in.ListenAddr, "is reachable from other machines: set APP_ENV to development or production")
		}
		if cfg.Database.URL != "" {
			found.add("DATABASE_URL", "", "names a PostgreSQL server: set APP_ENV to development or production")
		}
	}
	if cfg.Production {
		cfg.Keys.require(&found)
	}
	if len(found) > 0 {
		return Config{}, errors.Join(found...)
	}
	if !cfg.Production {
		if err := cfg.Keys.complete(in.DataDir); err != nil {
			return Config{}, err
		}
	}
	return cfg, nil
}

func parse(environ []string, found *faults) raw {
	var in raw
	set := env.ToMap(environ)
	for name, value := range set {
		if value == "" {
			delete(set, name)
		}
	}
	err := env.ParseWithOptions(&in, env.Options{Environment: set})
	var all env.AggregateError
	if !errors.As(err, &all) {
		if err != nil {
			*found = append(*found, err)
		}
		return in
	}
	// The numbers and durations are the only fields that can fail. The library names the struct's
	// field; people know the variable.
	variables := map[string]string{
		"MaxOpen": "DATABASE_MAX_OPEN", "MaxIdle": "DATABASE_MAX_IDLE",
		"MaxLifetime": "DATABASE_MAX_LIFETIME", "AcquireTimeout": "DATABASE_ACQUIRE_TIMEOUT",
	}
	for _, one := range all.Errors {
		var fault env.ParseError
		if !errors.As(one, &fault) {
			*found = append(*found, one)
			continue
		}
		name := variables[fault.Name]
		found.add(name, set[name], "must be a number, or a duration such as 30s")
	}
	return in
}

// checkListen reports whether addr is only reachable from this machine.
func checkListen(variable, addr string, found *faults) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		found.add(variable, addr, "must be host:port")
		return true
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		found.add(variable, addr, "has no valid port")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil && host != "" {
		found.add(variable, addr, "must name an address of this machine")
		return true
	}
	return ip.IsLoopback()
}

// Documentation returns a configuration good enough to describe the API: development without files,
// with keys that are thrown away.
func Documentation() (Config, error) {
	return Load([]string{
		signingVariable + "=doc:" + secret(), refreshVariable + "=" + secret(), cursorVariable + "=1:" + secret(),
		encryptionVariable + "=doc:" + secret(),
	})
}

// ListenAddr returns where a server with this environment can be reached from its own machine.
func ListenAddr(environ []string) string {
	return reachable(parse(environ, new(faults)).ListenAddr)
}
