#include "api/s3/bucket_settings.h"

#include "api/s3/payload.h"
#include "api/s3/tags.h"
#include "storage/base/codec.h"
#include "storage/base/log.h"

namespace outcrop::s3 {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr char kLetter = 'c';  // in table k, beside the identities and bucket policies
constexpr std::size_t kMaxDocuments = 32;

bool known(Setting setting) {
  switch (setting) {
    case Setting::cors:
    case Setting::encryption:
    case Setting::etag:
    case Setting::lifecycle:
    case Setting::minimum_varies:
    case Setting::no_ownership:
    case Setting::tagging:
      return true;
  }
  return false;
}

/// Escaping may have made it longer than what came; it must be readable again.
Outcome<> check_kept_size(std::string_view kept) {
  if (kept.size() > kMaxDocumentBytes) {
    return fail(Code::max_message_length_exceeded, {},
                {{"MaxMessageLengthBytes", std::to_string(kMaxDocumentBytes)}});
  }
  return {};
}

}  // namespace

std::optional<EtagKind> parse_etag_kind(std::string_view text) {
  for (const EtagKind kind : {EtagKind::md5, EtagKind::fast}) {
    if (text == to_string(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

std::string_view to_string(EtagKind kind) { return kind == EtagKind::fast ? "fast" : "md5"; }

std::size_t BucketSettings::bytes() const {
  std::size_t out = 0;
  for (const auto& [setting, text] : documents) {
    out += text.size();
  }
  return out;
}

Outcome<> set_document(BucketSettings& settings, Setting setting, std::string text) {
  std::string kept;
  switch (setting) {
    case Setting::cors: {
      S3_TRY(CorsRules rules, parse_cors(std::move(text)));
      kept = cors_document(rules);
      if (kept.size() > kMaxCorsBytes) {
        return fail(Code::malformed_xml);
      }
      settings.cors = std::make_shared<const CorsRules>(std::move(rules));
      break;
    }
    case Setting::encryption: {
      S3_TRY(EncryptionRule rule, parse_encryption(std::move(text)));
      kept = encryption_document(rule);
      settings.encryption = std::make_shared<const EncryptionRule>(std::move(rule));
      break;
    }
    case Setting::etag: {
      settings.etag = parse_etag_kind(text);
      if (!settings.etag) {
        return fail(Code::invalid_argument);
      }
      kept = std::move(text);
      break;
    }
    case Setting::lifecycle: {
      S3_TRY(LifecycleRules rules, parse_lifecycle(std::move(text)));
      kept = lifecycle_document(rules);
      S3_TRYV(check_kept_size(kept));
      settings.lifecycle = std::make_shared<const LifecycleRules>(std::move(rules));
      break;
    }
    case Setting::minimum_varies:
    case Setting::no_ownership:
      if (!text.empty()) {
        return fail(Code::malformed_xml);
      }
      break;
    case Setting::tagging: {
      S3_TRY(const ns::StringPairs tags, parse_tagging(std::move(text), TagOwner::bucket));
      kept = tagging_document(tags);
      break;
    }
  }
  settings.documents.insert_or_assign(setting, std::move(kept));
  settings.unreadable = false;
  return {};
}

void erase_document(BucketSettings& settings, Setting setting) {
  settings.documents.erase(setting);
  settings.unreadable = false;
  switch (setting) {
    case Setting::cors:
      settings.cors.reset();
      break;
    case Setting::encryption:
      settings.encryption.reset();
      break;
    case Setting::etag:
      settings.etag.reset();
      break;
    case Setting::lifecycle:
      settings.lifecycle.reset();
      break;
    case Setting::minimum_varies:
    case Setting::no_ownership:
    case Setting::tagging:
      break;
  }
}

Outcome<> check_readable(const BucketSettings& settings) {
  if (!settings.unreadable) {
    return {};
  }
  S3Error error(Code::internal_error);
  error.log_detail = "the settings record of the bucket is damaged";
  return std::unexpected(std::move(error));
}

std::string bucket_settings_key(InodeId root) {
  std::string key = meta::table_key(meta::Table::identity, std::string_view(&kLetter, 1));
  put_be64(key, root);
  return key;
}

std::string encode(const BucketSettings& settings) {
  Writer w;
  w.u8(kVersion);
  w.str(settings.bucket);
  w.varint(settings.documents.size());
  for (const auto& [setting, text] : settings.documents) {
    w.u8(static_cast<std::uint8_t>(setting));
    w.str(text);
  }
  return std::move(w).take();
}

Result<BucketSettings> decode_bucket_settings(std::string_view key, std::string_view value) {
  const std::string first = bucket_settings_key(0);
  Reader r(value);
  const std::uint8_t version = r.u8();
  BucketSettings out;
  out.bucket = r.str(access::kMaxBucketName);
  std::map<Setting, std::string> documents;
  int last = -1;
  for (std::size_t n = r.count(kMaxDocuments); n > 0 && r.ok(); --n) {
    const std::uint8_t letter = r.u8();
    if (letter <= last) {
      r.fail();
    }
    last = letter;
    documents.emplace(static_cast<Setting>(letter), r.str(kMaxDocumentBytes));
  }
  if (key.size() != first.size() || !key.starts_with(first.substr(0, 2)) || !r.done() ||
      version != kVersion) {
    return fail(Errc::corrupt, "bucket settings record malformed");
  }
  out.root = get_be64(key.substr(2));
  for (auto& [setting, text] : documents) {
    if (!known(setting) || !set_document(out, setting, text)) {
      log::warn("a setting of a bucket is not understood, and not in force; put it again",
                {{"bucket", out.bucket}, {"setting", std::string(1, static_cast<char>(setting))}});
    }
    out.documents.insert_or_assign(setting, std::move(text));
  }
  return out;
}

Task<std::unique_ptr<SettingsTable>> SettingsTable::open(meta::MetaStore& meta,
                                                         const access::BucketRoots& buckets) {
  std::unique_ptr<SettingsTable> out(new SettingsTable(meta));
  CO_TRYV(co_await out->x_table.load(buckets));
  const auto all = out->x_table.snapshot();
  for (const auto& [bucket, settings] : *all) {
    if (settings->unreadable) {
      log::error(
          "the settings of a bucket cannot be read, and none is in force (CORS, lifecycle, tags, "
          "ETags; "
          "what "
          "does not say how it is to be encrypted is refused if it was to be encrypted by "
          "default); "
          "whoever puts or deletes one of them begins anew",
          {{"bucket", bucket}});
    }
  }
  co_return out;
}

Task<> SettingsTable::forget(const Held& /*held*/, std::string_view bucket) {
  CO_TRYV(co_await x_table.forget(bucket));
  co_return ok();
}

}  // namespace outcrop::s3
