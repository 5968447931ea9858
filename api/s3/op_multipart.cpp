// Multipart uploads: create, complete, abort, and what is under way.
#include <algorithm>

#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/object_lock.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/rgw.h"
#include "api/s3/xml_in.h"
#include "api/s3/xml_out.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {

using digest::Algorithm;
using digest::ChecksumType;

bool is_crc(Algorithm algorithm) {
  return algorithm == Algorithm::crc32 || algorithm == Algorithm::crc32c ||
         algorithm == Algorithm::crc64nvme;
}

std::unexpected<S3Error> wrong_type(std::string_view type, Algorithm algorithm) {
  return fail(Code::invalid_request, "The " + std::string(type) +
                                         " checksum type cannot be used with the " +
                                         lower(digest::name(algorithm)) + " checksum algorithm.");
}

/// Composite unless asked otherwise, but CRC64NVME has no composite form and only CRCs have the
/// other (a hash of the whole cannot be had from hashes of the parts).
Outcome<ChecksumType> upload_type(const Call& call, Algorithm algorithm) {
  const auto text = call.header("x-amz-checksum-type");
  if (text && *text != "COMPOSITE" && *text != "FULL_OBJECT") {
    return fail(Code::invalid_request, "Value for x-amz-checksum-type header is invalid.");
  }
  if (text && algorithm == Algorithm::none) {
    return fail(Code::invalid_request,
                "The x-amz-checksum-type header can only be used with the "
                "x-amz-checksum-algorithm header.");
  }
  const bool full = text ? *text == "FULL_OBJECT" : algorithm == Algorithm::crc64nvme;
  if (full && algorithm != Algorithm::none && !is_crc(algorithm)) {
    return wrong_type("FULL_OBJECT", algorithm);
  }
  if (!full && algorithm == Algorithm::crc64nvme) {
    return wrong_type("COMPOSITE", algorithm);
  }
  return full ? ChecksumType::full_object : ChecksumType::composite;
}

void write_upload_checksum(XmlWriter& xml, const ns::UploadInfo& upload) {
  if (upload.checksum_algorithm != Algorithm::none) {
    xml.text("ChecksumAlgorithm", digest::name(upload.checksum_algorithm));
    xml.text("ChecksumType", type_name(upload.checksum_type));
  }
}

/// Who will own the object has started the upload.
void write_people(XmlWriter& xml, const Call& call, const ns::UploadInfo& upload) {
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const access::Acl acl = acl_of_object(call.asker, access.get(), upload.attributes.acl);
  const People people{call.config};
  people.write(xml, "Initiator", acl.owner);
  people.write(xml, "Owner", acl.owner);
}

/// The client's checksum of the finished object; "-N" of a composite one counts its parts.
Outcome<std::optional<digest::Checksum>> final_checksum(const Call& call,
                                                        const ns::UploadInfo& upload,
                                                        std::size_t parts) {
  const auto type = call.header("x-amz-checksum-type");
  if (type && upload.checksum_algorithm != Algorithm::none &&
      *type != type_name(upload.checksum_type)) {
    return fail(Code::invalid_request,
                "The upload was created using the " + std::string(type_name(upload.checksum_type)) +
                    " checksum mode. The complete request must use the same checksum mode.");
  }
  std::optional<digest::Checksum> out;
  for (const auto* headers : {&call.request.headers, &call.hoisted}) {
    for (const http::Header& h : *headers) {
      const auto algorithm = digest::parse_header_name(h.name);
      if (!algorithm || *algorithm == Algorithm::none) {
        continue;
      }
      if (*algorithm != upload.checksum_algorithm) {
        return fail(Code::invalid_request,
                    "Checksum Type mismatch occurred, expected checksum Type: " +
                        (upload.checksum_algorithm == Algorithm::none
                             ? std::string("null")
                             : lower(digest::name(upload.checksum_algorithm))) +
                        ", actual checksum Type: " + lower(digest::name(*algorithm)));
      }
      std::string_view text = h.value;
      const std::string suffix = "-" + std::to_string(parts);
      if (upload.checksum_type == ChecksumType::composite && text.ends_with(suffix)) {
        text.remove_suffix(suffix.size());
      }
      S3_TRY(std::string value, checksum_value(*algorithm, text));
      out = digest::Checksum{*algorithm, upload.checksum_type, std::move(value)};
    }
  }
  return out;
}

/// A mismatch that AWS has own words for.
S3Error complete_error(const Error& error, const ns::CompleteRequest& request) {
  S3Error out(error);
  if (error.code() == Errc::bad_digest && request.checksum) {
    out.message = "The " + std::string(digest::name(request.checksum->algorithm)) +
                  " you specified did not match the calculated checksum.";
  } else if (error.code() == Errc::invalid_argument && request.object_size) {
    out = S3Error(Code::invalid_request, "The provided 'x-amz-mp-object-size' header value " +
                                             std::to_string(*request.object_size) +
                                             " does not match what was computed.");
  }
  return out;
}

