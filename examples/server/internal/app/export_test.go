package app

import "github.com/groundwork-go/groundwork/examples/server/internal/lists"

// Lists returns every list of the server.
func Lists() ([]lists.Entry, error) {
	p, err := described()
	if err != nil {
		return nil, err
	}
	return p.lists.Entries(), p.db.write.Close()
}
