// The x-amz-server-side-encryption* headers of a request as values, with AWS's words for every
// misuse. What a client's key is stays out of every message.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/http/message.h"
#include "api/s3/error.h"
#include "auth/identity/seal.h"
#include "auth/keys/envelope.h"

namespace outcrop::s3 {

struct Call;

/// A header about encryption, of an object or of a copy's source.
bool is_encryption_header(std::string_view name);
/// Refuses the header where it has no place, and notes in `call` that there are such: the one place
/// that decides whether keys may come without TLS. `in_query`: it is the parameter of a presigned
/// URL. NotImplemented for what is no header of AWS.
Outcome<> note_encryption_header(Call& call, const http::Header& header, bool in_query);

/// The client's key (SSE-C).
struct ClientKey {
  identity::SealKey key{};
  std::string md5;  ///< raw
  ClientKey() = default;
  ClientKey(const ClientKey&) = default;
  ClientKey& operator=(const ClientKey&) = default;
  ~ClientKey();
};
enum class KeyUse : std::uint8_t {
  write,        ///< all three headers
  read,         ///< the MD5 may be missing, and a key that cannot be right is a wrong one
  copy_source,  ///< the same for x-amz-copy-source-server-side-encryption-customer-*
};
/// Empty: none was sent.
Outcome<std::optional<ClientKey>> client_key_of(const Call& call, KeyUse use);

/// How the object is to be encrypted that the request makes.
struct EncryptionAsked {
  std::optional<keys::Mode> mode;  ///< empty: it does not say
  std::optional<ClientKey> client;
  std::string kms_key;  ///< as it was named; empty: it was not
  std::string context;  ///< base64, checked
  std::optional<bool> bucket_key;
};
Outcome<EncryptionAsked> encryption_asked(const Call& call);

}  // namespace outcrop::s3
