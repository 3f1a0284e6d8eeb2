package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
)

func TestMail(t *testing.T) {
	t.Parallel()
	const from = "Groundwork <no-reply@example.com>"
	for url, want := range map[string]config.Mail{
		"smtp://robin:p%40ss@mail.example.com":      {Host: "mail.example.com", Port: 587, Username: "robin", Password: "p@ss", From: from},
		"smtps://robin:hunter2@mail.example.com/":   {Host: "mail.example.com", Port: 465, Username: "robin", Password: "hunter2", ImplicitTLS: true, From: from},
		"smtp://127.0.0.1:1025":                     {Host: "127.0.0.1", Port: 1025, Plaintext: true, From: from},
		"smtps://localhost:2465":                    {Host: "localhost", Port: 2465, ImplicitTLS: true, From: from},
		"smtp://robin%40example.com:x@mx.local:587": {Host: "mx.local", Port: 587, Username: "robin@example.com", Password: "x", From: from},
	} {
		cfg, err := config.Load([]string{"DATA_DIR=" + t.TempDir(), "SMTP_URL=" + url, "MAIL_FROM=" + from})
		require.NoError(t, err, url)
		require.Equal(t, want, cfg.Mail)
		require.True(t, cfg.Mail.Configured())
	}
	cfg, err := config.Load([]string{"DATA_DIR=" + t.TempDir()})
	require.NoError(t, err)
	require.False(t, cfg.Mail.Configured())
	for _, bad := range []string{
		"mail.example.com", "http://hunter2@mail.example.com", "smtp://", "smtp://a:hunter2@h:99999", "smtp://:hunter2@h",
		"smtp://a:hunter2@h?x=1", "smtp://a:hunter2@h:0", "smtp://a:hunter2@%zz",
	} {
		_, err := config.Load([]string{"DATA_DIR=" + t.TempDir(), "SMTP_URL=" + bad, "MAIL_FROM=" + from})
		require.ErrorContains(t, err, "SMTP_URL", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = config.Load([]string{"DATA_DIR=" + t.TempDir(), "SMTP_URL=smtp://127.0.0.1:25"})
	require.ErrorContains(t, err, "MAIL_FROM")
	_, err = config.Load([]string{"DATA_DIR=" + t.TempDir(), "MAIL_FROM=nobody"})
	require.ErrorContains(t, err, "MAIL_FROM")
}
