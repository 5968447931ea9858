#include "server/bucket_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

namespace outcrop::server {
namespace {

namespace json = boost::json;
using s3::Setting;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

Result<BucketParts> opened(const std::function<BucketParts()>& parts) {
  const BucketParts out = parts();
  if (out.ns == nullptr || out.access == nullptr || out.settings == nullptr) {
    return fail(Errc::unavailable, "the store is not open yet; /health/ready says when it is");
  }
  return out;
}

/// "etag" is what is in force; "etag_of": whose word that is.
json::object object_of(const BucketParts& parts, const ns::BucketInfo& bucket) {
  const s3::BucketSettingsPtr settings = parts.settings->find(bucket.name);
  const bool own = settings && settings->root == bucket.root && settings->etag;
  return {{"name", bucket.name},
          {"created", bucket.created_ns / kNsPerSecond},
          {"etag", s3::to_string(own ? *settings->etag : parts.etag)},
          {"etag_of", own ? "bucket" : "server"}};
}

Task<std::string> list(const std::function<BucketParts()>& parts) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(const std::vector<ns::BucketInfo> buckets, co_await p.ns->list_buckets());
  json::array all;
  for (const ns::BucketInfo& bucket : buckets) {
    all.push_back(object_of(p, bucket));
  }
  co_return json::serialize(json::object{{"buckets", std::move(all)}}) + "\n";
}

/// {"etag": "fast"}; null: as the server says. Gives the text, empty for null.
Result<std::string> parse_change(const std::string& text) {
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  const json::object* const o = ec ? nullptr : value.if_object();
  const json::value* const etag = o != nullptr && o->size() == 1 ? o->if_contains("etag") : nullptr;
  if (etag != nullptr && etag->is_null()) {
    return std::string();
  }
  if (etag != nullptr && etag->is_string()) {
    const json::string& kind = etag->get_string();
    std::string out(kind.data(), kind.size());
    if (s3::parse_etag_kind(out)) {
      return out;
    }
  }
  return fail(Errc::invalid_argument, R"(expected {"etag": "md5"}, "fast" or null)");
}

/// Under the lock that S3 changes settings under.
Task<std::string> change(const std::function<BucketParts()>& parts,
                         std::string name,
                         std::string text) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(std::string kind, parse_change(text));
  const access::AccessTable::Held held = co_await p.access->lock();
  const auto bucket = co_await p.ns->get_bucket(name);
  if (!bucket && bucket.error().code() == Errc::no_such_bucket) {
    co_return fail(Errc::not_found, "there is no bucket " + name);
  }
  CO_TRYV(bucket);
  const s3::BucketSettingsPtr there = p.settings->find(name);
  s3::BucketSettings next{.bucket = name, .root = bucket->root};
  if (there && there->root == bucket->root) {
    next = *there;
  }
  if (next.unreadable) {
    co_return fail(Errc::conflict,
                   "the settings record of the bucket is damaged: put or delete one of its S3 "
                   "settings first, which begins anew");
  }
  if (kind.empty()) {
    s3::erase_document(next, Setting::etag);
  } else if (!s3::set_document(next, Setting::etag, std::move(kind))) {
    co_return fail(Errc::invalid_argument, "neither md5 nor fast");
  }
  CO_TRYV(co_await p.settings->put(held, std::move(next)));
  co_return json::serialize(object_of(p, *bucket)) + "\n";
}

}  // namespace

admin::BucketSource bucket_source(std::function<BucketParts()> parts) {
  const auto shared = std::make_shared<const std::function<BucketParts()>>(std::move(parts));
  return {.list = [shared] { return list(*shared); },
          .change =
              [shared](std::string name, std::string text) {
                return change(*shared, std::move(name), std::move(text));
              }};
}

}  // namespace outcrop::server
