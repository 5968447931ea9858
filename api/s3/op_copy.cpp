// CopyObject: by reference, or through the reader if the copy gets a checksum the source has not.
#include <algorithm>

#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/copy_source.h"
#include "api/s3/existing_tags.h"
#include "api/s3/object_lock.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/tags.h"
#include "api/s3/xml_out.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

using digest::Algorithm;

/// COPY or REPLACE; true for REPLACE.
Outcome<bool> replaces(const Call& call, std::string_view header) {
  const auto text = call.header(header);
  if (!text || *text == "COPY") {
    return false;
  }
  if (*text != "REPLACE") {
    return bad_argument("Unknown metadata directive.", std::string(header), std::string(*text));
  }
  return true;
}

/// A source is larger than one CopyObject may copy.
Outcome<> check_copy_size(std::uint64_t size) {
  if (size > kMaxPutBytes) {
    return fail(Code::invalid_request,
                "The specified copy source is larger than the maximum allowable size for a copy "
                "source: " +
                    std::to_string(kMaxPutBytes));
  }
  return {};
}

struct CopyPlan {
  SourceObject source;
  ns::Conditions conditions;
  std::optional<ns::ObjectAttributes> replace;
  std::optional<ns::StringPairs> tags;    ///< empty: the source's
  std::string acl;                        ///< of the copy: the source's is not copied
  ns::ObjectLock lock;                    ///< the same
  Algorithm algorithm = Algorithm::none;  ///< asked for
};

Outcome<CopyPlan> plan_copy(const Call& call, SourceObject source) {
  CopyPlan plan;
  plan.source = std::move(source);
  S3_TRY(plan.conditions, write_conditions(call));
  S3_TRY(const bool replace, replaces(call, "x-amz-metadata-directive"));
  S3_TRY(const bool retag, replaces(call, "x-amz-tagging-directive"));
  if (retag) {
    S3_TRY(plan.tags, parse_tagging_header(call.header("x-amz-tagging").value_or("")));
  }
  S3_TRY(plan.acl, new_object_acl(call));
  S3_TRY(plan.algorithm, named_algorithm(call.header("x-amz-checksum-algorithm")));
  if (replace) {
    S3_TRY(plan.replace, attributes_of(call));
  }
  const bool itself = plan.source.bucket == call.bucket() && plan.source.key == call.key();
  if (itself && !plan.source.version && !replace && plan.algorithm == Algorithm::none) {
    return fail(Code::invalid_request,
                "This copy request is illegal because it is trying to copy an object to itself "
                "without changing the object's metadata, storage class, website redirect location "
                "or encryption attributes.");
  }
  return plan;
}

/// Tags that come along are read there and written here, and are what a policy for the copy's tags
/// is about.
Outcome<> authorize_tag_copy(const Call& call, SourceObject source, const ns::StringPairs& tags) {
  static const policy::Action get = policy::find_action("s3:GetObjectTagging").value();
  static const policy::Action tag = policy::find_action("s3:PutObjectTagging").value();
  source.tags = tags;
  S3_TRYV(authorize_source(call, source, get));
  call.context.set_request_tags(tags);
  S3_TRYV(authorize(call.asker, tag, call.bucket(), call.key()));
  S3_TRYV(authorize_now(call.asker, call.op, call.target));
  return {};
}

/// Reads the source and writes it anew, with a checksum in the algorithm that was asked for.
Async<Outcome<ns::ObjectInfo>> copy_bytes(Call& call,
                                          CopyPlan& plan,
                                          std::unique_ptr<ns::ObjectReader> reader) {
  const ns::ObjectInfo& from = reader->info();
  S3_CO_TRY(auto writer, co_await call.ns.open_write(call.bucket(), call.key(), from.size));
  digest::Digest sum(plan.algorithm);
  digest::Digest md5(Algorithm::md5);
  for (;;) {
    S3_CO_TRY(const std::vector<Buffer> slices, co_await reader->next());
    if (slices.empty()) {
      break;
    }
    for (const Buffer& slice : slices) {
      sum.update(slice.view());
      md5.update(slice.view());
      S3_CO_TRYV(co_await append(*writer, slice.view()));
    }
  }
  ns::PutRequest put;
  put.file = from.file.value_or(ns::FileFields{});
  put.attributes = from.attributes;
  if (plan.replace) {
    put.attributes = *std::move(plan.replace);
    put.file = file_fields_of(call, put.attributes);
  }
  put.attributes.acl = std::move(plan.acl);
  put.attributes.lock = plan.lock;
  put.attributes.tags = plan.tags ? *std::move(plan.tags) : from.attributes.tags;
  put.etag = digest::to_hex(as_bytes(md5.value()));
  put.checksum = {plan.algorithm, digest::ChecksumType::full_object, sum.value()};
  put.conditions = std::move(plan.conditions);
  S3_CO_TRYV(confirm_owner(call));
  S3_CO_TRY(ns::ObjectInfo info,
            co_await call.ns.put(call.bucket(), call.key(), std::move(writer), std::move(put)));
  co_return info;
}

