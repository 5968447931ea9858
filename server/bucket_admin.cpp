#include "server/bucket_admin.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

#include "server/quota_json.h"

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
json::object object_of(const BucketParts& parts,
                       const ns::BucketInfo& bucket,
                       const ns::BucketUsage& usage) {
  const s3::BucketSettingsPtr settings = parts.settings->find(bucket.name);
  const access::BucketAccessPtr access = parts.access->find(bucket.name);
  const bool own = settings && settings->root == bucket.root && settings->etag;
  json::object out{{"name", bucket.name},
                   {"created", bucket.created_ns / kNsPerSecond},
                   {"etag", s3::to_string(own ? *settings->etag : parts.etag)},
                   {"etag_of", own ? "bucket" : "server"},
                   {"account", std::string(access::owner_account(access.get()))},
                   {"quota", quota_json(usage.limits)}};
  out.emplace("usage", usage_json(usage));
  return out;
}

Task<std::string> list(const std::function<BucketParts()>& parts) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(const std::vector<ns::BucketInfo> buckets, co_await p.ns->list_buckets());
  CO_TRY(const std::vector<ns::BucketUsage> usage, co_await p.ns->list_usage());
  json::array all;
  auto at = usage.begin();  // both by name
  for (const ns::BucketInfo& bucket : buckets) {
    at = std::ranges::lower_bound(at, usage.end(), bucket.name, {}, &ns::BucketUsage::name);
    if (at != usage.end() && at->name == bucket.name) {
      all.push_back(object_of(p, bucket, *at));
    }
  }
  co_return json::serialize(json::object{{"buckets", std::move(all)}}) + "\n";
}

Result<ns::BucketInfo> known(Result<ns::BucketInfo> bucket, const std::string& name) {
  if (!bucket && bucket.error().code() == Errc::no_such_bucket) {
    return fail(Errc::not_found, "there is no bucket " + name);
  }
  return bucket;
}

Task<std::string> show(const std::function<BucketParts()>& parts, std::string name) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(const ns::BucketInfo bucket, known(co_await p.ns->get_bucket(name), name));
  CO_TRY(const ns::BucketUsage usage, co_await p.ns->get_usage(name));
  co_return json::serialize(object_of(p, bucket, usage)) + "\n";
}

Task<std::vector<admin::UsageSample>> samples(const std::function<BucketParts()>& parts) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(const std::vector<ns::BucketUsage> usage, co_await p.ns->list_usage());
  std::vector<admin::UsageSample> out;
  for (const ns::BucketUsage& bucket : usage) {
    if (auto sample = usage_sample(bucket.name, bucket)) {
      out.push_back(*std::move(sample));
    }
  }
  co_return out;
}

struct Change {
  std::optional<std::string> etag{};  ///< empty text: as the server says
  std::optional<ns::QuotaLimits> quota{};
};

/// {"etag": "fast"}; null: as the server says.
Result<std::string> parse_etag(const json::value& etag) {
  if (etag.is_null()) {
    return std::string();
  }
  if (etag.is_string()) {
    const json::string& kind = etag.get_string();
    std::string out(kind.data(), kind.size());
    if (s3::parse_etag_kind(out)) {
      return out;
    }
  }
  return fail(Errc::invalid_argument, R"("etag": expected "md5", "fast" or null)");
}

Result<Change> parse_change(const std::string& text) {
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  const json::object* const o = ec ? nullptr : value.if_object();
  Change out;
  std::size_t known = 0;
  if (const json::value* etag = o != nullptr ? o->if_contains("etag") : nullptr) {
    TRY(out.etag, parse_etag(*etag));
    ++known;
  }
  if (const json::value* quota = o != nullptr ? o->if_contains("quota") : nullptr) {
    TRY(out.quota, parse_quota(*quota));
    ++known;
  }
  if (o == nullptr || known == 0 || o->size() != known) {
    return fail(Errc::invalid_argument, R"(expected an object with "etag", "quota" or both)");
  }
  return out;
}

/// Under the lock that S3 changes settings under.
Task<> change_etag(const BucketParts& p, const ns::BucketInfo& bucket, std::string kind) {
  const access::AccessTable::Held held = co_await p.access->lock();
  const s3::BucketSettingsPtr there = p.settings->find(bucket.name);
  s3::BucketSettings next{.bucket = bucket.name, .root = bucket.root};
  if (there && there->root == bucket.root) {
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
  co_return co_await p.settings->put(held, std::move(next));
}

Task<std::string> change(const std::function<BucketParts()>& parts,
                         std::string name,
                         std::string text) {
  CO_TRY(const BucketParts p, opened(parts));
  CO_TRY(Change wanted, parse_change(text));
  CO_TRY(const ns::BucketInfo bucket, known(co_await p.ns->get_bucket(name), name));
  if (wanted.etag) {
    CO_TRYV(co_await change_etag(p, bucket, *std::move(wanted.etag)));
  }
  if (wanted.quota) {
    CO_TRYV(co_await p.ns->put_limits(name, *wanted.quota));
  }
  co_return co_await show(parts, std::move(name));
}

}  // namespace

admin::BucketSource bucket_source(std::function<BucketParts()> parts) {
  const auto shared = std::make_shared<const std::function<BucketParts()>>(std::move(parts));
  return {.list = [shared] { return list(*shared); },
          .show = [shared](std::string name) { return show(*shared, std::move(name)); },
          .change =
              [shared](std::string name, std::string text) {
                return change(*shared, std::move(name), std::move(text));
              },
          .samples = [shared] { return samples(*shared); }};
}

}  // namespace outcrop::server
