package app

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
)

const (
	// The simulator takes its time, so that progress can be seen.
	simulatedLatency      = 300 * time.Millisecond
	simulatedPhotoLatency = 200 * time.Millisecond
)

// greet tells the person at the terminal where the server is, what is not real, and what to do next.
func greet(w io.Writer, cfg config.Config, p *parts, addr net.Addr) {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	mode := "development"
	if cfg.Production {
		mode = "production"
	}
	fmt.Fprintf(&b, "Groundwork reference server, %s mode\n\n", mode)
	line("listening", "%s", addr)
	line("open", "%s/docs  (or /redoc, /openapi.json)", cfg.PublicURL)
	line("data", "%s, files in %s", p.db.describe(cfg.Database), cfg.StoragePath)
	switch {
	case cfg.OpenAI.BaseURL != "":
		line("photos", "analysed by %s at %s", cfg.OpenAI.Model, cfg.OpenAI.BaseURL)
	case cfg.OpenAI.APIKey != "":
		line("photos", "analysed by %s at OpenAI", cfg.OpenAI.Model)
	case cfg.Production:
		line("photos", "not analysed: set OPENAI_API_KEY, or OPENAI_BASE_URL")
	default:
		line("photos", "SIMULATED: the inventory is invented and says \"model\": \"simulator\"")
		line("", "For the real thing set OPENAI_API_KEY, or OPENAI_BASE_URL to any")
		line("", "OpenAI-compatible server (Ollama, vLLM, LM Studio), and OPENAI_MODEL.")
	}
	switch {
	case cfg.Mail.Configured():
		line("mail", "sent through %s", cfg.Mail.Host)
	case cfg.Production:
		line("mail", "not sent: set SMTP_URL and MAIL_FROM")
	default:
		line("mail", "printed here, not sent")
	}
	if !cfg.Production {
		fmt.Fprintf(&b, "\nNext, in another terminal, from sign-up to an accepted quote:\n\n  go run ./examples/quote-demo%s\n", demoFlag(cfg))
	}
	fmt.Fprintf(&b, "\nStop with Ctrl-C.\n")
	_, _ = io.WriteString(w, b.String())
}

// demoFlag names the address when it is not the one the demo assumes.
func demoFlag(cfg config.Config) string {
	if cfg.PublicURL == "http://127.0.0.1:8080" {
		return ""
	}
	return " -url " + cfg.PublicURL
}