Outcome<std::optional<std::uint64_t>> promised_size(const Call& call) {
  const auto text = call.header("x-amz-mp-object-size");
  if (!text) {
    return std::nullopt;
  }
  const auto size = parse_number(*text);
  if (!size) {
    return fail(Code::invalid_request, "Value for x-amz-mp-object-size header is invalid.");
  }
  return size;
}

http::Response complete_response(const Call& call, const ns::ObjectInfo& info) {
  XmlWriter xml("CompleteMultipartUploadResult");
  xml.text("Location", object_location(call)).text("Bucket", call.bucket()).text("Key", call.key());
  xml.quoted("ETag", info.etag);
  if (info.checksum.algorithm != Algorithm::none) {
    const std::string tag = "Checksum" + std::string(digest::name(info.checksum.algorithm));
    xml.text(tag, checksum_text(info.checksum, info.parts.size()));
    xml.text("ChecksumType", type_name(info.checksum.type));
  }
  http::Response response = xml_response(std::move(xml).take());
  add_encryption(call, info.attributes.envelope, response);
  add_new_version(info.version_id, response);
  add_expiration(call, info, response);
  return response;
}

struct PartsPage {
  std::uint32_t after = 0;
  std::size_t most = ns::kMaxListKeys;
};

Outcome<PartsPage> parts_page(const Call& call) {
  S3_TRY(const std::uint64_t after,
         number_argument("part-number-marker", call.query("part-number-marker"), 0));
  S3_TRY(const std::uint64_t most,
         number_argument("max-parts", call.query("max-parts"), ns::kMaxListKeys));
  return PartsPage{static_cast<std::uint32_t>(after),
                   static_cast<std::size_t>(std::min<std::uint64_t>(most, ns::kMaxListKeys))};
}

void write_parts(XmlWriter& xml, const ns::PartList& list) {
  for (const ns::PartInfo& part : list.parts) {
    xml.open("Part").number("PartNumber", part.number);
    xml.text("LastModified", format_iso_date(part.mtime_ns)).quoted("ETag", part.etag);
    xml.number("Size", part.size);
    if (part.checksum.algorithm != Algorithm::none) {
      const std::string tag = "Checksum" + std::string(digest::name(part.checksum.algorithm));
      xml.text(tag, checksum_text(part.checksum, 0));
    }
    xml.close();
  }
}

Outcome<ns::UploadListRequest> uploads_page(const Call& call) {
  ns::UploadListRequest out;
  out.prefix = call.query_or("prefix", "");
  out.delimiter = call.query_or("delimiter", "");
  out.key_marker = call.query_or("key-marker", "");
  if (!out.key_marker.empty()) {  // alone it has no meaning, as in AWS
    out.upload_id_marker = call.query_or("upload-id-marker", "");
  }
  S3_TRY(const std::uint64_t most,
         number_argument("max-uploads", call.query("max-uploads"), ns::kMaxListKeys));
  out.max_uploads = static_cast<std::size_t>(std::min<std::uint64_t>(most, ns::kMaxListKeys));
  return out;
}

/// As for listings, nothing is asked for with max-uploads=0 but the bucket.
Task<ns::UploadList> read_uploads(Call& call, const ns::UploadListRequest& request) {
  if (request.max_uploads == 0) {
    CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return ns::UploadList{};
  }
  co_return co_await call.ns.list_uploads(call.bucket(), request);
}

}  // namespace

Answer create_multipart_upload(Call& call) {
  S3_CO_TRY(ns::ObjectAttributes attributes, tagged_attributes_of(call));
  S3_CO_TRY(attributes.acl, new_object_acl(call));
  S3_CO_TRY(attributes.lock, co_await requested_lock(call));
  S3_CO_TRY(const Algorithm algorithm, named_algorithm(call.header("x-amz-checksum-algorithm")));
  S3_CO_TRY(const ChecksumType type, upload_type(call, algorithm));
  Sealing sealing;
  if (may_seal(call)) {
    S3_CO_TRY(sealing, co_await sealing_of(call));
  }
  attributes.envelope = new_seal(call, sealing).envelope;
  S3_CO_TRY(const ns::UploadInfo upload,
            co_await call.ns.create_upload(call.bucket(), call.key(), std::move(attributes),
                                           algorithm, type));
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.text("Bucket", call.bucket()).text("Key", call.key()).text("UploadId", upload.upload_id);
  http::Response response = xml_response(std::move(xml).take());
  if (algorithm != Algorithm::none) {
    response.set("x-amz-checksum-algorithm", std::string(digest::name(algorithm)));
    response.set("x-amz-checksum-type", std::string(type_name(type)));
  }
  add_encryption(call, upload.attributes.envelope, response, true);
  co_return response;
}

