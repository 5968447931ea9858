// Buckets: list, create, head, delete, location.
#include <algorithm>

#include "api/s3/acl.h"
#include "api/s3/bucket_name.h"
#include "api/s3/call.h"
#include "api/s3/list_token.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/rgw.h"
#include "api/s3/xml_in.h"
#include "api/s3/xml_out.h"
#include "auth/identity/identity.h"

namespace outcrop::s3 {
namespace {

constexpr std::uint64_t kMaxBucketsPage = 10'000;
constexpr std::size_t kMaxRegionBytes = 63;
constexpr std::string_view kDefaultRegion = "us-east-1";  ///< AWS's name for "no constraint"

std::string_view region_of(const Call& call, const ns::BucketInfo& bucket) {
  return bucket.region.empty() ? std::string_view(call.config.region) : bucket.region;
}

/// Any region a client is configured for is recorded and given back; the box is where it is.
Outcome<std::string> region_asked(const Call& call, std::string constraint) {
  const auto part_of_region = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (constraint.size() > kMaxRegionBytes || !std::ranges::all_of(constraint, part_of_region)) {
    return fail(Code::invalid_location_constraint, {}, {{"LocationConstraint", constraint}});
  }
  return constraint == call.config.region ? std::string() : constraint;
}

/// The name is taken, by the caller or by somebody else.
S3Error creation_error(const Call& call, const Error& error) {
  S3Error out(error);
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  if (error.code() == Errc::bucket_exists &&
      call.asker.owner_of(access.get()) != call.asker.canonical_id()) {
    out.code = Code::bucket_already_exists;
  }
  return out;
}

/// Whose the new bucket is, and who else may use it; nothing is kept of what every bucket has.
Outcome<access::BucketAccess> access_of_new(const Call& call) {
  const AclSubject subject = new_subject(call);
  access::BucketAccess out;
  S3_TRY(out.acl, acl_of_headers(call, subject));
  if (out.acl && *out.acl == access::private_acl(subject.owner)) {
    out.acl.reset();
  }
  out.ownership = subject.ownership;
  out.ownership_chosen = subject.ownership_chosen;
  if (subject.owner != call.config.owner_id) {
    out.owner = subject.owner;
    out.account = call.auth.principal.identity->account;
  }
  return out;
}

/// Of an account beside the first: what it has, every request looks into, so it has a bound.
Outcome<> check_account(const Call& call, const access::BucketAccess& made) {
  if (made.owner.empty()) {
    return {};
  }
  // Accounts are removed under the lock, too: this one may be gone meanwhile.
  if (call.config.accounts != nullptr && !call.config.accounts->find_canonical(made.owner)) {
    return fail(Code::access_denied);
  }
  const auto all = call.access.snapshot();
  const auto has = std::ranges::count_if(
      *all, [&](const auto& entry) { return entry.second->owner == made.owner; });
  return static_cast<std::size_t>(has) < kMaxAccountBuckets ? Outcome<>()
                                                            : fail(Code::too_many_buckets);
}

/// What the request says that the bucket is not.
bool differs(const Call& call,
             std::string_view region,
             const ns::BucketInfo& bucket,
             access::Ownership ownership) {
  const std::string_view asked = call.header("x-amz-object-ownership").value_or("");
  return bucket.region != region || (enables_lock(call.context) && !bucket.lock.enabled) ||
         (!asked.empty() && access::parse_ownership(asked) != ownership);
}

/// One's own bucket once more. AWS refuses that everywhere but in us-east-1, where the bucket stays
/// as it is and gets the ACL of the request, or a private one. To who changes it by that the bucket
/// must allow it.
Async<Outcome<>> make_again(Call& call,
                            const access::AccessTable::Held& held,
                            std::string_view region,
                            S3Error refusal) {
  if (refusal.code != Code::bucket_already_owned_by_you || call.config.region != kDefaultRegion) {
    co_return std::unexpected(std::move(refusal));
  }
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const access::Ownership ownership = access ? access->ownership : access::Ownership::enforced;
  if (!region.empty() || differs(call, region, bucket, ownership)) {
    co_return std::unexpected(std::move(refusal));
  }
  const std::string owner(call.asker.owner_of(access.get()));
  S3_CO_TRY(
      auto acl,
      acl_of_headers(call, {.owner = owner,
                            .bucket_owner = owner,
                            .ownership = ownership,
                            .block_public = call.access.block_of(access.get()).block_public_acls}));
  const access::Acl has = acl_of_bucket(call.asker, access.get());
  if (ownership == access::Ownership::enforced || has == acl.value_or(access::private_acl(owner))) {
    co_return Outcome<>{};
  }
  if (call.rgw()) {
    co_return fail(Code::bucket_already_exists);
  }
  static const policy::Action put_acl = policy::find_action("s3:PutBucketAcl").value();
  S3_CO_TRYV(authorize(call.asker, put_acl, call.bucket(), {}));
  S3_CO_TRY(access::BucketAccess next, co_await current_access(call));
  next.acl = std::move(acl);
  S3_CO_TRYV(co_await call.access.put(held, std::move(next)));
  co_return Outcome<>{};
}

/// Under the lock of the access table, which who changes a bucket takes, too (confirm_owner):
/// between the two commits the bucket seems to be the first account's.
Async<Outcome<>> make_bucket(Call& call, std::string_view region, access::BucketAccess access) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRYV(check_account(call, access));
  const auto made =
      co_await call.ns.create_bucket(call.bucket(), region, enables_lock(call.context));
  if (!made) {
    co_return co_await make_again(call, held, region, creation_error(call, made.error()));
  }
  access.bucket = made->name;
  access.root = made->root;
  if (access.empty()) {
    co_return Outcome<>{};
  }
  const auto put = co_await call.access.put(held, std::move(access));
  if (!put) {
    std::ignore = co_await call.ns.delete_bucket(call.bucket());
    co_return std::unexpected(S3Error(put.error()));
  }
  co_return Outcome<>{};
}

/// Who owns the buckets that a caller is shown; the server's root user is shown all.
bool shown(const Call& call, const ns::BucketInfo& bucket) {
  const access::BucketAccessPtr access = call.access.find(bucket.name);
  return call.auth.principal.root || call.asker.owner_of(access.get()) == call.asker.canonical_id();
}

}  // namespace

