#include "api/s3/encryption_headers.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "api/json/value.h"
#include "api/s3/call.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kSse = "x-amz-server-side-encryption";
constexpr std::string_view kKmsKey = "x-amz-server-side-encryption-aws-kms-key-id";
constexpr std::string_view kContext = "x-amz-server-side-encryption-context";
constexpr std::string_view kBucketKey = "x-amz-server-side-encryption-bucket-key-enabled";
constexpr std::string_view kSourcePrefix = "x-amz-copy-source-server-side-encryption";
constexpr std::size_t kMaxNamedKey = 2048;  ///< an ARN; AWS's figure

/// The three headers of a client's key.
struct KeyHeaders {
  std::string_view algorithm, key, md5;
};
constexpr KeyHeaders kClient{"x-amz-server-side-encryption-customer-algorithm",
                             "x-amz-server-side-encryption-customer-key",
                             "x-amz-server-side-encryption-customer-key-md5"};
constexpr KeyHeaders kSource{"x-amz-copy-source-server-side-encryption-customer-algorithm",
                             "x-amz-copy-source-server-side-encryption-customer-key",
                             "x-amz-copy-source-server-side-encryption-customer-key-md5"};

bool is_of(const KeyHeaders& headers, std::string_view name) {
  return name == headers.algorithm || name == headers.key || name == headers.md5;
}

/// What the headers mean to an operation.
enum class Place : std::uint8_t {
  none,
  makes_object,  ///< all of them
  adds_bytes,    ///< the client's key; the rest the upload has said
  reads,         ///< the client's key
};

Place place_of(OpId op) {
  switch (op) {
    case OpId::put_object:
    case OpId::copy_object:
    case OpId::create_multipart_upload:
      return Place::makes_object;
    case OpId::upload_part:
    case OpId::upload_part_copy:
    case OpId::complete_multipart_upload:
      return Place::adds_bytes;
    case OpId::get_object:
    case OpId::head_object:
    case OpId::get_object_attributes:
    case OpId::list_parts:
      return Place::reads;
    default:
      return Place::none;
  }
}

/// The argument is named, its value never told: it may be a key.
std::unexpected<S3Error> bad_key(std::string message) {
  return fail(Code::invalid_argument, std::move(message), {{"ArgumentName", std::string(kSse)}});
}

Outcome<> check_transport(const Call& call, std::string_view name, bool in_query) {
  if (in_query && (name == kClient.key || name == kSource.key)) {
    return fail(Code::invalid_request,
                "The key of a request with server side encryption with customer provided keys must "
                "be a header, not a part of the URL.");
  }
  if (!call.request.secure && !call.config.sse_c_over_http) {
    return fail(Code::invalid_request,
                "Requests specifying Server Side Encryption with Customer provided keys must be "
                "made over a secure connection.");
  }
  return {};
}

/// base64 of a JSON object of texts.
bool is_context(std::string_view text) {
  const auto raw = digest::from_base64(text);
  if (!raw) {
    return false;
  }
  const auto value = json::parse(*raw, {.bytes = keys::kMaxContextBytes, .depth = 2});
  return value && value->is_object() &&
         std::ranges::all_of(value->members,
                             [](const json::Member& m) { return m.value.is_string(); });
}

Outcome<> read_kms(const Call& call, EncryptionAsked& out) {
  out.kms_key = call.header(kKmsKey).value_or("");
  if (out.kms_key.size() > kMaxNamedKey) {
    return fail(Code::kms_not_found, "Invalid keyId");
  }
  if (out.kms_key.empty() && call.rgw()) {
    return bad_argument("Server Side Encryption with KMS managed key requires a key id",
                        std::string(kKmsKey), "");
  }
  if (const auto context = call.header(kContext)) {
    if (context->size() > keys::kMaxContextBytes || !is_context(*context)) {
      return bad_argument(
          "The header 'x-amz-server-side-encryption-context' shall be "
          "Base64-encoded UTF-8 string holding JSON which represents a "
          "string-string map",
          std::string(kContext), std::string(context->substr(0, 256)));
    }
    out.context = *context;
  }
  return {};
}

Outcome<> read_bucket_key(const Call& call, EncryptionAsked& out) {
  const auto text = call.header(kBucketKey);
  if (!text) {
    return {};
  }
  const bool yes = same_text(*text, "true");
  if (!yes && !same_text(*text, "false")) {
    return bad_argument("The value of the header is not valid.", std::string(kBucketKey),
                        std::string(*text));
  }
  out.bucket_key = yes;
  return {};
}

}  // namespace

ClientKey::~ClientKey() { explicit_bzero(key.data(), key.size()); }

