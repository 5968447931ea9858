#include "api/s3/encryption.h"

#include <algorithm>
#include <array>

#include "api/s3/encryption_rule.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

using keys::Mode;
using keys::Refusal;

constexpr std::string_view kSse = "x-amz-server-side-encryption";

S3Error damaged(std::string what) {
  S3Error error(Code::internal_error);
  error.log_detail = std::move(what);
  return error;
}

S3Error not_applicable() {
  return S3Error(Code::invalid_request,
                 "The encryption parameters are not applicable to this object.");
}

Outcome<keys::Envelope> decoded(std::string_view envelope) {
  S3_TRY(keys::Envelope out, keys::decode_envelope(envelope));
  return out;
}

/// What opens the envelope with a key that the client may have sent.
DataKeyOf open(const Call& call,
               std::string_view envelope,
               const std::optional<ClientKey>& client) {
  if (envelope.empty()) {
    return client ? std::unexpected(not_applicable()) : DataKeyOf(std::nullopt);
  }
  S3_TRY(const keys::Envelope decoded_envelope, decoded(envelope));
  if (client && decoded_envelope.head.mode != Mode::customer) {
    return std::unexpected(not_applicable());
  }
  auto opened = call.config.vault->open(decoded_envelope, client ? &client->key : nullptr);
  if (!opened) {
    return std::unexpected(
        refusal_error(*call.config.vault, opened.error(), decoded_envelope.head.key_id));
  }
  return *opened;
}

/// How clients hear of the key.
std::string name_of(const keys::Vault& vault, const keys::EnvelopeHead& head) {
  return head.by_arn ? vault.arn_of(head.key_id) : head.key_id;
}

/// What the bucket says. Settings that cannot be read say nothing; then the namespace knows whether
/// there was something.
Async<Outcome<std::optional<EncryptionRule>>> default_of(Call& call) {
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  if (!settings) {
    co_return std::nullopt;
  }
  if (settings->encryption) {
    co_return *settings->encryption;
  }
  if (settings->unreadable || settings->documents.contains(Setting::encryption)) {
    S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
    if (bucket.sealing) {
      co_return std::unexpected(damaged("the default encryption of the bucket cannot be read"));
    }
  }
  co_return std::nullopt;
}

Async<Outcome<keys::KmsKeyPtr>> kms_key(keys::Vault& vault, const std::string& name) {
  std::string id = name;
  if (vault.is_default_name(name)) {
    S3_CO_TRY(const keys::KmsKeyPtr chosen, co_await vault.default_key());
    id = chosen->id;
  }
  auto found = vault.find(id);
  if (!found) {
    co_return std::unexpected(refusal_error(vault, found.error(), id));
  }
  co_return *std::move(found);
}

S3Error other_key() {
  return S3Error(Code::invalid_request,
                 "The provided encryption parameters did not match the ones used originally.");
}

}  // namespace

S3Error refusal_error(const keys::Vault& vault, Refusal refusal, std::string_view name) {
  const std::string text(name.substr(0, keys::kMaxKeyId));
  switch (refusal) {
    case Refusal::unknown_key:
      return S3Error(Code::kms_not_found, name.starts_with("arn:")
                                              ? "Key '" + text + "' does not exist"
                                              : "Invalid keyId '" + text + "'");
    case Refusal::disabled_key:
      return S3Error(Code::kms_disabled,
                     (name.starts_with("arn:") ? text : vault.arn_of(text)) + " is disabled.");
    case Refusal::no_client_key:
      return S3Error(Code::invalid_request,
                     "The object was stored using a form of Server Side Encryption. The correct "
                     "parameters must be provided to retrieve the object.");
    case Refusal::wrong_key:
      return S3Error(Code::wrong_client_key);
    case Refusal::damaged:
      break;
  }
  return damaged("an envelope or a KMS key is damaged, or sealed with another seal key");
}