Answer list_buckets(Call& call) {
  S3_CO_TRY(const std::uint64_t most,
            number_argument("max-buckets", call.query("max-buckets"), kMaxBucketsPage));
  if (most < 1 || most > kMaxBucketsPage) {
    co_return bad_argument("Argument max-buckets must be an integer between 1 and 10000",
                           "max-buckets", std::to_string(most));
  }
  S3_CO_TRY(const std::string after, decode_token(call.query_or("continuation-token", "")));
  const std::string_view prefix = call.query_or("prefix", "");
  const std::string_view region = call.query_or("bucket-region", "");
  S3_CO_TRY(const std::vector<ns::BucketInfo> buckets, co_await call.ns.list_buckets());
  XmlWriter xml("ListAllMyBucketsResult");
  People{call.config}.write(xml, "Owner", call.asker.canonical_id());
  xml.open("Buckets");
  std::uint64_t count = 0;
  std::string last;
  bool truncated = false;
  for (const ns::BucketInfo& bucket : buckets) {
    if (!bucket.name.starts_with(prefix) || bucket.name <= after ||
        (!region.empty() && region_of(call, bucket) != region) || !shown(call, bucket)) {
      continue;
    }
    if (count == most) {
      truncated = true;
      break;
    }
    xml.open("Bucket").text("Name", bucket.name);
    xml.text("CreationDate", format_iso_date(bucket.created_ns));
    xml.text("BucketRegion", region_of(call, bucket)).close();
    last = bucket.name;
    ++count;
  }
  xml.close();
  if (call.query("prefix")) {
    xml.text("Prefix", prefix);
  }
  if (truncated) {
    xml.text("ContinuationToken", encode_token(last));
  }
  co_return xml_response(std::move(xml).take());
}

Answer create_bucket(Call& call) {
  S3_CO_TRY(std::string document, co_await receive_document(call));
  S3_CO_TRY(std::string constraint, parse_create_bucket(std::move(document)));
  if (!constraint.empty()) {
    call.context.set_location(constraint);
  }
  S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  if (!valid_bucket_name(call.bucket())) {
    co_return fail(Code::invalid_bucket_name);
  }
  S3_CO_TRY(const std::string region, region_asked(call, constraint));
  S3_CO_TRY(access::BucketAccess access, access_of_new(call));
  S3_CO_TRYV(co_await make_bucket(call, region, std::move(access)));
  http::Response response = empty_response(200);
  response.set("Location", "/" + call.bucket());
  co_return response;
}

Answer head_bucket(Call& call) {
  auto bucket = co_await call.ns.get_bucket(call.bucket());
  if (!bucket) {
    S3Error error(bucket.error());
    error.headers.emplace_back("x-amz-bucket-region", call.config.region);
    co_return std::unexpected(std::move(error));
  }
  http::Response response = empty_response(200);
  response.set("x-amz-bucket-region", std::string(region_of(call, *bucket)));
  response.set("x-amz-access-point-alias", "false");
  response.set("Content-Type", "application/xml");
  if (call.rgw() && call.query("read-stats") == "true") {
    S3_CO_TRYV(co_await rgw::add_stats(call.ns, call.bucket(), response));
  }
  co_return response;
}

Answer delete_bucket(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRYV(confirm_owner(call));
  S3_CO_TRYV(co_await call.ns.delete_bucket(call.bucket()));
  // Both, whatever becomes of the first: a bucket that gets the name next has none of them.
  const auto access_forgotten = co_await call.access.forget(held, call.bucket());
  const auto settings_forgotten = co_await call.settings.forget(held, call.bucket());
  S3_CO_TRYV(access_forgotten);
  S3_CO_TRYV(settings_forgotten);
  co_return empty_response(204);
}

Answer get_bucket_location(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  const std::string_view region = region_of(call, bucket);
  XmlWriter xml("LocationConstraint");
  xml.content(region == kDefaultRegion ? std::string_view{} : region);
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
