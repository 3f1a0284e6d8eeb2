package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/examples/server/internal/blob"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/examples/server/internal/docs"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
	"github.com/groundwork-go/groundwork/vision/visionsim"
)

// parts is the running server without its listener.
type parts struct {
	db       *database
	redis    *redis.Client // nil without
	files    *blob.Local
	runner   *jobs.Runner
	roles    *roles.Service
	accounts *identity.Service
	probes   *health
	handler  http.Handler
	api      huma.API
	lists    *lists.Registry
}

// Migrate brings the schema up to date and returns.
func Migrate(ctx context.Context, cfg config.Config, opts Options) error {
	opts = opts.withDefaults()
	db, err := openDatabase(ctx, cfg.Database, opts.Logger)
	if err != nil {
		return err
	}
	return errors.Join(db.migrate(ctx, opts.Logger), db.close())
}

// PromoteAdmin makes the account with that address an administrator, whether a server runs on the
// database or not, and returns. Its errors are for the person at the terminal.
func PromoteAdmin(ctx context.Context, cfg config.Config, opts Options, email string) error {
	p, err := open(ctx, cfg, opts.withDefaults(), &health{})
	if err != nil {
		return err
	}
	return errors.Join(p.accounts.Promote(ctx, email), p.close())
}

// open opens the database and the file store, migrates, wires and reads the roles.
func open(ctx context.Context, cfg config.Config, opts Options, probes *health) (*parts, error) {
	db, err := openDatabase(ctx, cfg.Database, opts.Logger)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, opts.Logger); err != nil {
		return nil, errors.Join(err, db.close())
	}
	files, err := blob.OpenLocal(cfg.StoragePath)
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	p := &parts{db: db, files: files, probes: probes}
	if err := p.wire(cfg, opts); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := p.roles.Reload(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("app: roles: %w", err), p.close())
	}
	p.reportRedis(ctx, opts.Logger)
	return p, nil
}

// wire connects the packages. It does no I/O.
func (p *parts) wire(cfg config.Config, opts Options) error {
	mux := http.NewServeMux()
	p.api = rest.New(mux, huma.Info{
		Title:   "Groundwork reference server",
		Version: "1",
		Description: "Moving quotes from photos. Errors are application/problem+json (RFC 9457) with a " +
			"stable code; fields that cannot be accepted are listed in errors[].",
		License: &huma.License{Name: "MIT", Identifier: "MIT"},
	})
	var err error
	if p.redis, err = newRedis(cfg.Redis); err != nil {
		return err
	}
	registry, queue := jobs.NewRegistry(), &lateQueue{}
	if err := p.domains(cfg, opts, mux, registry, queue); err != nil {
		return err
	}
	p.runner, err = jobs.New(jobs.Config{
		DB: p.db.write, Dialect: p.db.dialect, Listener: p.db.listener,
		Registry: registry, Logger: opts.Logger,
	})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	queue.Queue = p.runner
	p.probes.register(mux)
	if err := docs.Register(mux, p.api); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	p.handler, err = pipeline(cfg, opts, mux)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

// close closes what open opened.
func (p *parts) close() error {
	errs := []error{p.files.Close(), p.db.close()}
	if p.redis != nil {
		errs = append(errs, p.redis.Close())
	}
	return errors.Join(errs...)
}

// lateQueue lets services be made before the queue, which needs their workers.
type lateQueue struct{ jobs.Queue }

// analyzer returns who looks at photos: the configured model, in development without one the
// simulator. Nil is production without a model.
func analyzer(cfg config.Config, opts Options) (vision.Analyzer, error) {
	settings := vision.Config{
		APIKey: cfg.OpenAI.APIKey, BaseURL: cfg.OpenAI.BaseURL, Model: cfg.OpenAI.Model,
		Logger: opts.Logger, Now: opts.Now,
	}
	switch {
	case opts.Analyzer != nil:
		return opts.Analyzer, nil
	case cfg.OpenAI.Configured():
	case cfg.Production:
		return nil, nil
	default:
		settings.BaseURL = visionsim.BaseURL
		settings.HTTPClient = visionsim.Client(visionsim.Config{
			Latency: simulatedLatency, PhotoLatency: simulatedPhotoLatency, Now: opts.Now,
		})
		settings.Model = visionsim.Model
	}
	model, err := vision.New(settings)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return model, nil
}

// mailer returns who sends mails: the configured server, in development without one the terminal. Nil
// is production without a server, where features that need mail say so.
func mailer(cfg config.Config, opts Options) (mail.Sender, error) {
	switch {
	case opts.Mail != nil:
		return opts.Mail, nil
	case !cfg.Mail.Configured() && cfg.Production:
		return nil, nil
	case !cfg.Mail.Configured():
		return mail.NewPrinter(opts.Stdout), nil
	}
	server, err := mail.NewSMTP(mail.SMTPConfig{
		Host: cfg.Mail.Host, Port: cfg.Mail.Port, Username: cfg.Mail.Username, Password: cfg.Mail.Password,
		From: cfg.Mail.From, ImplicitTLS: cfg.Mail.ImplicitTLS, DangerouslyAllowPlaintext: cfg.Mail.Plaintext,
	})
	if err != nil {
		return nil, fmt.Errorf("app: SMTP_URL: %w", err)
	}
	return server, nil
}

// Document returns the OpenAPI document without opening anything.
func Document() ([]byte, error) {
	p, err := described()
	if err != nil {
		return nil, err
	}
	document, err := docs.JSON(p.api)
	return document, errors.Join(err, p.db.write.Close())
}

// described returns the parts of a server that never runs, wired to look at.
func described() (*parts, error) {
	cfg, err := config.Documentation()
	if err != nil {
		return nil, err
	}
	write, err := lazySQLite()
	if err != nil {
		return nil, err
	}
	p := &parts{db: &database{
		TxDB: sqldb.SQLite(write, write), dialect: sqldb.DialectSQLite, write: write,
	}, files: &blob.Local{}, probes: &health{}}
	if err := p.wire(cfg, Options{}.withDefaults()); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return p, nil
}
