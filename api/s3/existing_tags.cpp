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
  context.set_existing_tags(std::nullopt);
  if (key.empty() || key.size() > ns::kMaxKeyBytes || !asks_for_existing_tags(asker, bucket)) {
    co_return Outcome<>{};
  }
  auto info = co_await ns.stat(bucket, key, version_id.value_or(""));
  if (info) {
    context.set_existing_tags(std::move(info->attributes.tags));
  } else if (is_absence(info.error().code())) {
    context.set_existing_tags(ns::StringPairs{});
  } else {
    co_return std::unexpected(S3Error(info.error()));
  }
  co_return Outcome<>{};
}

Outcome<> confirm_existing_tags(const Call& call, const ns::ObjectInfo& info) {
  const auto& known = call.context.existing_tags();
  if (!known || *known == info.attributes.tags) {
    return {};
  }
  call.context.set_existing_tags(info.attributes.tags);
  S3_TRYV(authorize_now(call.asker, call.op, call.target));
  return {};
}

}  // namespace outcrop::s3
