// What the actions of STS that give out sessions of roles have in common. Private to api/iam.
#pragma once
#include <string>
#include <vector>

#include "api/iam/call.h"
#include "auth/identity/limits.h"

namespace outcrop::iam {

/// DurationSeconds, or `usual`; `most` bounds both.
identity::Checked<std::int64_t> duration(const Call& call, std::int64_t usual, std::int64_t most);
/// DurationSeconds of a session of a role, whose own limit is looked at once it may be told.
identity::Checked<std::int64_t> role_duration(const Call& call);
identity::Checked<> within(const Call& call, const identity::Entity& role, std::int64_t seconds);
/// RoleSessionName, Policy and PolicyArns.
identity::Checked<identity::IdentityStore::RoleSession> role_session(const Call& call);
/// What a session hands on that others are made from, the tags that one is to have, and the keys of
/// those that it hands on in turn. ValidationError.
identity::Checked<identity::SessionTags> session_tags(const identity::TagsPtr& inherited,
                                                      const identity::Tags& asked,
                                                      const std::vector<std::string>& transitive);
/// The role of RoleArn; null: there is none.
identity::EntityPtr named_role(const Call& call);
void write_credentials(Call& call, const identity::IdentityStore::Temporary& made);
void write_assumed_role(Call& call, const identity::Entity& role, const std::string& session);

}  // namespace outcrop::iam