Answer complete_multipart_upload(Call& call) {
  const std::string_view id = call.query_or("uploadId", "");
  ns::CompleteRequest request;
  S3_CO_TRY(request.conditions, write_conditions(call));
  S3_CO_TRY(request.object_size, promised_size(call));
  S3_CO_TRY(std::string text, co_await receive_document(call));
  // An upload that is complete already is unknown now; the namespace knows its result all the same.
  auto found = co_await call.ns.get_upload(call.bucket(), call.key(), id);
  if (!found && found.error().code() != Errc::no_such_upload) {
    co_return std::unexpected(S3Error(found.error()));
  }
  const auto algorithm = found ? std::optional(found->checksum_algorithm) : std::nullopt;
  S3_CO_TRY(request.parts, parse_complete(std::move(text), algorithm));
  if (call.rgw()) {
    rgw::keep_last(request.parts);
  }
  if (found) {
    S3_CO_TRYV(check_complete_key(call, *found));
    request.file = file_fields_of(call, found->attributes);
    S3_CO_TRY(request.checksum, final_checksum(call, *found, request.parts.size()));
  }
  auto completed = co_await call.ns.complete_upload(call.bucket(), call.key(), id, request);
  if (!completed) {
    co_return std::unexpected(complete_error(completed.error(), request));
  }
  co_return complete_response(call, *completed);
}

Answer abort_multipart_upload(Call& call) {
  S3_CO_TRYV(
      co_await call.ns.abort_upload(call.bucket(), call.key(), call.query_or("uploadId", "")));
  co_return empty_response(204);
}

Answer list_parts(Call& call) {
  S3_CO_TRY(const PartsPage page, parts_page(call));
  const std::string_view id = call.query_or("uploadId", "");
  S3_CO_TRY(const bool url, url_encoding(call));
  S3_CO_TRY(const ns::PartList list,
            co_await call.ns.list_parts(call.bucket(), call.key(), id, page.after, page.most));
  std::string key = call.key();
  if (url) {
    key.clear();
    auth::uri_encode(call.key(), auth::Slash::keep, key);
  }
  XmlWriter xml("ListPartsResult");
  xml.text("Bucket", call.bucket()).text("Key", key).text("UploadId", id);
  write_people(xml, call, list.upload);
  xml.text("StorageClass", "STANDARD").number("PartNumberMarker", page.after);
  xml.number("NextPartNumberMarker", list.parts.empty() ? page.after : list.parts.back().number);
  xml.number("MaxParts", page.most).flag("IsTruncated", list.truncated);
  write_upload_checksum(xml, list.upload);
  write_parts(xml, list);
  co_return xml_response(std::move(xml).take());
}

Answer list_multipart_uploads(Call& call) {
  S3_CO_TRY(const ns::UploadListRequest request, uploads_page(call));
  S3_CO_TRY(const bool url, url_encoding(call));
  S3_CO_TRY(const ns::UploadList list, co_await read_uploads(call, request));
  const auto name = [url](std::string_view raw) {
    std::string out;
    if (url) {
      auth::uri_encode(raw, auth::Slash::keep, out);
    }
    return url ? out : std::string(raw);
  };
  XmlWriter xml("ListMultipartUploadsResult");
  xml.text("Bucket", call.bucket()).text("KeyMarker", name(request.key_marker));
  xml.text("UploadIdMarker", request.upload_id_marker);
  if (list.truncated) {
    xml.text("NextKeyMarker", name(list.next_key_marker));
    xml.text("NextUploadIdMarker", list.next_upload_id_marker);
  }
  xml.text("Prefix", name(request.prefix));
  if (!request.delimiter.empty()) {
    xml.text("Delimiter", name(request.delimiter));
  }
  if (url) {
    xml.text("EncodingType", "url");
  }
  xml.number("MaxUploads", request.max_uploads).flag("IsTruncated", list.truncated);
  for (const ns::UploadInfo& upload : list.uploads) {
    xml.open("Upload").text("Key", name(upload.key)).text("UploadId", upload.upload_id);
    write_people(xml, call, upload);
    xml.text("StorageClass", "STANDARD").text("Initiated", format_iso_date(upload.created_ns));
    write_upload_checksum(xml, upload);
    xml.close();
  }
  for (const std::string& prefix : list.common_prefixes) {
    xml.open("CommonPrefixes").text("Prefix", name(prefix)).close();
  }
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
