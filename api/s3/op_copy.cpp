// CopyObject: by reference, or through the reader if the copy gets a checksum the source has not.
#include <algorithm>

#include "api/s3/call.h"
#include "api/s3/copy_source.h"
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
  S3_TRY(plan.algorithm, named_algorithm(call.header("x-amz-checksum-algorithm")));
  if (replace) {
    S3_TRY(plan.replace, attributes_of(call));
  }
  const bool itself = plan.source.bucket == call.bucket() && plan.source.key == call.key();
  if (itself && plan.source.version.empty() && !replace && plan.algorithm == Algorithm::none) {
    return fail(Code::invalid_request,
                "This copy request is illegal because it is trying to copy an object to itself "
                "without changing the object's metadata, storage class, website redirect location "
                "or encryption attributes.");
  }
  return plan;
}

/// Tags that come along are read there and written here.
Outcome<> authorize_tag_copy(const Call& call, const SourceObject& source) {
  static const policy::Action get = policy::find_action("s3:GetObjectTagging").value();
  static const policy::Action put = policy::find_action("s3:PutObjectTagging").value();
  const bool named = !source.version.empty();
  call.context.set_version(named ? std::optional(source.version) : std::nullopt);
  auto granted = authorize(call.asker, named ? versioned(get) : get, source.bucket, source.key);
  call.context.set_version(std::nullopt);  // of nothing but the source
  S3_TRYV(std::move(granted));
  S3_TRYV(authorize(call.asker, put, call.bucket(), call.key()));
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
  put.attributes.tags = plan.tags ? *std::move(plan.tags) : from.attributes.tags;
  put.etag = digest::to_hex(as_bytes(md5.value()));
  put.checksum = {plan.algorithm, digest::ChecksumType::full_object, sum.value()};
  put.conditions = std::move(plan.conditions);
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

}  // namespace

Answer copy_object(Call& call) {
  S3_CO_TRY(SourceObject source, co_await copy_source_of(call));
  S3_CO_TRY(CopyPlan plan, plan_copy(call, std::move(source)));
  auto opened =
      co_await call.ns.open_read(plan.source.bucket, plan.source.key, plan.source.version);
  if (!opened) {
    co_return std::unexpected(source_error(call, plan.source, S3Error(opened.error())));
  }
  auto reader = *std::move(opened);
  S3_CO_TRYV(check_copy_size(reader->info().size));
  const std::string source_version = reader->info().version_id;
  if (!plan.tags && !reader->info().attributes.tags.empty()) {
    S3_CO_TRYV(authorize_tag_copy(call, plan.source));
  }
  if (plan.algorithm != Algorithm::none && plan.algorithm != reader->info().checksum.algorithm) {
    S3_CO_TRYV(check_copy_source(plan.source.conditions, reader->info()));
    S3_CO_TRY(const ns::ObjectInfo info, co_await copy_bytes(call, plan, std::move(reader)));
    co_return copy_response(call, info, source_version);
  }
  reader.reset();
  ns::CopyRequest copy{plan.source.bucket, plan.source.key, plan.source.conditions,
                       std::move(plan.conditions), std::move(plan.replace)};
  copy.tags = std::move(plan.tags);
  if (copy.replace) {
    copy.file = file_fields_of(call, *copy.replace);
  }
  // The version that was looked at, if it has an id: it may not be the current one any more.
  copy.source_version = source_version;
  S3_CO_TRY(const ns::ObjectInfo info,
            co_await call.ns.copy(call.bucket(), call.key(), std::move(copy)));
  co_return copy_response(call, info, source_version);
}

}  // namespace outcrop::s3
