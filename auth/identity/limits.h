// How many identities there may be and how large. All of them are in memory, so these bound it.
// Where AWS has a figure it is AWS's.
#pragma once
#include <cstddef>
#include <cstdint>

namespace outcrop::identity {

inline constexpr std::size_t kMaxUsers = 5000;
inline constexpr std::size_t kMaxGroups = 300;
inline constexpr std::size_t kMaxRoles = 1000;
inline constexpr std::size_t kMaxPolicies = 1500;   ///< managed
inline constexpr std::size_t kMaxKeysPerUser = 10;  ///< AWS: 2, too few to roll many boxes
inline constexpr std::size_t kMaxKeys = 20'000;     ///< of all users
inline constexpr std::size_t kMaxGroupsPerUser = 10;
inline constexpr std::size_t kMaxAttached = 10;            ///< managed policies of one entity
inline constexpr std::size_t kMaxInlinePolicies = 20;      ///< of one entity
inline constexpr std::size_t kMaxManagedBytes = 6144;      ///< a managed policy
inline constexpr std::size_t kMaxPolicyVersions = 5;       ///< of a managed policy
inline constexpr std::size_t kMaxInlineUserBytes = 2048;   ///< all inline policies of one user
inline constexpr std::size_t kMaxInlineGroupBytes = 5120;  ///< of one group
inline constexpr std::size_t kMaxInlineRoleBytes = 10240;  ///< of one role
inline constexpr std::size_t kMaxSessionPolicyBytes = 2048;
inline constexpr std::size_t kMaxSessionPolicies = 10;  ///< managed ones of one session
inline constexpr std::size_t kMaxProviders = 100;
inline constexpr std::size_t kMaxClientIds = 100, kMaxClientId = 255;
inline constexpr std::size_t kMaxThumbprints = 5, kThumbprintChars = 40;
inline constexpr std::size_t kMaxProviderUrl = 255;
inline constexpr std::size_t kMaxAccounts = 1000;  ///< beside the first
inline constexpr std::size_t kMaxKeysPerAccount = 2;
inline constexpr std::size_t kMaxAccountName = 50, kMaxEmail = 64;
inline constexpr std::size_t kAccountIdChars = 12, kCanonicalIdChars = 64;
inline constexpr std::size_t kMaxUserName = 64;  ///< and of roles
inline constexpr std::size_t kMaxGroupName = 128;
inline constexpr std::size_t kMaxPolicyName = 128;
inline constexpr std::size_t kMaxRenameBytes = 6 << 20;  ///< what one change rewrites
inline constexpr std::size_t kMaxPath = 512;
inline constexpr std::size_t kMaxDescription = 1000;
/// Of sessions of a role: without a word of its own, and what it may say. Sessions that come from
/// sessions last the former at most.
inline constexpr std::int64_t kMaxRoleSeconds = 3600, kLongestRoleSeconds = 43'200;

}  // namespace outcrop::identity
