package vision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ask gets one accepted answer about a batch: a call, and one repair turn when the answer does not
// have the required form.
func (a *analysis) ask(ctx context.Context, w *roomWork, batch []*photoWork) (answer, string, error) {
	p := prompt{
		room: w.room.Name, photos: len(batch),
		known: a.req.Known, hints: a.req.Hints, found: w.room.Items,
	}
	first := chatMessage{role: "user", parts: []chatPart{{text: instructions}, {text: p.data()}}}
	ids := make([]string, len(batch))
	imageTokens := 0
	for i, photo := range batch {
		ids[i] = photo.photo.ID
		imageTokens += a.o.cfg.Profile.ImageCost.Tokens(photo.width, photo.height)
		first.parts = append(first.parts, chatPart{text: photoLabel(i + 1)}, chatPart{jpeg: photo.jpeg})
	}
	messages := []chatMessage{first}
	for repaired := false; ; repaired = true {
		resp, err := a.call(ctx, messages, imageTokens)
		if err != nil {
			return answer{}, "", err
		}
		fail := func(sentinel error, message string) (answer, string, error) {
			return answer{}, "", &ModelError{
				Err: sentinel, RequestID: resp.requestID, Message: quoted(message, a.o.cfg.APIKey),
			}
		}
		switch {
		case resp.refusal != "" || resp.finish == "content_filter":
			return fail(ErrRefused, resp.refusal)
		case resp.finish == "length":
			return fail(ErrTruncated, "")
		}
		ans, violations := parseAnswer(resp.content, ids, a.o.cfg.Items)
		if len(violations) == 0 {
			return ans, resp.model, nil
		}
		if repaired {
			return fail(ErrInvalidOutput, strings.Join(violations, "; "))
		}
		a.o.cfg.Logger.WarnContext(ctx, "vision answer invalid, asking for a repair",
			"request_id", resp.requestID, "violations", len(violations))
		if resp.content != "" {
			messages = append(messages, chatMessage{role: "assistant", text: resp.content})
		}
		messages = append(messages, chatMessage{role: "user", text: repairText(violations)})
	}
}

// call sends one request, with retries and with the fallback for servers without JSON schemas.
func (a *analysis) call(ctx context.Context, messages []chatMessage, imageTokens int) (chatResponse, error) {
	cfg := a.o.cfg
	for attempt := 0; ; {
		withSchema := !a.o.noSchema.Load()
		resp, err := a.attempt(ctx, messages, imageTokens, withSchema)
		var e *ModelError
		switch {
		case err == nil:
			return resp, nil
		case ctx.Err() != nil:
			return chatResponse{}, fmt.Errorf("vision: analyze: %w", ctx.Err())
		case !errors.As(err, &e):
			return chatResponse{}, err
		case errors.Is(e, errSchemaRefused) && withSchema:
			a.o.noSchema.Store(true)
			cfg.Logger.WarnContext(ctx, "vision server refuses a JSON schema, asking for plain JSON",
				"status", e.Status)
			continue
		case errors.Is(e, errSchemaRefused):
			e.Err = ErrRejected
			return chatResponse{}, e
		case !e.retryable() || attempt >= cfg.Retry.Attempts || e.RetryAfter > cfg.Retry.MaxWait:
			return chatResponse{}, e
		}
		wait := e.RetryAfter
		if wait == 0 {
			wait = cfg.Retry.backoff(attempt)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return chatResponse{}, e
		}
		cfg.Logger.WarnContext(ctx, "vision call failed, trying again",
			"status", e.Status, "code", e.Code, "request_id", e.RequestID, "wait", wait)
		if cfg.Sleep(ctx, wait) != nil {
			return chatResponse{}, fmt.Errorf("vision: analyze: %w", ctx.Err())
		}
		attempt++
	}
}

// attempt sends one HTTP call within the budget, the concurrency bound and the call's deadline.
func (a *analysis) attempt(
	ctx context.Context, messages []chatMessage, imageTokens int, withSchema bool,
) (chatResponse, error) {
	cfg := a.o.cfg
	req := chatRequest{profile: cfg.Profile, messages: messages, maxOutput: cfg.MaxOutput}
	schema := Schema()
	tokens := imageTokens + textTokens(len(schema))
	if withSchema {
		req.schema = schema
	} else {
		req.messages = withSchemaText(messages, schemaText(schema))
	}
	for _, m := range messages {
		tokens += textTokens(len(m.text))
		for _, p := range m.parts {
			tokens += textTokens(len(p.text))
		}
	}
	if !acquire(ctx, a.o.calls) {
		return chatResponse{}, ctx.Err()
	}
	defer release(a.o.calls)
	reserved, ok := a.meter.reserve(tokens, cfg.MaxOutput)
	if !ok {
		return chatResponse{}, ErrBudget
	}
	callCtx, cancel := context.WithTimeout(ctx, cfg.CallTimeout)
	defer cancel()
	resp, err := a.o.chat.complete(callCtx, req)
	a.meter.settle(reserved, resp.usage)
	return resp, err
}

// withSchemaText adds the schema after the instructions of the first message. The messages of the
// caller stay as they are.
func withSchemaText(messages []chatMessage, text string) []chatMessage {
	first := messages[0]
	parts := append([]chatPart{first.parts[0], {text: text}}, first.parts[1:]...)
	first.parts = parts
	return append([]chatMessage{first}, messages[1:]...)
}

// textTokens estimates the tokens of n bytes of text from above: English has about four bytes for
// a token, JSON about three.
func textTokens(n int) int { return n/3 + 4 }
