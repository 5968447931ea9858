#include "api/s3/xml_in.h"

#include "api/s3/headers.h"
#include "api/s3/payload.h"
#include "api/s3/xml_document.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {

using xml::Document;
using xml::local_name;
using xml::text_of;

Outcome<DeleteEntry> delete_entry(const pugi::xml_node& object) {
  DeleteEntry out;
  bool has_key = false, malformed = false;
  for (const pugi::xml_node& field : object.children()) {
    if (field.type() != pugi::node_element) {
      continue;
    }
    const std::string_view name = local_name(field);
    S3_TRY(std::string text, text_of(field));
    if (name == "Key") {
      out.key = std::move(text);
      has_key = !out.key.empty();
    } else if (name == "VersionId") {
      out.version_id = std::move(text);
    } else if (name == "ETag") {
      out.etag = std::move(text);
    } else if (name == "Size") {
      out.size = parse_number(text);
      malformed = malformed || !out.size;
    } else if (name == "LastModifiedTime") {
      out.mtime = parse_http_date(text);
      malformed = malformed || !out.mtime;
    } else {
      return fail(Code::malformed_xml);
    }
  }
  if (!has_key || malformed) {
    return fail(Code::malformed_xml);
  }
  return out;
}

Outcome<> part_checksum(std::string_view name,
                        std::string_view text,
                        std::optional<digest::Algorithm> algorithm,
                        ns::CompletePart& part) {
  constexpr std::string_view kTag = "Checksum";
  const auto named =
      name.starts_with(kTag) ? digest::parse_name(name.substr(kTag.size())) : std::nullopt;
  if (!named) {
    return fail(Code::malformed_xml);
  }
  if (algorithm && *named != *algorithm) {
    const std::string_view expected =
        *algorithm == digest::Algorithm::none ? "null" : digest::name(*algorithm);
    return fail(Code::invalid_request, "The upload was created using the " + std::string(expected) +
                                           " checksum mode. The complete request must use the "
                                           "same checksum mode.");
  }
  S3_TRY(part.checksum, checksum_value(*named, text));
  return {};
}

Outcome<ns::CompletePart> complete_part(const pugi::xml_node& element,
                                        std::optional<digest::Algorithm> algorithm) {
  ns::CompletePart out;
  bool has_etag = false;
  for (const pugi::xml_node& field : element.children()) {
    if (field.type() != pugi::node_element) {
      continue;
    }
    const std::string_view name = local_name(field);
    S3_TRY(const std::string text, text_of(field));
    if (name == "PartNumber") {
      S3_TRY(out.number, part_number(text));
    } else if (name == "ETag") {
      out.etag = unquoted(text);
      has_etag = true;
    } else {
      S3_TRYV(part_checksum(name, text, algorithm, out));
    }
  }
  if (!has_etag || out.number == 0) {
    return fail(Code::malformed_xml);
  }
  return out;
}

}  // namespace

Outcome<DeleteDocument> parse_delete(std::string text) {
  Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("Delete"));
  DeleteDocument out;
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    if (local_name(child) == "Quiet") {
      S3_TRY(const std::string quiet, text_of(child));
      out.quiet = same_text(quiet, "true");
    } else if (local_name(child) == "Object" && out.entries.size() < kMaxDeleteKeys) {
      S3_TRY(DeleteEntry entry, delete_entry(child));
      out.entries.push_back(std::move(entry));
    } else {
      return fail(Code::malformed_xml);
    }
  }
  if (out.entries.empty()) {
    return fail(Code::malformed_xml);
  }
  return out;
}

Outcome<std::vector<ns::CompletePart>> parse_complete(std::string text,
                                                      std::optional<digest::Algorithm> algorithm) {
  Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("CompleteMultipartUpload"));
  std::vector<ns::CompletePart> out;
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    if (local_name(child) != "Part" || out.size() == ns::kMaxParts) {
      return fail(Code::malformed_xml);
    }
    S3_TRY(ns::CompletePart part, complete_part(child, algorithm));
    out.push_back(std::move(part));
  }
  if (out.empty()) {
    return fail(Code::malformed_xml);
  }
  return out;
}

Outcome<std::string> parse_create_bucket(std::string text) {
  if (text.empty()) {
    return std::string();
  }
  Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("CreateBucketConfiguration"));
  std::string region;
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    if (local_name(child) != "LocationConstraint") {
      return unsupported(local_name(child));
    }
    S3_TRY(region, text_of(child));
  }
  return region;
}

Outcome<ns::Versioning> parse_versioning(std::string text) {
  Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("VersioningConfiguration"));
  std::optional<ns::Versioning> out;
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    const std::string_view name = local_name(child);
    S3_TRY(const std::string value, text_of(child));
    if (name == "Status" && value == "Enabled") {
      out = ns::Versioning::enabled;
    } else if (name == "Status" && value == "Suspended") {
      out = ns::Versioning::suspended;
    } else if (name == "MfaDelete" && value == "Enabled") {
      return fail(Code::not_implemented,
                  "This server has no multi-factor authentication: MFA delete cannot be enabled.");
    } else if (name != "MfaDelete" || value != "Disabled") {
      return fail(Code::malformed_xml);
    }
  }
  if (!out) {
    return fail(Code::illegal_versioning_configuration);
  }
  return *out;
}

Outcome<policy::PublicAccessBlock> parse_public_access_block(std::string text) {
  Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("PublicAccessBlockConfiguration"));
  policy::PublicAccessBlock out;
  for (const pugi::xml_node& child : root.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    const std::string_view name = local_name(child);
    bool* const slot = name == "BlockPublicAcls"         ? &out.block_public_acls
                       : name == "IgnorePublicAcls"      ? &out.ignore_public_acls
                       : name == "BlockPublicPolicy"     ? &out.block_public_policy
                       : name == "RestrictPublicBuckets" ? &out.restrict_public_buckets
                                                         : nullptr;
    S3_TRY(const std::string value, text_of(child));
    if (slot == nullptr || (!same_text(value, "true") && !same_text(value, "false"))) {
      return fail(Code::malformed_xml);
    }
    *slot = same_text(value, "true");
  }
  return out;
}

}  // namespace outcrop::s3
