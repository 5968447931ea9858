#include "api/s3/copy_source.h"

#include "api/s3/existing_tags.h"
#include "api/s3/payload.h"
#include "auth/target.h"

namespace outcrop::s3 {
namespace {

policy::Action get_action() {
  static const policy::Action get = policy::find_action("s3:GetObject").value();
  return get;
}

}  // namespace

Async<Outcome<SourceObject>> copy_source_of(Call& call) {
  const std::string_view text = call.header("x-amz-copy-source").value_or("");
  auto split = auth::split_copy_source(text);
  if (!split) {
    co_return bad_argument(
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        "x-amz-copy-source", std::string(text));
  }
  if (split->key.size() > ns::kMaxKeyBytes) {
    co_return fail(Code::key_too_long);
  }
  S3_CO_TRYV(version_asked(split->version_id));
  SourceObject source{std::move(split->bucket), std::move(split->key),
                      conditions_of(call, kCopySourceConditions), std::move(split->version_id)};
  S3_CO_TRYV(co_await learn_existing_tags(call.asker, call.context, call.ns, source.bucket,
                                          source.key, source.version));
  source.tags = call.context.existing_tags();
  source.acl = call.context.object_acl();
  S3_CO_TRYV(authorize_source(call, source, get_action()));
  co_return source;
}

Outcome<> authorize_source(const Call& call, const SourceObject& source, policy::Action action) {
  call.context.set_version(source.version);
  call.context.set_existing_tags(source.tags);
  call.context.set_object_acl(source.acl);
  call.context.set_resource_account(access::owner_account(call.access.find(source.bucket).get()));
  auto granted =
      authorize(call.asker, source.version ? versioned(action) : action, source.bucket, source.key);
  call.context.set_version(std::nullopt);  // of nothing but the source
  forget_object(call.context);
  call.context.set_resource_account(std::nullopt);
  S3_TRYV(std::move(granted));
  return {};
}

Async<Outcome<std::unique_ptr<ns::ObjectReader>>> open_source(const Call& call,
                                                              SourceObject& source) {
  auto opened = co_await call.ns.open_read(source.bucket, source.key, source.version.value_or(""));
  if (!opened) {
    co_return std::unexpected(source_error(call, source, S3Error(opened.error())));
  }
  const ns::ObjectAttributes& has = (*opened)->info().attributes;
  const bool acls = has_object_acls(call.asker, source.bucket);
  if ((source.tags && *source.tags != has.tags) || (acls && source.acl != has.acl)) {
    source.tags = source.tags ? ns::ExpectedTags(has.tags) : std::nullopt;
    source.acl = acls ? std::optional(has.acl) : std::nullopt;
    S3_CO_TRYV(authorize_source(call, source, get_action()));
  }
  co_return *std::move(opened);
}

S3Error source_error(const Call& call, const SourceObject& source, S3Error error) {
  static const policy::Action list = policy::find_action("s3:ListBucket").value();
  if (error.code == Code::method_not_allowed) {
    return S3Error(Code::invalid_request,
                   "The source of a copy request may not specifically refer to a delete marker by "
                   "version id.");
  }
  if (error.code != Code::no_such_key && error.code != Code::no_such_version) {
    return error;
  }
  auto listed = authorize(call.asker, list, source.bucket, {});
  return listed ? std::move(error) : std::move(listed).error();
}

Outcome<> check_copy_source(const ns::Conditions& conditions, const ns::ObjectInfo& info) {
  auto checked = check_read(conditions, info);
  if (!checked && checked.error().code == Code::not_modified) {
    return fail(Code::precondition_failed);
  }
  return checked;
}

Async<Outcome<>> read_through(ns::ObjectReader& source,
                              ns::ObjectWriter* writer,
                              digest::Digest& sum,
                              digest::Digest& md5) {
  for (;;) {
    S3_CO_TRY(const std::vector<Buffer> slices, co_await source.next());
    if (slices.empty()) {
      co_return Outcome<>{};
    }
    for (const Buffer& slice : slices) {
      sum.update(slice.view());
      md5.update(slice.view());
      if (writer != nullptr) {
        S3_CO_TRYV(co_await append(*writer, slice.view()));
      }
    }
  }
}

}  // namespace outcrop::s3
