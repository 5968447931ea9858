// Decisions that depend on the tags of the object they are about: the tags are looked up only when
// a policy asks for them (s3:ExistingObjectTag), and looked at again when the object is at hand.
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
/// tags if a policy asks for them. `context` is the asker's. What is not there has none.
Async<Outcome<>> learn_existing_tags(const Asker& asker,
                                     RequestContext& context,
                                     ns::Namespace& ns,
                                     std::string_view bucket,
                                     std::string_view key,
                                     std::optional<std::string_view> version_id);

/// With the object at hand: if its tags are not those that were decided on, decides again.
Outcome<> confirm_existing_tags(const Call& call, const ns::ObjectInfo& info);

}  // namespace outcrop::s3
