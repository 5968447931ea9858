#include "auth/identity/names.h"

#include <algorithm>
#include <array>

#include "auth/identity/limits.h"
#include "storage/digest/text.h"

namespace outcrop::identity {
namespace {

constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kIdDigits = 16, kSecretDigits = 40;

/// The alphabets have 32 and 64 letters, so the low bits of a byte pick one evenly.
std::string random_text(std::string_view alphabet, std::size_t size, Random& random) {
  std::array<std::byte, kSecretDigits> bytes{};
  random.fill(bytes);
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(alphabet[std::to_integer<std::size_t>(bytes[i]) % alphabet.size()]);
  }
  return out;
}

bool name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_+=,.@-").contains(c);
}

}  // namespace

Checked<> check_name(std::string_view element, std::string_view name, std::size_t longest) {
  if (name.empty() || name.size() > longest) {
    return refuse(IamCode::validation, "The length of " + std::string(element) +
                                           " must be between 1 and " + std::to_string(longest) +
                                           " characters.");
  }
  if (!std::ranges::all_of(name, name_letter)) {
    return refuse(IamCode::validation,
                  "The specified value for " + std::string(element) +
                      " is invalid. It must contain only alphanumeric characters and/or the "
                      "following: +=,.@_-");
  }
  return {};
}

std::size_t longest_name(EntityKind kind) {
  return kind == EntityKind::group ? kMaxGroupName : kMaxUserName;
}

Checked<> check_path(std::string_view path) {
  const bool printable = std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
  if (path.empty() || path.size() > kMaxPath || !printable || path.front() != '/' ||
      path.back() != '/') {
    return refuse(IamCode::validation,
                  "The specified value for path is invalid. It must begin and end with / and "
                  "contain only alphanumeric characters and/or / characters.");
  }
  return {};
}

Checked<> check_description(std::string_view text) {
  if (text.size() > kMaxDescription) {
    return refuse(IamCode::validation, "The description has more than " +
                                           std::to_string(kMaxDescription) + " characters.");
  }
  return {};
}

Checked<> check_email(std::string_view email) {
  const bool printable = std::ranges::all_of(email, [](char c) { return c > ' ' && c < '\x7f'; });
  const std::size_t at = email.find('@');
  if (!email.empty() && (email.size() > kMaxEmail || !printable || at == 0 ||
                         at == std::string_view::npos || at + 1 == email.size())) {
    return refuse(IamCode::validation, "The email address is not valid.");
  }
  return {};
}

std::string new_id(std::string_view prefix, Random& random) {
  return std::string(prefix) + random_text(kIdAlphabet, kIdDigits, random);
}
std::string new_account_id(Random& random) {
  const std::uint64_t first = 100'000'000'000;
  return std::to_string(first + random.next() % (9 * first));
}
std::string new_canonical_id(Random& random) {
  std::array<std::byte, kCanonicalIdChars / 2> bytes{};
  random.fill(bytes);
  return digest::to_hex(bytes);
}
std::string new_secret(Random& random) {
  return random_text(kSecretAlphabet, kSecretDigits, random);
}

}  // namespace outcrop::identity
