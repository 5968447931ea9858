// Names, paths and ids of identities: what AWS allows, and new ones.
#pragma once
#include <string>
#include <string_view>

#include "auth/identity/error.h"
#include "auth/identity/state.h"
#include "storage/base/random.h"

namespace outcrop::identity {

/// Letters, digits and _+=,.@- ; the element names the field in the message.
Checked<> check_name(std::string_view element, std::string_view name, std::size_t longest);
std::size_t longest_name(EntityKind kind);
/// "/", or printable text that starts and ends with a slash.
Checked<> check_path(std::string_view path);
Checked<> check_description(std::string_view text);
/// Empty, or "local@domain" of printable characters.
Checked<> check_email(std::string_view email);

/// "AIDA" and 16 letters and digits.
std::string new_id(std::string_view prefix, Random& random);
/// 12 digits that do not begin with 0, so it is never the first account's.
std::string new_account_id(Random& random);
/// 64 hex digits.
std::string new_canonical_id(Random& random);
/// 40 letters and digits.
std::string new_secret(Random& random);

}  // namespace outcrop::identity