http::Response copy_response(const Call& call,
                             const ns::ObjectInfo& info,
                             const std::string& source_version) {
  XmlWriter xml("CopyObjectResult");
  xml.text("LastModified", format_iso_date(info.mtime_ns)).quoted("ETag", info.etag);
  if (info.checksum.algorithm != Algorithm::none) {
    const std::string tag = "Checksum" + std::string(digest::name(info.checksum.algorithm));
    xml.text("ChecksumType", type_name(info.checksum.type));
    xml.text(tag, checksum_text(info.checksum, info.parts.size()));
  }
  http::Response response = xml_response(std::move(xml).take());
  add_version(call, info.version_id, response);
  if (!source_version.empty()) {
    response.set("x-amz-copy-source-version-id", source_version);
  }
  add_expiration(call, info, response);
  return response;
}

/// By reference, on the condition that the source still has the tags that were decided on. The
/// version that was looked at, if it has an id: it may not be the current one any more.
Task<ns::ObjectInfo> copy_reference(Call& call,
                                    const CopyPlan& plan,
                                    ns::StringPairs tags,
                                    std::string version) {
  ns::CopyRequest copy{plan.source.bucket, plan.source.key, plan.source.conditions, plan.conditions,
                       plan.replace};
  copy.tags = plan.tags;
  copy.acl = plan.acl;
  copy.source_acl = plan.source.acl;
  copy.lock = plan.lock;
  copy.source_version = std::move(version);
  if (plan.source.tags || !plan.tags) {
    copy.source_tags = std::move(tags);
  }
  if (copy.replace) {
    copy.file = file_fields_of(call, *copy.replace);
  }
  co_return co_await call.ns.copy(call.bucket(), call.key(), std::move(copy));
}

struct Copied {
  ns::ObjectInfo info;
  std::string source_version;
};

/// The version that was looked at is gone, or has become a delete marker.
bool is_version_lost(Errc code) {
  return code == Errc::no_such_version || code == Errc::delete_marker;
}

/// Empty: the source has got other tags meanwhile, or another version is the current one.
Async<Outcome<std::optional<Copied>>> try_copy(Call& call, CopyPlan& plan) {
  S3_CO_TRY(auto reader, co_await open_source(call, plan.source));
  S3_CO_TRYV(check_copy_size(reader->info().size));
  const ns::StringPairs tags = reader->info().attributes.tags;
  const std::string version = reader->info().version_id;
  if (!plan.tags && !tags.empty()) {
    S3_CO_TRYV(authorize_tag_copy(call, plan.source, tags));
  }
  if (plan.algorithm != Algorithm::none && plan.algorithm != reader->info().checksum.algorithm) {
    S3_CO_TRYV(check_copy_source(plan.source.conditions, reader->info()));
    S3_CO_TRY(ns::ObjectInfo info, co_await copy_bytes(call, plan, std::move(reader)));
    co_return Copied{std::move(info), version};
  }
  reader.reset();
  auto copied = co_await copy_reference(call, plan, tags, version);
  const Errc code = copied ? Errc::internal : copied.error().code();
  const bool lost = !copied && is_version_lost(code);
  if (!copied && (code == Errc::conflict || (lost && !plan.source.version))) {
    co_return std::optional<Copied>();
  }
  if (lost) {
    co_return std::unexpected(source_error(call, plan.source, S3Error(copied.error())));
  }
  S3_CO_TRY(ns::ObjectInfo info, std::move(copied));
  co_return Copied{std::move(info), version};
}

}  // namespace

Answer copy_object(Call& call) {
  S3_CO_TRY(SourceObject source, co_await copy_source_of(call));
  S3_CO_TRY(CopyPlan plan, plan_copy(call, std::move(source)));
  S3_CO_TRY(plan.lock, co_await requested_lock(call));
  for (int attempt = 0; attempt < kMaxTagAttempts; ++attempt) {
    S3_CO_TRY(const auto copied, co_await try_copy(call, plan));
    if (copied) {
      co_return copy_response(call, copied->info, copied->source_version);
    }
  }
  co_return fail(Code::operation_aborted);
}

}  // namespace outcrop::s3
