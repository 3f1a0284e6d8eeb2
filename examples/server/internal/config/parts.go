package config

import (
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/sqldb"
)

func database(in raw, production bool, found *faults) Database {
	db := Database{
		MaxOpen: in.MaxOpen, MaxIdle: in.MaxIdle,
		MaxLifetime: in.MaxLifetime, AcquireTimeout: in.AcquireTimeout,
	}
	// A variable that could not be read at all has been reported already.
	checked := func(variable string) bool { return !found.about(variable) }
	if checked("DATABASE_MAX_OPEN") && (db.MaxOpen < 2 || db.MaxOpen > 1000) {
		found.add("DATABASE_MAX_OPEN", strconv.Itoa(db.MaxOpen), "must be 2 to 1000")
	}
	if checked("DATABASE_MAX_IDLE") && checked("DATABASE_MAX_OPEN") && (db.MaxIdle < 0 || db.MaxIdle > db.MaxOpen) {
		found.add("DATABASE_MAX_IDLE", strconv.Itoa(db.MaxIdle), "must be 0 to DATABASE_MAX_OPEN")
	}
	if db.MaxLifetime < 0 {
		found.add("DATABASE_MAX_LIFETIME", db.MaxLifetime.String(), "must not be negative")
	}
	if checked("DATABASE_ACQUIRE_TIMEOUT") && db.AcquireTimeout <= 0 {
		found.add("DATABASE_ACQUIRE_TIMEOUT", db.AcquireTimeout.String(), "must be positive")
	}
	path, isSQLite := strings.CutPrefix(in.DatabaseURL, "sqlite:")
	switch {
	case in.DatabaseURL == "" && production:
		found.add("DATABASE_URL", "", "is required in production")
	case in.DatabaseURL == "":
		db.Dialect, db.Path = sqldb.DialectSQLite, filepath.Join(in.DataDir, "groundwork.db")
	case isSQLite:
		db.Dialect, db.Path = sqldb.DialectSQLite, path
		if path == "" || path == ":memory:" || strings.HasPrefix(path, "file:") || strings.ContainsRune(path, 0) {
			found.add("DATABASE_URL", in.DatabaseURL, "must name a file, as in sqlite:./data/groundwork.db")
		}
	case strings.HasPrefix(in.DatabaseURL, "postgres://"), strings.HasPrefix(in.DatabaseURL, "postgresql://"):
		db.Dialect, db.URL = sqldb.DialectPostgres, in.DatabaseURL
		if _, err := pgxpool.ParseConfig(in.DatabaseURL); err != nil {
			found.add("DATABASE_URL", "", "is not a PostgreSQL URL")
		}
	default:
		found.add("DATABASE_URL", "", "must start with sqlite: or postgres://")
	}
	return db
}

// redisServer checks the URL. No fault repeats it, because it may hold a password.
func redisServer(in raw, found *faults) string {
	if in.RedisURL == "" {
		return ""
	}
	if _, err := redis.ParseURL(in.RedisURL); err != nil {
		found.add("REDIS_URL", "", "must be a URL such as redis://user:password@127.0.0.1:6379/0, or rediss://")
	}
	return in.RedisURL
}

func storage(in raw, production bool, found *faults) string {
	switch path, ok := strings.CutPrefix(in.StorageURL, "file:"); {
	case in.StorageURL == "" && production:
		found.add("STORAGE_URL", "", "is required in production")
		return ""
	case in.StorageURL == "":
		return filepath.Join(in.DataDir, "files")
	case !ok || path == "":
		found.add("STORAGE_URL", "", "must be file: and a folder")
		return ""
	default:
		return path
	}
}

func publicURL(in raw, production bool, found *faults) string {
	if in.PublicURL == "" {
		if production {
			found.add("PUBLIC_URL", "", "is required in production")
		}
		return "http://" + reachable(in.ListenAddr)
	}
	u, err := url.Parse(in.PublicURL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		found.add("PUBLIC_URL", in.PublicURL, "must be a URL such as https://app.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		found.add("PUBLIC_URL", u.Redacted(), "must be a scheme and a host, nothing else")
	case production && u.Scheme != "https" && !isLoopback(u.Hostname()):
		found.add("PUBLIC_URL", in.PublicURL, "must be https in production")
	}
	return strings.TrimRight(in.PublicURL, "/")
}

// reachable is how a browser on this machine calls addr.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func openAI(in raw, found *faults) OpenAI {
	cfg := OpenAI{APIKey: in.OpenAIKey, BaseURL: strings.TrimRight(in.OpenAIBaseURL, "/"), Model: in.OpenAIModel}
	if cfg.BaseURL != "" {
		u, err := url.Parse(cfg.BaseURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
			found.add("OPENAI_BASE_URL", "", "must be a URL such as http://127.0.0.1:11434/v1")
		}
	}
	if strings.ContainsAny(cfg.APIKey, " \t\r\n") {
		found.add("OPENAI_API_KEY", "", "contains white space")
	}
	return cfg
}

