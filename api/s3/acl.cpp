#include "api/s3/acl.h"

#include <algorithm>
#include <array>

#include "api/s3/xml_document.h"

namespace outcrop::s3 {
namespace {

constexpr std::array<std::string_view, 5> kPermissions{"FULL_CONTROL", "READ", "READ_ACP", "WRITE",
                                                       "WRITE_ACP"};
constexpr std::array<std::string_view, 3> kOwnerships{"BucketOwnerEnforced", "BucketOwnerPreferred",
                                                      "ObjectWriter"};

std::unexpected<S3Error> malformed() { return fail(Code::malformed_acl); }

bool contains(const auto& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

/// The text of a child of that name; empty if there is none.
Outcome<std::string> child_text(const pugi::xml_node& element, std::string_view wanted) {
  std::string out;
  const auto read = [&](std::string_view name, const pugi::xml_node& child) -> Outcome<> {
    if (name == wanted) {
      S3_TRY(out, xml::text_of(child));
    }
    return {};
  };
  if (!xml::for_each_child(element, read)) {
    return malformed();
  }
  return out;
}

/// True for the owner's full control.
Outcome<bool> read_grant(const pugi::xml_node& grant, std::string_view owner_id) {
  std::string id, group, mail, permission;
  const auto field = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name == "Grantee") {
      S3_TRY(id, child_text(node, "ID"));
      S3_TRY(group, child_text(node, "URI"));
      S3_TRY(mail, child_text(node, "EmailAddress"));
      return {};
    }
    if (name != "Permission") {
      return malformed();
    }
    S3_TRY(permission, xml::text_of(node));
    return {};
  };
  S3_TRYV(xml::for_each_child(grant, field));
  const int grantees = (id.empty() ? 0 : 1) + (group.empty() ? 0 : 1) + (mail.empty() ? 0 : 1);
  if (grantees != 1 || !contains(kPermissions, permission)) {
    return malformed();
  }
  return id == owner_id && permission == "FULL_CONTROL";
}

}  // namespace

CannedAcl canned_acl(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOthers{"public-read",        "public-read-write",
                                                    "authenticated-read", "aws-exec-read",
                                                    "bucket-owner-read",  "log-delivery-write"};
  if (name == "private" || name == "bucket-owner-full-control") {
    return CannedAcl::owner_only;
  }
  return contains(kOthers, name) ? CannedAcl::others : CannedAcl::unknown;
}

Outcome<bool> owner_only(std::string text, std::string_view owner_id) {
  xml::Document document(std::move(text));
  const auto root = document.parse("AccessControlPolicy");
  if (!root) {
    return malformed();
  }
  std::size_t grants = 0;
  bool only = true, listed = false;
  const auto grant = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name != "Grant" || ++grants > kMaxGrants) {
      return malformed();
    }
    S3_TRY(const bool owners, read_grant(node, owner_id));
    only = only && owners;
    return {};
  };
  const auto part = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name == "AccessControlList" && !listed) {
      listed = true;
      return xml::for_each_child(node, grant);
    }
    if (name != "Owner") {
      return malformed();
    }
    S3_TRY(const std::string id, child_text(node, "ID"));
    only = only && id == owner_id;
    return {};
  };
  S3_TRYV(xml::for_each_child(*root, part));
  if (!listed) {
    return malformed();
  }
  return only && grants > 0;
}

Outcome<std::string> parse_ownership(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("OwnershipControls"));
  std::optional<std::string> ownership;
  const auto rule = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    return name == "ObjectOwnership" ? xml::set_once(ownership, xml::text_of(node))
                                     : fail(Code::malformed_xml);
  };
  const auto part = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    return name == "Rule" ? xml::for_each_child(node, rule) : fail(Code::malformed_xml);
  };
  S3_TRYV(xml::for_each_child(root, part));
  if (!ownership || !contains(kOwnerships, *ownership)) {
    return fail(Code::malformed_xml);
  }
  return *std::move(ownership);
}

}  // namespace outcrop::s3