bool is_encryption_header(std::string_view name) {
  return name.starts_with(kSse) || name.starts_with(kSourcePrefix);
}

Outcome<> note_encryption_header(Call& call, const http::Header& header, bool in_query) {
  const std::string_view name = header.name;
  const Place place = place_of(call.op.id);
  if (is_of(kSource, name)) {
    if (call.op.id != OpId::copy_object && call.op.id != OpId::upload_part_copy) {
      return unsupported(name);
    }
    call.source_encryption = true;
    return check_transport(call, name, in_query);
  }
  if (place == Place::none) {
    return unsupported(name);
  }
  if (is_of(kClient, name)) {
    call.encryption = true;
    return check_transport(call, name, in_query);
  }
  if (name != kSse && name != kKmsKey && name != kContext && name != kBucketKey) {
    return unsupported(name);
  }
  if (place == Place::reads) {
    return bad_argument(std::string(name) + " header is not supported for this operation.",
                        std::string(name), header.value);
  }
  call.encryption = call.encryption || place == Place::makes_object;
  return {};
}

Outcome<std::optional<ClientKey>> client_key_of(const Call& call, KeyUse use) {
  const KeyHeaders& names = use == KeyUse::copy_source ? kSource : kClient;
  const auto algorithm = call.header(names.algorithm);
  const auto text = call.header(names.key);
  const auto md5 = call.header(names.md5);
  if (!algorithm && !text && !md5) {
    return std::nullopt;
  }
  if (!algorithm) {
    return bad_key(
        "Requests specifying Server Side Encryption with Customer provided keys must provide a "
        "valid encryption algorithm.");
  }
  if (*algorithm != "AES256") {
    return fail(Code::invalid_encryption_algorithm, {},
                {{"ArgumentName", std::string(names.algorithm)},
                 {"ArgumentValue", std::string(algorithm->substr(0, 64))}});
  }
  if (!text || text->empty()) {
    return bad_key(
        "Requests specifying Server Side Encryption with Customer provided keys must provide an "
        "appropriate secret key.");
  }
  if (!md5 && use == KeyUse::write) {
    return bad_key(
        "Requests specifying Server Side Encryption with Customer provided keys must provide the "
        "client calculated MD5 of the secret key.");
  }
  auto raw = digest::from_base64(*text);
  if (!raw) {
    return bad_key("The secret key was invalid for the specified algorithm.");
  }
  ClientKey out;
  out.md5 = digest::Digest::of(digest::Algorithm::md5, as_bytes(*raw));
  const bool fits = raw->size() == out.key.size();
  if (fits) {
    std::ranges::copy(*raw, out.key.begin());
  }
  explicit_bzero(raw->data(), raw->size());
  if (md5 && *md5 != digest::to_base64(as_bytes(out.md5))) {
    return bad_key("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  if (!fits) {
    return use == KeyUse::write ? Outcome<std::optional<ClientKey>>(bad_key(
                                      "The secret key was invalid for the specified algorithm."))
                                : fail(Code::wrong_client_key);
  }
  return out;
}

Outcome<EncryptionAsked> encryption_asked(const Call& call) {
  EncryptionAsked out;
  const auto method = call.header(kSse);
  const bool kms = call.header(kKmsKey) || call.header(kContext);
  S3_TRYV(read_bucket_key(call, out));
  S3_TRY(out.client, client_key_of(call, KeyUse::write));
  if (out.client) {
    out.mode = keys::Mode::customer;
    return !method && !kms ? Outcome<EncryptionAsked>(std::move(out))
                           : bad_argument(
                                 "Server Side Encryption with Customer provided key is "
                                 "incompatible with the encryption method specified",
                                 std::string(kSse), std::string(method.value_or("")));
  }
  if (kms && method != "aws:kms") {
    return bad_argument(
        "Server Side Encryption with AWS KMS managed key requires HTTP header "
        "x-amz-server-side-encryption : aws:kms",
        std::string(kSse), std::string(method.value_or("")));
  }
  if (!method) {
    return out;
  }
  if (*method == "AES256") {
    out.mode = keys::Mode::managed;
    return out;
  }
  if (*method == "aws:kms") {
    out.mode = keys::Mode::kms;
    S3_TRYV(read_kms(call, out));
    return out;
  }
  if (*method == "aws:kms:dsse") {
    return unsupported("x-amz-server-side-encryption: aws:kms:dsse");
  }
  return bad_argument("The encryption method specified is not supported", std::string(kSse),
                      std::string(method->substr(0, 64)));
}

}  // namespace outcrop::s3
