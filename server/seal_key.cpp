#include "server/seal_key.h"

#include "server/private_file.h"

namespace outcrop::server {
namespace {

constexpr std::size_t kMaxFileBytes = 4096;
constexpr std::string_view kHex = "0123456789abcdef";

std::optional<SealKeyBytes> parse(std::string_view text) {
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  SealKeyBytes key{};
  if (text.size() != 2 * key.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kHex.find(text[i]);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    key[i / 2] = static_cast<std::uint8_t>(key[i / 2] << 4 | digit);
  }
  return key;
}

}  // namespace

Result<std::optional<SealKeyBytes>> read_seal_key(const std::filesystem::path& file) {
  TRY(const std::optional<std::string> text, read_private_file(file, kMaxFileBytes));
  if (!text) {
    return std::optional<SealKeyBytes>();
  }
  const std::optional<SealKeyBytes> key = parse(*text);
  if (!key) {
    return fail(Errc::config, "auth.key_file: " + file.string() +
                                  ": expected one line of 64 hex digits; put the right file back");
  }
  return key;
}

Result<SealKeyBytes> make_seal_key(const std::filesystem::path& file, Random& random) {
  SealKeyBytes key{};
  random.fill(MutBytes(reinterpret_cast<std::byte*>(key.data()), key.size()));
  std::string text;
  for (const std::uint8_t byte : key) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  TRYV(write_private_file(file, text + "\n"));
  return key;
}

}  // namespace outcrop::server
