// GetObject, HeadObject, GetObjectAttributes.
#include <algorithm>
#include <array>

#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/existing_tags.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/xml_out.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {

/// Which bytes of the object are asked for.
struct Selection {
  ns::ByteRange range;
  bool partial = false;                   ///< 206 with Content-Range
  const ns::PartSummary* part = nullptr;  ///< exactly this part of a multipart object
  bool by_part = false;
};

Outcome<Selection> select_part(std::uint32_t number, const ns::ObjectInfo& info) {
  Selection out{{0, info.size}, info.size > 0, nullptr, true};
  if (info.parts.empty()) {  // an object that was put whole is its own part 1
    return number == 1 ? Outcome<Selection>(out) : fail(Code::invalid_part_number);
  }
  std::uint64_t offset = 0;
  for (const ns::PartSummary& part : info.parts) {
    if (part.number == number) {
      out.range = {offset, part.size};
      out.partial = part.size > 0;
      out.part = &part;
      return out;
    }
    offset += part.size;
  }
  return fail(Code::invalid_part_number);
}

/// If-Range: the range counts only while the object is the one the client knows.
bool range_applies(const Call& call, const ns::ObjectInfo& info) {
  const auto condition = call.header("if-range");
  if (!condition) {
    return true;
  }
  if (const auto date = parse_http_date(*condition)) {
    return *date == info.mtime_ns / 1'000'000'000;
  }
  return etag_listed(*condition, info.etag, EtagCompare::strong);
}

Outcome<Selection> select(const Call& call, const ns::ObjectInfo& info) {
  const auto range = call.header("range");
  if (const auto number = call.query("partNumber")) {
    if (range) {
      return fail(Code::invalid_request,
                  "Cannot specify both Range header and partNumber query parameter");
    }
    S3_TRY(const std::uint32_t part, part_number(*number));
    return select_part(part, info);
  }
  Selection out{{0, info.size}, false, nullptr, false};
  if (!range || !range_applies(call, info)) {
    return out;
  }
  const RangeResult resolved = resolve_range(*range, info.size);
  if (resolved.kind == RangeResult::Kind::unsatisfiable) {
    S3Error error(
        Code::invalid_range, {},
        {{"RangeRequested", std::string(*range)}, {"ActualObjectSize", std::to_string(info.size)}});
    error.headers.emplace_back("Content-Range", "bytes */" + std::to_string(info.size));
    return std::unexpected(std::move(error));
  }
  if (resolved.kind == RangeResult::Kind::partial) {
    out.range = resolved.range;
    out.partial = true;
  }
  return out;
}

/// RGW looks for the part before it looks at keys of clients.
Outcome<> rgw_part_first(const Call& call, const ns::ObjectInfo& info) {
  if (call.rgw() && call.query("partNumber")) {
    S3_TRYV(select(call, info));
  }
  return {};
}

/// Preconditions; what a 304 must carry is attached to it.
Outcome<> check_conditions(const Call& call, const ns::ObjectInfo& info) {
  auto checked = check_read(conditions_of(call, kObjectConditions), info);
  if (!checked && checked.error().code == Code::not_modified) {
    checked.error().headers.emplace_back("ETag", quoted_etag(info.etag));
    checked.error().headers.emplace_back("Last-Modified", format_http_date(info.mtime_ns));
  }
  return checked;
}

/// A checksum says something about the whole object or an exact part only: on any other range it
/// would make clients fail a good read.
void add_read_checksum(const Call& call,
                       const ns::ObjectInfo& info,
                       const Selection& selection,
                       http::Response& response) {
  if (!same_text(call.header("x-amz-checksum-mode").value_or(""), "ENABLED")) {
    return;
  }
  if (selection.part != nullptr) {
    if (!selection.part->checksum.empty()) {
      const digest::Checksum part{info.checksum.algorithm, digest::ChecksumType::full_object,
                                  selection.part->checksum};
      add_checksum(response, part, 0);
      response.headers.back().value = type_name(info.checksum.type);
    }
    return;
  }
  if (!selection.partial || selection.by_part) {
    add_checksum(response, info.checksum, info.parts.size());
  }
}

Outcome<http::Response> read_response(const Call& call,
                                      const ns::ObjectInfo& info,
                                      const Selection& selection) {
  http::Response response;
  response.status = selection.partial ? 206 : 200;
  S3_TRYV(add_object_headers(call, info, response));
  if (selection.partial) {
    const ns::ByteRange& r = selection.range;
    response.set("Content-Range", "bytes " + std::to_string(r.offset) + "-" +
                                      std::to_string(r.offset + r.length - 1) + "/" +
                                      std::to_string(info.size));
  }
  if (selection.by_part && !info.parts.empty()) {
    response.set("x-amz-mp-parts-count", std::to_string(info.parts.size()));
  }
  add_read_checksum(call, info, selection, response);
  return response;
}

struct WantedAttributes {
  bool etag = false, checksum = false, parts = false, storage_class = false, size = false;
};