// mailServer reads smtp://user:password@host:587 and smtps://user:password@host:465. No fault repeats
// the URL, which holds a password.
func mailServer(in raw, found *faults) Mail {
	if in.MailFrom != "" {
		if _, err := mail.ParseAddress(in.MailFrom); err != nil {
			found.add("MAIL_FROM", in.MailFrom, "must be an address, as in Groundwork <no-reply@example.com>")
		}
	}
	if in.SMTPURL == "" {
		return Mail{From: in.MailFrom}
	}
	if in.MailFrom == "" {
		found.add("MAIL_FROM", "", "is required with SMTP_URL")
	}
	u, err := url.Parse(in.SMTPURL)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" ||
		u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		found.add("SMTP_URL", "", "must be a URL such as smtp://user:password@mail.example.com:587, or smtps://")
		return Mail{}
	}
	m := Mail{
		Host: u.Hostname(), Port: 587, Username: u.User.Username(), ImplicitTLS: u.Scheme == "smtps", From: in.MailFrom,
	}
	m.Password, _ = u.User.Password()
	m.Plaintext = !m.ImplicitTLS && isLoopback(m.Host)
	if m.ImplicitTLS {
		m.Port = 465
	}
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			found.add("SMTP_URL", "", "has no valid port")
		}
		m.Port = int(port)
	}
	if m.Username == "" && m.Password != "" {
		found.add("SMTP_URL", "", "has a password without a user name")
	}
	return m
}

// allowedHosts defaults to the host of the public URL, and in development to every name of this
// machine. Their forms are checked by the middleware, at start-up too.
func allowedHosts(in raw, cfg Config, found *faults) []string {
	hosts := slices.Clone(in.AllowedHosts)
	for i, host := range hosts {
		hosts[i] = strings.TrimSpace(host)
		if hosts[i] == "" || hosts[i] == "*" {
			found.add("ALLOWED_HOSTS", host, "must list host names, each as example.com or *.example.com")
		}
	}
	if u, err := url.Parse(cfg.PublicURL); err == nil && u.Hostname() != "" {
		name := u.Hostname()
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		hosts = append(hosts, name)
	}
	if !cfg.Production {
		hosts = append(hosts, "localhost", "127.0.0.1", "[::1]")
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// allowedOrigins takes what the middleware can match, and http only from this machine: whoever can
// change a page on its way could else act as the visitor.
func allowedOrigins(in raw, found *faults) []string {
	var list []string
	for _, origin := range in.AllowedOrigins {
		origin = strings.TrimSpace(origin)
		_, err := middleware.CORS(middleware.CORSConfig{Origins: []string{origin}, Credentials: true})
		if fault := (*middleware.ConfigError)(nil); errors.As(err, &fault) {
			found.add("ALLOWED_ORIGINS", origin, fault.Reason)
			continue
		}
		list = append(list, origin)
	}
	return list
}

// metricsAddr keeps metrics off the public address, where everybody could read them.
func metricsAddr(in raw, found *faults) string {
	if in.MetricsAddr == "" {
		return ""
	}
	loopback := checkListen("METRICS_ADDR", in.MetricsAddr, found)
	switch {
	case in.MetricsAddr == in.ListenAddr:
		found.add("METRICS_ADDR", in.MetricsAddr, "must differ from LISTEN_ADDR")
	case in.AppEnv == "" && !loopback:
		found.add("METRICS_ADDR", in.MetricsAddr, "is reachable from other machines: set APP_ENV to development or production")
	}
	return in.MetricsAddr
}

func trustedProxies(in raw, found *faults) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range in.TrustedProxies {
		text = strings.TrimSpace(text)
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			found.add("TRUSTED_PROXIES", text, "must list addresses or networks such as 10.0.0.0/8")
			continue
		}
		list = append(list, prefix.Masked())
	}
	return list
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
