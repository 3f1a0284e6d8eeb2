package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// client calls the server.
type client struct{ base string }

// problem is an error answer (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

func (p *problem) Error() string {
	text := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, e := range p.Errors {
		text += fmt.Sprintf(" (%s: %s)", e.Pointer, e.Detail)
	}
	return text
}

func isCode(err error, codes ...string) bool {
	var p *problem
	return errors.As(err, &p) && slices.Contains(codes, p.Code)
}

// call sends body as JSON, when there is one, and decodes the answer into out, when wanted.
func (c client) call(method, path, token string, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	return c.do(method, path, token, "application/json", content, func(answer io.Reader) error {
		if out == nil {
			return nil
		}
		return json.NewDecoder(answer).Decode(out)
	})
}

// upload sends the files as the multipart field photos.
func (c client) upload(path, token string, files []string, out any) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("%w\nRun it from the root of the repository, or name the folder with -photos", err)
		}
		part, err := form.CreateFormFile("photos", filepath.Base(name))
		if err != nil {
			return err
		}
		if _, err := part.Write(content); err != nil {
			return err
		}
	}
	if err := form.Close(); err != nil {
		return err
	}
	return c.do(http.MethodPost, path, token, form.FormDataContentType(), &body, func(answer io.Reader) error {
		return json.NewDecoder(answer).Decode(out)
	})
}

type analysis struct {
	Status     string `json:"status"`
	Percent    int    `json:"percent"`
	Photos     int    `json:"photos"`
	ItemsFound int    `json:"items_found"`
	Model      string `json:"model"`
	ErrorCode  string `json:"error_code"`
}

// follow reads server-sent events until the server ends the stream.
func (c client) follow(path, token string, each func(analysis)) error {
	return c.do(http.MethodGet, path, token, "", nil, func(answer io.Reader) error {
		lines := bufio.NewScanner(answer)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var a analysis
			if err := json.Unmarshal([]byte(data), &a); err != nil {
				return err
			}
			each(a)
		}
		return lines.Err()
	})
}

func (c client) do(method, path, token, contentType string, body io.Reader, read func(io.Reader) error) error {
	request, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w\nIs the server running? Start it with: go run ./examples/server", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		p := &problem{Status: answer.StatusCode}
		if err := json.NewDecoder(answer.Body).Decode(p); err != nil {
			p.Detail = "the answer is not problem+json"
		}
		return fmt.Errorf("%s %s: %w", method, path, p)
	}
	return read(answer.Body)
}
