package vision

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// chatClient is what the analyzer needs of a model: one call. Errors are *ModelError, or ctx's own.
type chatClient interface {
	complete(ctx context.Context, req chatRequest) (chatResponse, error)
}

// chatRequest is one call in our terms.
type chatRequest struct {
	profile   Profile
	messages  []chatMessage
	maxOutput int
	schema    json.RawMessage // nil asks for any JSON object
}

// chatMessage is one message: plain text, or parts.
type chatMessage struct {
	role  string
	text  string
	parts []chatPart
}

// chatPart is text or a JPEG picture.
type chatPart struct {
	text string
	jpeg []byte
}

// chatResponse is one answer.
type chatResponse struct {
	content, refusal, finish string
	model, requestID         string
	usage                    Usage
}

// goOpenAI is the only user of the client library.
type goOpenAI struct {
	client *openai.Client
	key    string
	now    func() time.Time
}

func newChatClient(cfg Config) *goOpenAI {
	conf := openai.DefaultConfig(cfg.APIKey)
	if cfg.BaseURL != "" {
		conf.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	}
	conf.HTTPClient = boundedDoer{cfg.HTTPClient}
	return &goOpenAI{client: openai.NewClientWithConfig(conf), key: cfg.APIKey, now: cfg.Now}
}

func (g *goOpenAI) complete(ctx context.Context, req chatRequest) (chatResponse, error) {
	resp, err := g.client.CreateChatCompletion(ctx, wireRequest(req))
	if err != nil {
		return chatResponse{}, g.modelError(err, resp.Header())
	}
	out := chatResponse{
		model:     cleanText(resp.Model, maxDataText),
		requestID: cleanText(resp.Header().Get("X-Request-Id"), maxDataText),
		usage: Usage{
			InputTokens:  max(resp.Usage.PromptTokens, 0),
			OutputTokens: max(resp.Usage.CompletionTokens, 0),
		},
	}
	if d := resp.Usage.PromptTokensDetails; d != nil {
		out.usage.CachedTokens = max(d.CachedTokens, 0)
	}
	if d := resp.Usage.CompletionTokensDetails; d != nil {
		out.usage.ReasoningTokens = max(d.ReasoningTokens, 0)
	}
	if len(resp.Choices) == 0 {
		return out, nil // an empty content is an invalid answer, handled as such
	}
	choice := resp.Choices[0]
	out.content, out.refusal = choice.Message.Content, choice.Message.Refusal
	for _, part := range choice.Message.MultiContent { // some servers answer in parts
		out.content += part.Text
	}
	out.finish = string(choice.FinishReason)
	return out, nil
}

func wireRequest(req chatRequest) openai.ChatCompletionRequest {
	out := openai.ChatCompletionRequest{Model: req.profile.Model}
	if !req.profile.NoTemperature {
		// The client drops a zero, and a missing temperature means 1.
		out.Temperature = math.SmallestNonzeroFloat32
	}
	if req.profile.LegacyMaxTokens {
		out.MaxTokens = req.maxOutput
	} else {
		out.MaxCompletionTokens = req.maxOutput
	}
	out.ResponseFormat = &openai.ChatCompletionResponseFormat{
		Type: openai.ChatCompletionResponseFormatTypeJSONObject,
	}
	if req.schema != nil {
		out.ResponseFormat.Type = openai.ChatCompletionResponseFormatTypeJSONSchema
		out.ResponseFormat.JSONSchema = &openai.ChatCompletionResponseFormatJSONSchema{
			Name: schemaName, Schema: req.schema, Strict: true,
		}
	}
	for _, m := range req.messages {
		msg := openai.ChatCompletionMessage{Role: m.role, Content: m.text}
		for _, p := range m.parts {
			part := openai.ChatMessagePart{Type: openai.ChatMessagePartTypeText, Text: p.text}
			if p.jpeg != nil {
				part = openai.ChatMessagePart{
					Type: openai.ChatMessagePartTypeImageURL,
					ImageURL: &openai.ChatMessageImageURL{
						URL:    "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(p.jpeg),
						Detail: openai.ImageURLDetailHigh,
					},
				}
			}
			msg.MultiContent = append(msg.MultiContent, part)
		}
		out.Messages = append(out.Messages, msg)
	}
	return out
}

