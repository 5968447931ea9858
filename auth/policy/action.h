// Every action a request to this server can need, as a number: statements keep sets of them.
// Source: AWS Service Authorization Reference, Amazon S3, IAM, STS.
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcrop::policy {

/// An index into the table of actions.
using Action = std::uint16_t;
inline constexpr std::size_t kMaxActions = 320;
using ActionSet = std::bitset<kMaxActions>;

/// What a resource of the action is.
enum class Target : std::uint8_t { account, bucket, object };

/// By its exact name in any case, like "s3:GetObject".
std::optional<Action> find_action(std::string_view name);
std::string_view action_name(Action action);
Target action_target(Action action);
std::size_t action_count();

/// All actions that a pattern of a policy means ("s3:Get*", "*"). Names in any case.
ActionSet matching_actions(std::string_view pattern);
/// Whether the pattern means an action of S3, IAM or STS that no request to this server needs.
bool matches_other_action(std::string_view pattern);

}  // namespace outcrop::policy
