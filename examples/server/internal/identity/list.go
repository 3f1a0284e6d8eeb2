package identity

import (
	"errors"

	"github.com/groundwork-go/groundwork/pagination"
)

func (s *Service) wireLists(keys *pagination.Keyring) error {
	var errs [3]error
	s.sessionList, errs[0] = newSessionList()
	s.memberList, errs[1] = newMemberList(keys)
	s.inviteList, errs[2] = newInviteList(keys)
	return errors.Join(errs[:]...)
}