// modelError translates an error of the client library.
func (g *goOpenAI) modelError(err error, h http.Header) error {
	e := &ModelError{
		RequestID:  quoted(h.Get("X-Request-Id"), g.key),
		RetryAfter: retryAfter(h, g.now()),
	}
	var param string
	var reqErr *openai.RequestError
	var apiErr *openai.APIError
	switch {
	case errors.As(err, &reqErr): // before APIError, which it may wrap in a hollow form
		e.Status = reqErr.HTTPStatusCode
		e.Message = quoted(plainErrorText(reqErr.Body), g.key)
	case errors.As(err, &apiErr):
		e.Status = apiErr.HTTPStatusCode
		e.Message = quoted(apiErr.Message, g.key)
		e.Code = quoted(codeText(apiErr), g.key)
		if apiErr.Param != nil {
			param = *apiErr.Param
		}
	case unsendable(err):
		e.Err, e.Cause = ErrRejected, err
		return e
	default:
		e.Err, e.Cause = ErrUnavailable, withoutSecret(err, g.key)
		return e
	}
	e.Err = sentinel(e, param)
	return e
}

// unsendable reports whether the client library refused the request before sending it.
func unsendable(err error) bool {
	return errors.Is(err, openai.ErrChatCompletionInvalidModel) ||
		errors.Is(err, openai.ErrReasoningModelMaxTokensDeprecated) ||
		errors.Is(err, openai.ErrReasoningModelLimitationsOther) ||
		errors.Is(err, openai.ErrReasoningSamplingUnsupported)
}

// errSchemaRefused is internal: the server does not know response_format json_schema.
var errSchemaRefused = errors.New("vision: server refuses a JSON schema")

// sentinel classifies an answer with an error status.
func sentinel(e *ModelError, param string) error {
	text := strings.ToLower(param + " " + e.Message)
	switch {
	case e.Code == "insufficient_quota" || e.Code == "billing_hard_limit_reached" || e.Status == 402:
		return ErrQuota
	case e.Code == "content_filter" || e.Code == "content_policy_violation":
		return ErrRefused
	case e.Status == 401 || e.Status == 403:
		return ErrUnauthorized
	case e.Status == 429:
		return ErrRateLimited
	case e.Status == 408 || e.Status == 409 || e.Status >= 500:
		return ErrUnavailable
	case (e.Status == 400 || e.Status == 422) &&
		(strings.Contains(text, "response_format") || strings.Contains(text, "json_schema")):
		return errSchemaRefused
	}
	return ErrRejected
}

// codeText returns the code, or the type where a server only fills that in.
func codeText(e *openai.APIError) string {
	if code, ok := e.Code.(string); ok && code != "" {
		return code
	}
	return e.Type
}

// plainErrorText finds the message in the error bodies of servers that do not follow OpenAI's form.
func plainErrorText(body []byte) string {
	var plain struct {
		Error, Message, Detail json.RawMessage
	}
	if json.Unmarshal(body, &plain) == nil {
		for _, raw := range []json.RawMessage{plain.Error, plain.Message, plain.Detail} {
			var text string
			if json.Unmarshal(raw, &text) == nil && text != "" {
				return text
			}
		}
	}
	return string(body)
}

// withoutSecret returns err, or a copy of its text when a transport has put the key into it.
func withoutSecret(err error, key string) error {
	if key == "" || !strings.Contains(err.Error(), key) {
		return err
	}
	return errors.New(quoted(err.Error(), key))
}

// Bounds on what is read of an answer.
const (
	maxAnswerBytes = 8 << 20
	maxErrorBytes  = 16 << 10
)

// boundedDoer bounds the bodies the client library reads, which it does without limit, and gives an
// error body that comes with status 200 the status it should have had.
type boundedDoer struct{ client *http.Client }

func (d boundedDoer) Do(req *http.Request) (*http.Response, error) {
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	limit := int64(maxAnswerBytes)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		limit = maxErrorBytes
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		resp.StatusCode = hiddenStatus(body, resp.StatusCode)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// hiddenStatus returns the status that an error body deserves, or the given one for an answer.
func hiddenStatus(body []byte, status int) int {
	var probe struct {
		Error   json.RawMessage   `json:"error"`
		Choices []json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(body, &probe) != nil || len(probe.Choices) > 0 ||
		len(probe.Error) == 0 || string(probe.Error) == "null" {
		return status
	}
	var detail struct {
		Code any `json:"code"`
	}
	_ = json.Unmarshal(probe.Error, &detail) // an error given as text has no code
	switch code := detail.Code.(type) {
	case float64:
		if code >= 400 && code <= 599 {
			return int(code)
		}
	case string:
		if strings.HasPrefix(code, "rate_limit") {
			return http.StatusTooManyRequests
		}
	}
	return http.StatusBadGateway
}