bool may_seal(const Call& call) {
  if (call.encryption) {
    return true;
  }
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  return settings && (settings->unreadable || settings->documents.contains(Setting::encryption));
}

Async<Outcome<Sealing>> sealing_of(Call& call) {
  EncryptionAsked asked;
  if (call.encryption) {
    S3_CO_TRY(asked, encryption_asked(call));
  }
  if (!asked.mode) {
    S3_CO_TRY(const auto rule, co_await default_of(call));
    if (!rule) {
      co_return Sealing();
    }
    asked.mode = rule->mode;
    asked.kms_key = rule->key;
    asked.bucket_key = asked.bucket_key.value_or(rule->bucket_key);
  }
  Sealing out;
  out.x_head.emplace(keys::EnvelopeHead{.mode = *asked.mode});
  S3_CO_TRYV(co_await call.config.vault->prepare());
  if (asked.mode == Mode::customer) {
    out.x_head->key_md5 = asked.client->md5;
    out.x_client = std::move(asked.client);
  } else if (asked.mode == Mode::kms) {
    S3_CO_TRY(out.x_kms, co_await kms_key(*call.config.vault, asked.kms_key));
    out.x_head->key_id = out.x_kms->id;
    out.x_head->by_arn = asked.kms_key != out.x_kms->id;
    out.x_head->bucket_key = asked.bucket_key.value_or(false);
    out.x_head->context = std::move(asked.context);
  }
  co_return out;
}

std::string Sealing::wrap(const Call& call, const ns::DataKey& data_key) const {
  if (plain()) {
    return {};
  }
  const identity::SealKey* const with = x_client ? &x_client->key
                                        : x_kms  ? &x_kms->secret
                                                 : nullptr;
  return call.config.vault->make_envelope(*x_head, with, data_key);
}

NewSeal new_seal(const Call& call, const Sealing& sealing) {
  if (sealing.plain()) {
    return {};
  }
  NewSeal out{call.config.vault->new_data_key(), {}};
  out.envelope = sealing.wrap(call, *out.key);
  return out;
}

DataKeyOf read_key(const Call& call, std::string_view envelope) {
  if (!call.encryption && envelope.empty()) {
    return std::nullopt;
  }
  S3_TRY(const auto client, client_key_of(call, KeyUse::read));
  return open(call, envelope, client);
}

Outcome<> check_read_key(const Call& call, std::string_view envelope) {
  if (!call.encryption && envelope.empty()) {
    return {};
  }
  S3_TRY(const auto client, client_key_of(call, KeyUse::read));
  if (!client && !envelope.empty()) {
    S3_TRY(const keys::Envelope decoded_envelope, decoded(envelope));
    const bool asks_for_checksum =
        same_text(call.header("x-amz-checksum-mode").value_or(""), "ENABLED");
    if (decoded_envelope.head.mode != Mode::customer && !asks_for_checksum) {
      return {};
    }
  }
  S3_TRYV(open(call, envelope, client));
  return {};
}

DataKeyOf source_key(const Call& call, std::string_view envelope) {
  if (!call.source_encryption && envelope.empty()) {
    return std::nullopt;
  }
  S3_TRY(const auto client, client_key_of(call, KeyUse::copy_source));
  return open(call, envelope, client);
}

DataKeyOf part_key(const Call& call, const ns::UploadInfo& upload) {
  const std::string_view envelope = upload.attributes.envelope;
  if (!call.encryption && envelope.empty()) {
    return std::nullopt;
  }
  S3_TRY(const auto client, client_key_of(call, KeyUse::write));
  auto opened = open(call, envelope, client);
  if (!opened && opened.error().code == Code::wrong_client_key) {
    return std::unexpected(other_key());
  }
  if (!opened && !client && opened.error().code == Code::invalid_request) {
    return fail(Code::invalid_request,
                "The multipart upload initiate requested encryption. Subsequent part requests must "
                "include the appropriate encryption parameters.");
  }
  return opened;
}

