// Bucket policies and PublicAccessBlock: put, get, delete, status. A change is durable and in force
// on every worker before it is answered.
#include "api/s3/call.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_in.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

using access::BucketAccess;

/// Unless the client insists, nobody may take the right to change the policy from himself.
Outcome<> check_own_access(const Call& call, const BucketAccess& next) {
  static const policy::Action put = policy::find_action("s3:PutBucketPolicy").value();
  const bool insists =
      same_text(call.header("x-amz-confirm-remove-self-bucket-access").value_or(""), "true");
  if (!insists && !would_allow(call.asker, put, call.bucket(), next)) {
    return fail(Code::access_denied,
                "The policy would take from you the right to change it. Say that you mean it with "
                "x-amz-confirm-remove-self-bucket-access: true.");
  }
  return {};
}

/// Whom the policy names is kept by id: it goes on meaning them under another name, and nobody who
/// has their name later.
Outcome<> keep_by_ids(const Call& call, BucketAccess& next) {
  if (call.config.accounts == nullptr) {
    return {};
  }
  auto text = call.config.accounts->with_ids(next.policy_text);
  if (!text) {
    return fail(Code::malformed_policy, std::move(text).error());
  }
  if (const auto kept = set_policy(next, *std::move(text)); !kept) {
    return fail(Code::malformed_policy, kept.error());
  }
  return {};
}

Async<Outcome<http::Response>> store(Call& call,
                                     const access::AccessTable::Held& held,
                                     BucketAccess next,
                                     int status) {
  S3_CO_TRYV(co_await call.access.put(held, std::move(next)));
  co_return empty_response(status);
}

}  // namespace

Async<Outcome<BucketAccess>> current_access(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  S3_CO_TRYV(confirm_owner(call));
  const access::BucketAccessPtr old = call.asker.access.find(call.bucket());
  BucketAccess out;
  out.bucket = bucket.name;
  out.root = bucket.root;
  if (!old) {
    co_return out;
  }
  out.block = old->block;
  out.block_set = old->block_set;
  out.account = old->account;
  out.owner = old->owner;
  out.ownership = old->ownership;
  out.ownership_chosen = old->ownership_chosen;
  out.acl = old->acl;
  out.policy_text = old->policy_text;
  if (old->policy && !set_policy(out, old->policy_text, policy::Origin::store)) {
    co_return fail(Code::internal_error);
  }
  co_return out;
}

Answer put_bucket_policy(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  if (const auto compiled = set_policy(next, text); !compiled) {
    co_return fail(Code::malformed_policy, compiled.error());
  }
  S3_CO_TRYV(keep_by_ids(call, next));
  if (next.is_public && call.access.block_of(&next).block_public_policy) {
    S3Error error(Code::access_denied,
                  "The policy is public, and the bucket's public access block refuses public "
                  "policies (BlockPublicPolicy).");
    error.why = {.reason = policy::Reason::public_access_block};
    co_return std::unexpected(std::move(error));
  }
  S3_CO_TRYV(check_own_access(call, next));
  co_return co_await store(call, held, std::move(next), 204);
}

Answer get_bucket_policy(Call& call) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  if (access && access->damaged) {
    S3Error error(Code::internal_error);
    error.log_detail = "the record of the bucket's policy is damaged";
    co_return std::unexpected(std::move(error));
  }
  if (!access || access->policy_text.empty()) {
    co_return fail(Code::no_such_bucket_policy, {}, {{"BucketName", call.bucket()}});
  }
  http::Response response;
  response.set("Content-Type", "application/json");
  response.body = call.config.accounts != nullptr
                      ? call.config.accounts->with_arns(access->policy_text)
                      : access->policy_text;
  co_return response;
}

Answer delete_bucket_policy(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  next.policy_text.clear();
  next.policy.reset();
  next.is_public = false;
  co_return co_await store(call, held, std::move(next), 204);
}

Answer get_bucket_policy_status(Call& call) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const bool by_policy = access && access->is_public;
  const bool by_acl = access && access->acl && access::is_public(*access->acl) &&
                      access->ownership != access::Ownership::enforced;
  if (!by_acl && (!access || access->policy_text.empty())) {
    co_return fail(Code::no_such_bucket_policy, {}, {{"BucketName", call.bucket()}});
  }
  const bool acl_counts = !call.access.block_of(access.get()).ignore_public_acls;
  XmlWriter xml("PolicyStatus");
  xml.flag("IsPublic", by_policy || (by_acl && acl_counts));
  co_return xml_response(std::move(xml).take());
}

Answer get_public_access_block(Call& call) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const bool own = access && access->block;
  const policy::PublicAccessBlock block = call.access.block_of(access.get());
  if (own ? !access->block_set : block == policy::PublicAccessBlock{}) {
    co_return fail(Code::no_such_public_access_block, {}, {{"BucketName", call.bucket()}});
  }
  XmlWriter xml("PublicAccessBlockConfiguration");
  xml.flag("BlockPublicAcls", block.block_public_acls);
  xml.flag("IgnorePublicAcls", block.ignore_public_acls);
  xml.flag("BlockPublicPolicy", block.block_public_policy);
  xml.flag("RestrictPublicBuckets", block.restrict_public_buckets);
  co_return xml_response(std::move(xml).take());
}

Answer put_public_access_block(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const policy::PublicAccessBlock block, parse_public_access_block(std::move(text)));
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  next.block = block;
  next.block_set = true;
  co_return co_await store(call, held, std::move(next), 200);
}

Answer delete_public_access_block(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  next.block = policy::PublicAccessBlock{};
  next.block_set = false;
  co_return co_await store(call, held, std::move(next), 204);
}

}  // namespace outcrop::s3
