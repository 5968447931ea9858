#include "api/s3/existing_tags.h"

#include "api/s3/call.h"

namespace outcrop::s3 {

namespace {

/// There is no such version, or no id is like this: what comes of it is said later.
bool is_absence(Errc code) {
  switch (code) {
    case Errc::no_such_bucket:
    case Errc::no_such_key:
    case Errc::key_deleted:
    case Errc::no_such_version:
    case Errc::delete_marker:
    case Errc::invalid_argument:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool has_existing_tags(OpId op) {
  switch (op) {
    case OpId::get_object:
    case OpId::head_object:
    case OpId::get_object_attributes:
    case OpId::get_object_acl:
    case OpId::get_object_tagging:
    case OpId::put_object_acl:
    case OpId::put_object_tagging:
    case OpId::delete_object_tagging:
      return true;
    default:
      return false;
  }
}

Async<Outcome<>> learn_existing_tags(const Asker& asker,
                                     RequestContext& context,
                                     ns::Namespace& ns,
                                     std::string_view bucket,
                                     std::string_view key,
                                     std::optional<std::string_view> version_id) {
  forget_object(context);
  const bool tags = asks_for_existing_tags(asker, bucket);
  const bool acl = has_object_acls(asker, bucket);
  if (key.empty() || key.size() > ns::kMaxKeyBytes || (!tags && !acl)) {
    co_return Outcome<>{};
  }
  auto info = co_await ns.stat(bucket, key, version_id.value_or(""));
  if (info) {
    if (tags) {
      context.set_existing_tags(std::move(info->attributes.tags));
    }
    if (acl) {
      context.set_object_acl(std::move(info->attributes.acl));
    }
  } else if (is_absence(info.error().code())) {
    if (tags) {
      context.set_existing_tags(ns::StringPairs{});
    }
  } else {
    co_return std::unexpected(S3Error(info.error()));
  }
  co_return Outcome<>{};
}

void forget_object(RequestContext& context) {
  context.set_existing_tags(std::nullopt);
  context.set_object_acl(std::nullopt);
}

Outcome<> confirm_existing_tags(const Call& call, const ns::ObjectInfo& info) {
  const auto& tags = call.context.existing_tags();
  const auto& acl = call.context.object_acl();
  const bool same_tags = !tags || *tags == info.attributes.tags;
  const bool same_acl =
      acl ? *acl == info.attributes.acl : !has_object_acls(call.asker, call.bucket());
  if (same_tags && same_acl) {
    return {};
  }
  if (tags) {
    call.context.set_existing_tags(info.attributes.tags);
  }
  call.context.set_object_acl(info.attributes.acl);
  S3_TRYV(authorize_now(call.asker, call.op, call.target));
  return {};
}

}  // namespace outcrop::s3
