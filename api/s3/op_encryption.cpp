// The default encryption of a bucket.
#include "api/s3/bucket_settings.h"
#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/encryption_rule.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"

namespace outcrop::s3 {
namespace {

/// A name that leads nowhere would make every upload fail.
Outcome<> check_key(const keys::Vault& vault, const EncryptionRule& rule) {
  if (rule.mode != keys::Mode::kms || vault.is_default_name(rule.key)) {
    return {};
  }
  const auto found = vault.find(rule.key);
  return found ? Outcome<>()
               : Outcome<>(std::unexpected(refusal_error(vault, found.error(), rule.key)));
}

}  // namespace

/// File clients are held off first and let in again last: between the two commits, and after a
/// crash there, nothing is in the clear that should not be.
Answer put_bucket_encryption(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const EncryptionRule rule, parse_encryption(text));
  S3_CO_TRYV(check_key(*call.config.vault, rule));
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  S3_CO_TRYV(set_document(next, Setting::encryption, std::move(text)));
  S3_CO_TRYV(co_await call.ns.put_sealing(call.bucket(), true));
  S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  co_return empty_response(200);
}

Answer delete_bucket_encryption(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  if (next.unreadable || next.documents.contains(Setting::encryption)) {
    erase_document(next, Setting::encryption);
    S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  }
  S3_CO_TRYV(co_await call.ns.put_sealing(call.bucket(), false));
  co_return empty_response(204);
}

}  // namespace outcrop::s3
