#include "server/admin_token.h"

#include <algorithm>
#include <array>

#include "server/private_file.h"

namespace outcrop::server {
namespace {

constexpr std::size_t kTokenBytes = 32, kLeastDigits = 32, kMaxFileBytes = 4096;

bool good_digit(char c) { return c > 0x20 && c < 0x7f; }

}  // namespace

Result<std::string> load_admin_token(const std::filesystem::path& state_dir, Random& random) {
  const std::filesystem::path file = state_dir / "admin-token";
  TRY(const std::optional<std::string> text, read_private_file(file, kMaxFileBytes));
  if (text) {
    std::string token = text->substr(0, text->find_last_not_of("\r\n") + 1);
    if (token.size() < kLeastDigits || !std::ranges::all_of(token, good_digit)) {
      return fail(Errc::config, file.string() + ": expected one line of at least " +
                                    std::to_string(kLeastDigits) +
                                    " letters and digits; remove it to have one made");
    }
    return token;
  }
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::byte, kTokenBytes> bytes{};
  random.fill(bytes);
  std::string token;
  for (const std::byte b : bytes) {
    token.push_back(kHex[static_cast<unsigned>(b) >> 4]);
    token.push_back(kHex[static_cast<unsigned>(b) & 15]);
  }
  TRYV(write_private_file(file, token + "\n"));
  return token;
}

}  // namespace outcrop::server