Outcome<> check_complete_key(const Call& call, const ns::UploadInfo& upload) {
  const std::string_view envelope = upload.attributes.envelope;
  if (!call.encryption && envelope.empty()) {
    return {};
  }
  S3_TRY(const auto client, client_key_of(call, KeyUse::write));
  if (!client) {
    S3_TRY(const keys::Envelope decoded_envelope, decoded(envelope));
    const bool needs_key = call.rgw() || upload.checksum_algorithm != digest::Algorithm::none;
    if (decoded_envelope.head.mode != Mode::customer || !needs_key) {
      return {};
    }
  }
  auto opened = open(call, envelope, client);
  if (!opened) {
    return std::unexpected(
        opened.error().code == Code::wrong_client_key ? other_key() : std::move(opened).error());
  }
  return {};
}

bool has_md5(std::string_view envelope) {
  if (envelope.empty()) {
    return true;
  }
  const auto decoded_envelope = keys::decode_envelope(envelope);
  return decoded_envelope && decoded_envelope->head.mode == Mode::managed;
}

std::string etag_of(const Call& call, std::string_view envelope, std::string md5) {
  return has_md5(envelope) ? std::move(md5) : call.config.vault->random_etag();
}

std::string part_etag(const ns::UploadInfo& upload,
                      const std::optional<ns::DataKey>& key,
                      std::string md5) {
  const bool hidden = key && !md5.empty() && !has_md5(upload.attributes.envelope);
  return hidden ? keys::hidden_md5(*key, md5) : std::move(md5);
}

void add_encryption(const Call& call,
                    std::string_view envelope,
                    http::Response& response,
                    bool made) {
  if (envelope.empty()) {
    return;
  }
  const auto decoded_envelope = keys::decode_envelope(envelope);
  if (!decoded_envelope) {
    return;  // what reads the object says so
  }
  const keys::EnvelopeHead& head = decoded_envelope->head;
  const std::string sse(kSse);
  switch (head.mode) {
    case Mode::managed:
      response.set(sse, "AES256");
      return;
    case Mode::customer:
      response.set(sse + "-customer-algorithm", "AES256");
      response.set(sse + "-customer-key-MD5", digest::to_base64(as_bytes(head.key_md5)));
      return;
    case Mode::kms:
      response.set(sse, "aws:kms");
      response.set(sse + "-aws-kms-key-id", name_of(*call.config.vault, head));
      if (head.bucket_key) {
        response.set(sse + "-bucket-key-enabled", "true");
      }
      if (made && !head.context.empty()) {
        response.set(sse + "-context", head.context);
      }
      return;
  }
}

bool asks_of_upload(const Asker& asker, OpId op, std::string_view bucket) {
  const bool part = op == OpId::upload_part || op == OpId::upload_part_copy ||
                    op == OpId::complete_multipart_upload;
  return part && asks_for_encryption(asker, bucket);
}

Async<> learn_upload_encryption(RequestContext& context,
                                ns::Namespace& ns,
                                const keys::Vault& vault,
                                const auth::Target& target) {
  const std::string_view id = target.param("uploadId").value_or("");
  const auto upload = co_await ns.get_upload(target.bucket, target.key, id);
  if (!upload) {
    co_return;  // the operation says so
  }
  UploadEncryption said;
  if (const auto decoded_envelope = keys::decode_envelope(upload->attributes.envelope)) {
    const keys::EnvelopeHead& head = decoded_envelope->head;
    if (head.mode == Mode::customer) {
      said.customer_algorithm = "AES256";
    } else {
      said.method = head.mode == Mode::kms ? "aws:kms" : "AES256";
    }
    if (head.mode == Mode::kms) {
      said.kms_key = name_of(vault, head);
    }
  }
  context.set_upload_encryption(std::move(said));
}

}  // namespace outcrop::s3
