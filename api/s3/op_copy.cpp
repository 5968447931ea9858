// CopyObject: by reference, or through the reader if the copy gets a checksum the source has not,
// or if one of both is encrypted and the other is not.
#include <algorithm>

#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/copy_source.h"
#include "api/s3/encryption.h"
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
  Sealing sealing;                        ///< of the copy: the source's is its own
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
  if (itself && !plan.source.version && !replace && plan.algorithm == Algorithm::none &&
      !call.encryption) {
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

/// Reads the source and writes it anew, with a checksum in the algorithm that was asked for, or in
/// the source's.
Async<Outcome<ns::ObjectInfo>> copy_bytes(Call& call,
                                          CopyPlan& plan,
                                          std::unique_ptr<ns::ObjectReader> reader) {
  const ns::ObjectInfo& from = reader->info();
  const Algorithm algorithm =
      plan.algorithm == Algorithm::none ? from.checksum.algorithm : plan.algorithm;
  NewSeal seal = new_seal(call, plan.sealing);
  S3_CO_TRY(auto writer,
            co_await call.ns.open_write(call.bucket(), call.key(),
                                        {.size_hint = from.size, .seal = std::move(seal.key)}));
  digest::Digest sum(algorithm);
  digest::Digest md5(plan.sealing.has_md5() ? Algorithm::md5 : Algorithm::none);
  S3_CO_TRYV(co_await read_through(*reader, writer.get(), sum, md5));
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
  put.attributes.envelope = std::move(seal.envelope);
  put.etag = etag_of(call, put.attributes.envelope, digest::to_hex(as_bytes(md5.value())));
  if (algorithm != Algorithm::none) {
    put.checksum = {algorithm, digest::ChecksumType::full_object, sum.value()};
  }
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
  add_encryption(call, info.attributes.envelope, response, true);
  add_new_version(info.version_id, response);
  if (!source_version.empty()) {
    response.set("x-amz-copy-source-version-id", source_version);
  }
  add_expiration(call, info, response);
  return response;
}

/// What was seen of the source.
struct Looked {
  ns::StringPairs tags;
  std::string version, envelope;
  std::optional<ns::DataKey> key;  ///< of what is sealed
};

/// Whether the bytes have to go through our hands: for a checksum, to be sealed or unsealed, or for
/// an MD5 that the source does not tell and the copy would have as its ETag.
bool must_stream(const CopyPlan& plan, const ns::ObjectInfo& from) {
  const bool sealed = !from.attributes.envelope.empty();
  return (plan.algorithm != Algorithm::none && plan.algorithm != from.checksum.algorithm) ||
         sealed == plan.sealing.plain() ||
         (from.parts.empty() && plan.sealing.has_md5() && !has_md5(from.attributes.envelope));
}

/// By reference, on the condition that the source still has the tags that were decided on. The
/// version that was looked at, if it has an id: it may not be the current one any more. What is
/// sealed keeps its data key, in a new envelope.
Task<ns::ObjectInfo> copy_reference(Call& call, const CopyPlan& plan, const Looked& looked) {
  ns::CopyRequest copy{plan.source.bucket, plan.source.key, plan.source.conditions, plan.conditions,
                       plan.replace};
  copy.tags = plan.tags;
  copy.acl = plan.acl;
  copy.source_acl = plan.source.acl;
  copy.source_version = looked.version;
  copy.lock = plan.lock;
  if (plan.source.tags || !plan.tags) {
    copy.source_tags = looked.tags;
  }
  copy.source_envelope = looked.envelope;
  if (looked.key) {
    copy.envelope = plan.sealing.wrap(call, *looked.key);
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
  const ns::ObjectAttributes& has = reader->info().attributes;
  Looked looked{has.tags, reader->info().version_id, has.envelope, {}};
  if (!plan.tags && !looked.tags.empty()) {
    S3_CO_TRYV(authorize_tag_copy(call, plan.source, looked.tags));
  }
  S3_CO_TRY(looked.key, source_key(call, looked.envelope));
  if (must_stream(plan, reader->info())) {
    S3_CO_TRYV(check_copy_source(plan.source.conditions, reader->info()));
    if (looked.key) {
      reader->unseal(*looked.key);
    }
    S3_CO_TRY(ns::ObjectInfo info, co_await copy_bytes(call, plan, std::move(reader)));
    co_return Copied{std::move(info), std::move(looked.version)};
  }
  reader.reset();
  auto copied = co_await copy_reference(call, plan, looked);
  const Errc code = copied ? Errc::internal : copied.error().code();
  const bool lost = !copied && is_version_lost(code);
  if (!copied && (code == Errc::conflict || (lost && !plan.source.version))) {
    co_return std::optional<Copied>();
  }
  if (lost) {
    co_return std::unexpected(source_error(call, plan.source, S3Error(copied.error())));
  }
  S3_CO_TRY(ns::ObjectInfo info, std::move(copied));
  co_return Copied{std::move(info), std::move(looked.version)};
}

}  // namespace

Answer copy_object(Call& call) {
  S3_CO_TRY(SourceObject source, co_await copy_source_of(call));
  S3_CO_TRY(CopyPlan plan, plan_copy(call, std::move(source)));
  if (may_seal(call)) {
    S3_CO_TRY(plan.sealing, co_await sealing_of(call));
  }
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
