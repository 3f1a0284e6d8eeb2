// Command server is the reference server: moving quotes from photos, in one binary that needs no
// service beside it and runs on PostgreSQL when told to.
//
//	go run ./examples/server               serve, also: server serve
//	go run ./examples/server migrate       bring the database up to date and leave
//	go run ./examples/server promote-admin someone@example.com   make an account an administrator
//	go run ./examples/server openapi       print the OpenAPI document
//	go run ./examples/server healthcheck   ask a running server whether it is ready
//
// The environment configures it; README.md of the repository lists the variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "server:", err)
		}
		stop()
		os.Exit(1)
	}
}

const usage = `usage: server [command]

  serve        serve until interrupted (also without a command)
  migrate      bring the database up to date
  promote-admin <email>
               make the account with that confirmed address an administrator and end its sessions
  openapi      print the OpenAPI document
  healthcheck  exit 0 when the server on LISTEN_ADDR is ready
`

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	if err := flags.Parse(args); err != nil {
		return err
	}
	command := "serve"
	if flags.NArg() > 0 {
		command = flags.Arg(0)
	}
	arguments := 0 // of the command
	if command == "promote-admin" {
		arguments = 1
	}
	switch {
	case flags.NArg() > 1+arguments:
		return fmt.Errorf("unexpected argument %q\n\n%s", flags.Arg(1+arguments), usage)
	case command == "promote-admin" && flags.NArg() < 2:
		return fmt.Errorf("promote-admin needs an e-mail address\n\n%s", usage)
	}
	switch command {
	case "openapi":
		document, err := app.Document()
		if err != nil {
			return err
		}
		_, err = stdout.Write(document)
		return err
	case "healthcheck":
		return app.Healthcheck(ctx, config.ListenAddr(environ))
	case "serve", "migrate", "promote-admin":
	default:
		return fmt.Errorf("unknown command %q\n\n%s", command, usage)
	}
	cfg, err := config.Load(environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	logger := newLogger(cfg, stderr)
	switch command {
	case "migrate":
		return app.Migrate(ctx, cfg, app.Options{Logger: logger})
	case "promote-admin":
		if err := app.PromoteAdmin(ctx, cfg, app.Options{Logger: logger}, flags.Arg(1)); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, flags.Arg(1), "is an administrator now. It has to log in again.")
		return err
	}
	return app.Run(ctx, cfg, app.Options{Logger: logger, Stdout: stdout})
}

// newLogger writes JSON for machines in production and text for people in development.
func newLogger(cfg config.Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.Production {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
