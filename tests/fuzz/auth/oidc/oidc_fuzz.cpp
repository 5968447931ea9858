// Any text as a key set, and as a token for a fixed one: refused with a reason. Nobody but the
// holder of the private key, which is lost, can make a token that is accepted.
#include <cstdint>
#include <string_view>

#include "auth/oidc/issuer.h"
#include "auth/oidc/token.h"
#include "storage/base/assert.h"

using namespace outcrop;
using namespace outcrop::oidc;

namespace {

// Appendix A.3 of RFC 7515; its private half is published: what signs with it there is an example
// without the claims that a token must have.
constexpr std::string_view kSet = R"({"keys":[{"kty":"EC","kid":"k","crv":"P-256",
  "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const KeySet known = *KeySet::parse(kSet);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = Token::parse(text)) {
    OUTCROP_ASSERT(text.size() <= kMaxTokenBytes);
    OUTCROP_ASSERT(!token->unverified_issuer().empty());
    OUTCROP_ASSERT(!token->verify(known, 1'700'000'000));
  }
  if (const auto set = KeySet::parse(text)) {
    OUTCROP_ASSERT(set->size() > 0 && set->size() <= kMaxKeys);
    OUTCROP_ASSERT(!set->verify("k", Algorithm::es256, text, text));
  }
  if (const auto url = split_url(text)) {
    OUTCROP_ASSERT(!url->host.empty() && url->port != 0 && text.size() <= kMaxUrl);
    OUTCROP_ASSERT(!url->path.contains(' ') && !url->path.contains('\r'));
  }
  return 0;
}