Outcome<WantedAttributes> wanted_attributes(const Call& call) {
  WantedAttributes out;
  bool any = false;
  for (const auto* headers : {&call.request.headers, &call.hoisted}) {
    for (const http::Header& h : *headers) {
      if (h.name != "x-amz-object-attributes") {
        continue;
      }
      std::string_view list = h.value;
      while (!list.empty()) {
        const std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(one.size() + 1, list.size()));
        const auto begin = one.find_first_not_of(' ');
        const std::string_view name =
            begin == std::string_view::npos
                ? std::string_view{}
                : one.substr(begin, one.find_last_not_of(' ') - begin + 1);
        bool* const flag = name == "ETag"           ? &out.etag
                           : name == "Checksum"     ? &out.checksum
                           : name == "ObjectParts"  ? &out.parts
                           : name == "StorageClass" ? &out.storage_class
                           : name == "ObjectSize"   ? &out.size
                                                    : nullptr;
        if (flag == nullptr) {
          return bad_argument("Invalid attribute name specified.", "x-amz-object-attributes",
                              std::string(name));
        }
        *flag = any = true;
      }
    }
  }
  if (!any) {
    return fail(Code::invalid_request,
                "The x-amz-object-attributes header specifying the attributes to be retrieved is "
                "either missing or empty");
  }
  return out;
}

void write_part(XmlWriter& xml, const ns::PartSummary& part, digest::Algorithm algorithm) {
  xml.open("Part").number("PartNumber", part.number).number("Size", part.size);
  if (!part.checksum.empty()) {
    const digest::Checksum checksum{algorithm, digest::ChecksumType::full_object, part.checksum};
    const std::string tag = "Checksum" + std::string(digest::name(algorithm));
    xml.text(tag, checksum_text(checksum, 0));
  }
  xml.close();
}

/// Of a multipart object all of its parts. (AWS lists them only if they have checksums.)
Outcome<> write_parts(const Call& call, const ns::ObjectInfo& info, XmlWriter& xml) {
  S3_TRY(const std::uint64_t asked,
         number_argument("max-parts", call.header("x-amz-max-parts"), ns::kMaxListKeys));
  S3_TRY(const std::uint64_t marker,
         number_argument("part-number-marker", call.header("x-amz-part-number-marker"), 0));
  const std::uint64_t most = std::min<std::uint64_t>(asked, ns::kMaxListKeys);
  xml.open("ObjectParts").number("PartsCount", info.parts.size());
  if (!info.parts.empty()) {
    const auto first = std::ranges::upper_bound(info.parts, marker, {}, &ns::PartSummary::number);
    const auto left = static_cast<std::uint64_t>(info.parts.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(most, left));
    xml.number("PartNumberMarker", marker);
    xml.number("NextPartNumberMarker", first == last ? marker : std::prev(last)->number);
    xml.number("MaxParts", most).flag("IsTruncated", left > most);
    for (auto part = first; part != last; ++part) {
      write_part(xml, *part, info.checksum.algorithm);
    }
  }
  xml.close();
  return {};
}

}  // namespace

Answer get_object(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(auto reader, co_await call.ns.open_read(call.bucket(), call.key(), version));
  const ns::ObjectInfo& info = reader->info();
  S3_CO_TRYV(confirm_existing_tags(call, info));
  S3_CO_TRYV(rgw_part_first(call, info));
  S3_CO_TRY(const std::optional<ns::DataKey> key, read_key(call, info.attributes.envelope));
  S3_CO_TRYV(check_conditions(call, info));
  S3_CO_TRY(const Selection selection, select(call, info));
  S3_CO_TRY(http::Response response, read_response(call, info, selection));
  if (selection.range.length > 0) {
    if (key) {
      reader->unseal(*key);
    }
    response.body = object_body(std::move(reader), selection.range);
  }
  co_return response;
}

Answer head_object(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  S3_CO_TRYV(confirm_existing_tags(call, info));
  S3_CO_TRYV(rgw_part_first(call, info));
  S3_CO_TRYV(check_read_key(call, info.attributes.envelope));
  S3_CO_TRYV(check_conditions(call, info));
  S3_CO_TRY(const Selection selection, select(call, info));
  S3_CO_TRY(http::Response response, read_response(call, info, selection));
  response.content_length = selection.range.length;
  co_return response;
}

Answer get_object_attributes(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const WantedAttributes wanted, wanted_attributes(call));
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  S3_CO_TRYV(confirm_existing_tags(call, info));
  S3_CO_TRYV(check_read_key(call, info.attributes.envelope));
  S3_CO_TRYV(check_conditions(call, info));
  XmlWriter xml("GetObjectAttributesResponse");
  if (wanted.etag) {
    xml.text("ETag", info.etag);
  }
  if (wanted.checksum && info.checksum.algorithm != digest::Algorithm::none) {
    const std::string tag = "Checksum" + std::string(digest::name(info.checksum.algorithm));
    xml.open("Checksum").text(tag, checksum_text(info.checksum, info.parts.size()));
    xml.text("ChecksumType", type_name(info.checksum.type)).close();
  }
  if (wanted.parts && !info.parts.empty()) {
    S3_CO_TRYV(write_parts(call, info, xml));
  }
  if (wanted.storage_class) {
    xml.text("StorageClass", "STANDARD");
  }
  if (wanted.size) {
    xml.number("ObjectSize", info.size);
  }
  http::Response response = xml_response(std::move(xml).take());
  response.set("Last-Modified", format_http_date(info.mtime_ns));
  add_version(call, info.version_id, response);
  co_return response;
}

}  // namespace outcrop::s3
