// Tags of users, roles, managed policies, identity providers and sessions: what AWS allows, and
// what conditions ask of them. Pure functions.
// Source: IAM User Guide, "Tags for IAM resources", "Pass session tags in AWS STS".
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/identity/error.h"

namespace outcrop::identity {

/// Of names of users, groups and roles, and of keys of tags: they differ in more than the case of
/// their letters, and are found however that is written.
struct NameOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

using Tags = std::map<std::string, std::string, NameOrder>;
using TagsPtr = std::shared_ptr<const Tags>;  ///< null: there are none

inline constexpr std::size_t kMaxTags = 50;
inline constexpr std::size_t kMaxTagKey = 128, kMaxTagValue = 256;  ///< characters
inline constexpr std::size_t kMaxTagKeyBytes = 4 * kMaxTagKey;      ///< of UTF-8
inline constexpr std::size_t kMaxTagValueBytes = 4 * kMaxTagValue;

/// The tags of one request, of valid UTF-8. ValidationError: too many, or text that no tag has;
/// InvalidInput: a key twice, or one that begins with "aws:".
Checked<Tags> make_tags(const std::vector<std::pair<std::string, std::string>>& list);
/// The same of the keys of tags that are to go.
Checked<> check_tag_keys(const std::vector<std::string>& keys);

/// A tag of `more` takes the place of one whose key is the same but for case. LimitExceeded.
Checked<TagsPtr> with_tags(const TagsPtr& tags, const Tags& more);
/// What is not there need not go.
TagsPtr without_tags(const TagsPtr& tags, const std::vector<std::string>& keys);

/// Null for no tags.
TagsPtr keep_tags(Tags tags);
const Tags& tags_of(const TagsPtr& tags);
/// Null: there is no such tag. Lives as long as `tags`.
const std::string* find_tag(const TagsPtr& tags, std::string_view key);

}  // namespace outcrop::identity
