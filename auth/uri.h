// Percent-encoding as AWS signs it: unreserved bytes stay, all others become %XX in upper case.
// '+' is a plus sign everywhere, never a space: what is signed and what is read must be one thing.
#pragma once
#include <string>
#include <string_view>

namespace outcrop::auth {

enum class Slash : bool { encode, keep };

/// Appends `raw` encoded. Slash::keep for paths and keys, Slash::encode for query names and values.
void uri_encode(std::string_view raw, Slash slash, std::string& out);

/// Appends `encoded` decoded once. False on an incomplete or non-hex escape and on NUL, plain or
/// escaped; `out` then holds a part of the text.
[[nodiscard]] bool uri_decode(std::string_view encoded, std::string& out);

/// uri_decode then uri_encode in one pass: the canonical form of a path or query part.
[[nodiscard]] bool uri_recode(std::string_view encoded, Slash slash, std::string& out);

}  // namespace outcrop::auth
