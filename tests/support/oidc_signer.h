// An identity provider for tests: makes a key, gives the public half as a JWK, signs tokens.
#pragma once
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace outcrop::test {

std::string base64url(std::string_view bytes);

class OidcSigner {
 public:
  enum class Type { rsa, p256, p384 };
  OidcSigner(Type type, std::string id, unsigned rsa_bits = 2048);

  const std::string& id() const { return x_id; }
  /// The public key; `more`: members of the object, each with a comma in front.
  std::string jwk(std::string_view more = "") const;
  static std::string set_of(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }
  /// {"alg":ALGORITHM,"kid":ID,"typ":"JWT"}.
  std::string header(std::string_view algorithm) const;
  /// Compact form; `algorithm` says how it is signed, whatever the header says.
  std::string sign(std::string_view header,
                   std::string_view payload,
                   std::string_view algorithm) const;
  std::string token(std::string_view payload, std::string_view algorithm) const {
    return sign(header(algorithm), payload, algorithm);
  }
  /// The public key as PEM, as somebody who has it would use it for an HMAC secret.
  std::string public_pem() const;

 private:
  std::string number(const char* name, std::size_t size) const;

  const Type x_type;
  const std::string x_id;
  std::shared_ptr<evp_pkey_st> x_key;
};

}  // namespace outcrop::test
