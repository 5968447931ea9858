// Decisions that depend on the tags or the ACL of the object they are about: those are looked up
// only when a policy asks for tags (s3:ExistingObjectTag) or the bucket has ACLs, and looked at
// again when the object is at hand.
#pragma once
#include <optional>
#include <string_view>

#include "api/s3/authorize.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

struct Call;

/// So often is a change decided whose object gets other tags between decision and change; then it
/// is OperationAborted.
inline constexpr int kMaxTagAttempts = 8;

/// Whether AWS has the key s3:ExistingObjectTag for the operation's object.
bool has_existing_tags(OpId op);

/// Before a decision about `key`, or about the version of it that is asked for: gives `context` its
/// tags if a policy asks for them, and its ACL if the bucket has such. `context` is the asker's.
/// What is not there has none.
Async<Outcome<>> learn_existing_tags(const Asker& asker,
                                     RequestContext& context,
                                     ns::Namespace& ns,
                                     std::string_view bucket,
                                     std::string_view key,
                                     std::optional<std::string_view> version_id);

/// What was learnt of it: the next decision is about something else.
void forget_object(RequestContext& context);

/// With the object at hand: if its tags or its ACL are not those that were decided on, decides
/// again.
Outcome<> confirm_existing_tags(const Call& call, const ns::ObjectInfo& info);

}  // namespace outcrop::s3
