// Names as a file client sees them. Most dirents show as they are. One that a file system cannot
// name shows under an alias: kAliasPrefix and the dirent's name (with the '/' of a directory),
// percent-encoded; or, where that would be too long, a SHA-256 of it and as much of its encoding as
// fits. No two dirents of a directory have one alias, and no name that is shown is another's alias.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::ns {

/// A name to look for: not empty, no '/' or NUL, not "." or ".."; at most 255 bytes.
Result<void> check_name(std::string_view name);
/// A name to create: also UTF-8, because a key must be, and no alias.
Result<void> check_new_name(std::string_view name);
bool is_alias(std::string_view name);

/// Whether a file or directory of this name shows as it is; without the '/' of a directory.
bool shows_plainly(std::string_view component);
std::string alias_of(std::string_view dirent_name);

/// What an alias says of the dirent that it stands for. If alias_of() of a dirent that fits is not
/// the alias, it stands for nothing.
struct Alias {
  std::string name;   ///< the dirent's
  bool whole = true;  ///< false: only what it starts with
};
std::optional<Alias> parse_alias(std::string_view alias);

/// "n/" and "n" -> "n".
inline std::string_view component_of(std::string_view dirent_name) {
  return dirent_name.ends_with('/') ? dirent_name.substr(0, dirent_name.size() - 1) : dirent_name;
}

}  // namespace outcrop::ns
