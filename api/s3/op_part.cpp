// UploadPart and UploadPartCopy.
#include "api/s3/call.h"
#include "api/s3/copy_source.h"
#include "api/s3/encryption.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_out.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

using digest::Algorithm;

std::string_view name_or_null(Algorithm algorithm) {
  return algorithm == Algorithm::none ? std::string_view("null") : digest::name(algorithm);
}

/// A part in another algorithm than its upload could never be part of the upload's checksum.
Outcome<> check_algorithm(Algorithm upload, Algorithm part) {
  if (upload == Algorithm::none || part == Algorithm::none || upload == part) {
    return {};
  }
  return fail(Code::invalid_request, "Checksum Type mismatch occurred, expected checksum Type: " +
                                         lower(name_or_null(upload)) +
                                         ", actual checksum Type: " + lower(name_or_null(part)));
}

Outcome<ns::ByteRange> copy_range(const Call& call, std::uint64_t size) {
  ns::ByteRange range{0, size};
  if (const auto header = call.header("x-amz-copy-source-range")) {
    S3_TRY(range, resolve_copy_range(*header, size));
  }
  if (range.length > ns::kMaxPartBytes) {
    return fail(Code::invalid_request,
                "The specified copy source is larger than the maximum allowable size for a copy "
                "source: " +
                    std::to_string(ns::kMaxPartBytes));
  }
  return range;
}

struct RangeDigests {
  std::string etag;
  digest::Checksum checksum;
};

/// The part is copied by reference; its bytes are read only for a checksum that the upload needs.
Async<Outcome<RangeDigests>> digests_of(ns::ObjectReader& source,
                                        ns::ByteRange range,
                                        Algorithm algorithm) {
  if (algorithm == Algorithm::none) {
    co_return RangeDigests{};
  }
  digest::Digest sum(algorithm);
  digest::Digest md5(Algorithm::md5);
  source.seek(range);
  S3_CO_TRYV(co_await read_through(source, nullptr, sum, md5));
  co_return RangeDigests{digest::to_hex(as_bytes(md5.value())),
                         {algorithm, digest::ChecksumType::full_object, sum.value()}};
}

/// What is sealed on one side at least is read, and written as the upload has it.
Async<Outcome<ns::PartInfo>> stream_part(Call& call,
                                         const ns::UploadInfo& upload,
                                         std::uint32_t number,
                                         ns::ObjectReader& source,
                                         ns::ByteRange range,
                                         const std::optional<ns::DataKey>& key) {
  const Algorithm algorithm = upload.checksum_algorithm;
  S3_CO_TRY(
      auto writer,
      co_await call.ns.open_write(
          call.bucket(), call.key(),
          {.size_hint = range.length, .seal = key, .part = number, .upload_id = upload.upload_id}));
  digest::Digest sum(algorithm);
  digest::Digest md5(Algorithm::md5);
  source.seek(range);
  S3_CO_TRYV(co_await read_through(source, writer.get(), sum, md5));
  digest::Checksum checksum;
  if (algorithm != Algorithm::none) {
    checksum = {algorithm, digest::ChecksumType::full_object, sum.value()};
  }
  std::string etag = part_etag(upload, key, digest::to_hex(as_bytes(md5.value())));
  S3_CO_TRY(ns::PartInfo part,
            co_await call.ns.put_part(call.bucket(), call.key(), upload.upload_id, number,
                                      std::move(writer), std::move(etag), std::move(checksum)));
  co_return part;
}

