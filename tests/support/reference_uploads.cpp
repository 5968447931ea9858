// The multipart half of the reference namespace.
#include <algorithm>
#include <array>
#include <cstdio>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/support/reference_conditions.h"
#include "tests/support/reference_namespace.h"

namespace outcrop::testing {
namespace {

using digest::Algorithm;
using digest::Digest;

/// The ETag of a part that was copied by reference: of no meaning, but stable.
std::string derived_etag(const std::string& source, ns::ByteRange range) {
  const std::string text =
      source + ":" + std::to_string(range.offset) + ":" + std::to_string(range.length);
  return digest::to_hex(as_bytes(Digest::of(Algorithm::md5, as_bytes(text))));
}

}  // namespace

Task<ns::UploadInfo> ReferenceNamespace::create_upload(std::string_view name,
                                                       std::string_view key,
                                                       ns::ObjectAttributes attributes,
                                                       digest::Algorithm algorithm,
                                                       digest::ChecksumType type) {
  CO_TRY(Bucket* const in, bucket(name));
  if (key.size() > ns::kMaxKeyBytes) {
    co_return fail(Errc::key_too_long);
  }
  std::array<char, 17> id{};
  std::snprintf(id.data(), id.size(), "%016llx", static_cast<unsigned long long>(x_next_upload++));
  Upload fresh;
  fresh.info = {std::string(key),      id.data(), x_clock.wall_ns(),
                std::move(attributes), algorithm, type};
  co_return (in->uploads[{std::string(key), id.data()}] = std::move(fresh)).info;
}

Task<ns::UploadInfo> ReferenceNamespace::get_upload(std::string_view name,
                                                    std::string_view key,
                                                    std::string_view id) {
  CO_TRY(const Upload* const found, upload(name, key, id));
  co_return found->info;
}

Task<ns::PartInfo> ReferenceNamespace::put_part(std::string_view name,
                                                std::string_view key,
                                                std::string_view id,
                                                std::uint32_t number,
                                                std::unique_ptr<ns::ObjectWriter> payload,
                                                std::string etag,
                                                digest::Checksum checksum) {
  CO_TRY(Upload* const found, upload(name, key, id));
  if (number < 1 || number > ns::kMaxParts) {
    co_return fail(Errc::invalid_argument, "part number");
  }
  Part part;
  CO_TRY(Payload taken, take(*payload, number, found->info.attributes));
  part.data = std::move(taken.data);
  part.key = taken.options.seal;
  if (etag.empty()) {
    etag = new_etag();
  }
  CO_TRYV(check_room(x_buckets.find(name)->second, growth(*found, number, part.data->size())));
  part.info = {number, part.data->size(), x_clock.wall_ns(), std::move(etag), std::move(checksum)};
  co_return (found->parts[number] = std::move(part)).info;
}

Task<ns::PartInfo> ReferenceNamespace::copy_part(std::string_view name,
                                                 std::string_view key,
                                                 std::string_view id,
                                                 std::uint32_t number,
                                                 ns::ObjectReader& source,
                                                 ns::ByteRange range,
                                                 std::string etag,
                                                 digest::Checksum checksum) {
  CO_TRY(Upload* const found, upload(name, key, id));
  if (number < 1 || number > ns::kMaxParts) {
    co_return fail(Errc::invalid_argument, "part number");
  }
  if (!source.info().attributes.envelope.empty() || !found->info.attributes.envelope.empty()) {
    co_return fail(Errc::invalid_argument, "a sealed part cannot be copied by reference");
  }
  Part part;
  part.data = text_of(source, range);
  CO_TRYV(check_room(x_buckets.find(name)->second, growth(*found, number, range.length)));
  part.info = {number, range.length, x_clock.wall_ns(),
               etag.empty() ? derived_etag(source.info().etag, range) : std::move(etag),
               std::move(checksum)};
  co_return (found->parts[number] = std::move(part)).info;
}

Result<std::string> ReferenceNamespace::assemble(const Upload& from,
                                                 const ns::CompleteRequest& request,
                                                 ns::ObjectInfo& info) const {
  std::string data, md5s, checksums;
  bool without_checksum = false;
  for (const ns::CompletePart& listed : request.parts) {
    const auto at = from.parts.find(listed.number);
    if (at == from.parts.end() || at->second.info.etag != listed.etag ||
        (!listed.checksum.empty() && listed.checksum != at->second.info.checksum.value)) {
      return fail(Errc::invalid_part);
    }
  }
  for (const ns::CompletePart& listed : request.parts) {
    const Part& part = from.parts.at(listed.number);
    if (part.info.size < x_options.min_part_bytes && listed.number != request.parts.back().number) {
      return fail(Errc::entity_too_small);
    }
    data += *part.data;
    md5s += digest::from_hex(part.info.etag).value_or(part.info.etag);
    without_checksum = without_checksum || part.info.checksum.value.empty();
    checksums += part.info.checksum.value;
    info.parts.push_back({listed.number, part.info.size, part.info.checksum.value});
  }
  info.file = file_of(request.file);
  info.etag = digest::to_hex(as_bytes(Digest::of(Algorithm::md5, as_bytes(md5s)))) + "-" +
              std::to_string(request.parts.size());
  const Algorithm algorithm = from.info.checksum_algorithm;
  if (algorithm != Algorithm::none && !without_checksum) {
    const bool composite = from.info.checksum_type == digest::ChecksumType::composite;
    info.checksum = {algorithm, from.info.checksum_type,
                     Digest::of(algorithm, as_bytes(composite ? checksums : data))};
  }
  return data;
}

Task<ns::ObjectInfo> ReferenceNamespace::complete_upload(std::string_view name,
                                                         std::string_view key,
                                                         std::string_view id,
                                                         ns::CompleteRequest request) {
  CO_TRY(Bucket* const in, bucket(name));
  const auto existing = in->objects.find(key);
  const auto found = upload(name, key, id);
  if (!found) {
    const bool repeated =
        existing != in->objects.end() && !id.empty() && existing->second.upload_id == id;
    co_return repeated ? Result<ns::ObjectInfo>(existing->second.info)
                       : Result<ns::ObjectInfo>(fail(found.error()));
  }
  if (request.parts.empty()) {
    co_return fail(Errc::invalid_argument, "no parts");
  }
  if (std::ranges::adjacent_find(request.parts, std::ranges::greater_equal{},
                                 &ns::CompletePart::number) != request.parts.end()) {
    co_return fail(Errc::invalid_part_order);
  }
  CO_TRYV(check_write(request.conditions,
                      existing == in->objects.end() ? nullptr : &existing->second.info));
  Object fresh;
  CO_TRY(std::string data, assemble(**found, request, fresh.info));
  if (request.object_size && *request.object_size != data.size()) {
    co_return fail(Errc::invalid_argument, "object size");
  }
  if (request.checksum && request.checksum->value != fresh.info.checksum.value) {
    co_return fail(Errc::bad_digest);
  }
  fresh.info.ino = x_next_ino++;
  fresh.info.size = data.size();
  fresh.info.mtime_ns = x_clock.wall_ns();
  fresh.info.attributes = (*found)->info.attributes;
  fresh.key = (*found)->parts.at(request.parts.back().number).key;
  CO_TRYV(lock_new(*in, fresh.info.attributes));
  ns::Usage more = growth(*in, key, fresh.info.size);
  for (const auto& [number, part] : (*found)->parts) {
    more.bytes -= static_cast<std::int64_t>(part.info.size);
  }
  CO_TRYV(check_room(*in, more));
  fresh.data = std::make_shared<const std::string>(std::move(data));
  fresh.upload_id = id;
  in->uploads.erase({std::string(key), std::string(id)});
  co_return install(*in, key, std::move(fresh));
}

Task<> ReferenceNamespace::abort_upload(std::string_view name,
                                        std::string_view key,
                                        std::string_view id) {
  CO_TRYV(upload(name, key, id));
  x_buckets.find(name)->second.uploads.erase({std::string(key), std::string(id)});
  co_return ok();
}

Task<ns::PartList> ReferenceNamespace::list_parts(std::string_view name,
                                                  std::string_view key,
                                                  std::string_view id,
                                                  std::uint32_t after,
                                                  std::size_t max_parts) {
  CO_TRY(const Upload* const found, upload(name, key, id));
  ns::PartList out{found->info, {}, false};
  for (auto at = found->parts.upper_bound(after); at != found->parts.end(); ++at) {
    if (out.parts.size() == max_parts) {
      out.truncated = max_parts > 0;
      break;
    }
    out.parts.push_back(at->second.info);
  }
  co_return out;
}

Task<ns::UploadList> ReferenceNamespace::list_uploads(std::string_view name,
                                                      ns::UploadListRequest request) {
  CO_TRY(const Bucket* const in, bucket(name));
  ns::UploadList out;
  for (const auto& [id, value] : in->uploads) {
    const std::string& key = id.first;
    if (!key.starts_with(request.prefix)) {
      continue;
    }
    const auto cut = request.delimiter.empty() ? std::string::npos
                                               : key.find(request.delimiter, request.prefix.size());
    const bool rolled = cut != std::string::npos;
    const std::string entry = rolled ? key.substr(0, cut + request.delimiter.size()) : key;
    const bool after_key = entry > request.key_marker;
    const bool after_id = !rolled && entry == request.key_marker &&
                          !request.upload_id_marker.empty() && id.second > request.upload_id_marker;
    const bool repeated =
        rolled && !out.common_prefixes.empty() && out.common_prefixes.back() == entry;
    if ((!after_key && !after_id) || repeated) {
      continue;
    }
    if (out.uploads.size() + out.common_prefixes.size() == request.max_uploads) {
      out.truncated = request.max_uploads > 0;
      break;
    }
    out.next_key_marker = entry;
    out.next_upload_id_marker = rolled ? std::string() : id.second;
    if (rolled) {
      out.common_prefixes.push_back(entry);
    } else {
      out.uploads.push_back(value.info);
    }
  }
  if (!out.truncated) {
    out.next_key_marker.clear();
    out.next_upload_id_marker.clear();
  }
  co_return out;
}

}  // namespace outcrop::testing
