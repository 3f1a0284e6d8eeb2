// Package visionsim simulates a vision model that lists furniture, behind the chat completions
// protocol of OpenAI. It needs no network, no key and no money, and gives equal answers to equal
// requests, so it serves development, demonstrations and tests.
//
//	analyzer, err := vision.New(vision.Config{
//		BaseURL:    visionsim.BaseURL,
//		HTTPClient: visionsim.Client(visionsim.Config{}), // no socket is opened
//	})
//
// or, for a client in another process:
//
//	http.ListenAndServe("127.0.0.1:9090", visionsim.New(visionsim.Config{}))
//
// The simulator never looks at what a picture shows. It reads the room's name from the request data
// of package vision and answers with furniture that such a room usually holds; the bytes of the
// pictures decide which pieces are visible on which of them. Every answer says "model": "simulator".
//
// Requests are checked as strictly as the real service checks them: a malformed one gets status 400
// and an error body in OpenAI's form.
//
// # What it does not do
//
// It streams nothing, knows no endpoint but chat/completions and no answer but an inventory. It is no
// measure for the quality of a prompt.
package visionsim