/// By reference where both sides are plain.
Async<Outcome<ns::PartInfo>> copy_part(Call& call,
                                       const ns::UploadInfo& upload,
                                       std::uint32_t number,
                                       ns::ObjectReader& source) {
  S3_CO_TRY(const std::optional<ns::DataKey> from,
            source_key(call, source.info().attributes.envelope));
  S3_CO_TRY(const std::optional<ns::DataKey> to, part_key(call, upload));
  S3_CO_TRY(const ns::ByteRange range, copy_range(call, source.info().size));
  if (from || to) {
    if (from) {
      source.unseal(*from);
    }
    co_return co_await stream_part(call, upload, number, source, range, to);
  }
  S3_CO_TRY(RangeDigests digests, co_await digests_of(source, range, upload.checksum_algorithm));
  S3_CO_TRY(ns::PartInfo part, co_await call.ns.copy_part(
                                   call.bucket(), call.key(), upload.upload_id, number, source,
                                   range, std::move(digests.etag), std::move(digests.checksum)));
  co_return part;
}

http::Response copy_part_response(const ns::PartInfo& part) {
  XmlWriter xml("CopyPartResult");
  xml.text("LastModified", format_iso_date(part.mtime_ns)).quoted("ETag", part.etag);
  if (part.checksum.algorithm != Algorithm::none) {
    const std::string tag = "Checksum" + std::string(digest::name(part.checksum.algorithm));
    xml.text(tag, checksum_text(part.checksum, 0));
  }
  return xml_response(std::move(xml).take());
}

}  // namespace

Answer upload_part(Call& call) {
  S3_CO_TRY(const std::uint32_t number, part_number(call.query_or("partNumber", "")));
  const std::string_view id = call.query_or("uploadId", "");
  S3_CO_TRY(const PayloadPlan plan, plan_object(call));
  S3_CO_TRY(const ns::UploadInfo upload,
            co_await call.ns.get_upload(call.bucket(), call.key(), id));
  S3_CO_TRYV(check_algorithm(upload.checksum_algorithm, plan.algorithm));
  S3_CO_TRY(const std::optional<ns::DataKey> key, part_key(call, upload));
  S3_CO_TRY(auto writer, co_await call.ns.open_write(call.bucket(), call.key(),
                                                     {.size_hint = plan.length.value_or(0),
                                                      .seal = key,
                                                      .part = number,
                                                      .upload_id = std::string(id)}));
  S3_CO_TRY(Received received,
            co_await receive_object(call, *writer, plan, upload.checksum_algorithm));
  digest::Checksum kept;  // without an algorithm of the upload, a part's checksum was for the way
  if (upload.checksum_algorithm != Algorithm::none) {
    kept = received.checksum;
  }
  S3_CO_TRY(
      const ns::PartInfo part,
      co_await call.ns.put_part(call.bucket(), call.key(), id, number, std::move(writer),
                                part_etag(upload, key, std::move(received.md5)), std::move(kept)));
  http::Response response = empty_response(200);
  response.set("ETag", quoted_etag(part.etag));
  if (received.checksum.algorithm != Algorithm::none) {
    response.set(std::string(digest::header_name(received.checksum.algorithm)),
                 checksum_text(received.checksum, 0));
  }
  add_encryption(call, upload.attributes.envelope, response);
  co_return response;
}

Answer upload_part_copy(Call& call) {
  S3_CO_TRY(const std::uint32_t number, part_number(call.query_or("partNumber", "")));
  const std::string_view id = call.query_or("uploadId", "");
  S3_CO_TRY(SourceObject source, co_await copy_source_of(call));
  S3_CO_TRY(const ns::UploadInfo upload,
            co_await call.ns.get_upload(call.bucket(), call.key(), id));
  S3_CO_TRY(const auto reader, co_await open_source(call, source));
  S3_CO_TRYV(check_copy_source(source.conditions, reader->info()));
  S3_CO_TRY(const ns::PartInfo part, co_await copy_part(call, upload, number, *reader));
  http::Response response = copy_part_response(part);
  add_encryption(call, upload.attributes.envelope, response);
  if (const std::string& version = reader->info().version_id; !version.empty()) {
    response.set("x-amz-copy-source-version-id", version);
  }
  co_return response;
}

}  // namespace outcrop::s3
