package identity

import (
	"errors"

	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
)

func (s *Service) wireLists(reg *lists.Registry) error {
	now := lists.SampleTime()
	var errs [5]error
	s.sessionList, errs[0] = reg.Add("list-sessions", sessionList())
	s.memberList, errs[1] = reg.Add("list-people", memberList(), memberSelect(lists.SampleID))
	s.inviteList, errs[2] = reg.Add("list-invites", inviteList(), inviteSelect(lists.SampleID, "", now),
		inviteSelect(lists.SampleID, InviteOpen, now), inviteSelect(lists.SampleID, InviteExpired, now),
		inviteSelect(lists.SampleID, InviteAccepted, now), inviteSelect(lists.SampleID, InviteRevoked, now))
	s.userList, errs[3] = reg.Add("list-users", userList(), userSelect())
	s.deletedList, errs[4] = reg.Add("list-deleted-users", deletedUserList(), deletedUserSelect())
	return errors.Join(errs[:]...)
}
