#include "api/s3/acl.h"

#include <algorithm>
#include <array>

#include "api/s3/xml_document.h"

namespace outcrop::s3 {
namespace {

using access::Acl;
using access::AclGrant;
using access::Grantee;
using access::Ownership;
using access::Permission;
using Kind = Grantee::Kind;

struct GrantHeader {
  std::string_view name;
  Permission permission;
};
constexpr auto kGrantHeaders = std::to_array<GrantHeader>({
    {"x-amz-grant-read", Permission::read},
    {"x-amz-grant-write", Permission::write},
    {"x-amz-grant-read-acp", Permission::read_acp},
    {"x-amz-grant-write-acp", Permission::write_acp},
    {"x-amz-grant-full-control", Permission::full_control},
});

std::unexpected<S3Error> malformed() { return fail(Code::malformed_acl); }

Outcome<Grantee> by_id(const S3Config& config, std::string_view id) {
  if (!People{config}.name_of(id)) {
    return bad_argument("Invalid id", "CanonicalUser/ID", std::string(id));
  }
  return Grantee{Kind::account, std::string(id)};
}

Outcome<Grantee> by_group(std::string_view uri) {
  const auto group = access::parse_group(uri);
  if (!group) {
    return bad_argument("Invalid group uri", "Group/URI", std::string(uri));
  }
  return Grantee{*group};
}

Outcome<Grantee> by_email(const S3Config& config, std::string_view email) {
  const auto found = config.accounts != nullptr ? config.accounts->find_email(email) : std::nullopt;
  if (!found) {
    return fail(Code::unresolvable_grant, {}, {{"EmailAddress", std::string(email)}});
  }
  return Grantee{Kind::account, found->canonical_id};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// `id="...", uri=..., emailAddress="..."`, each for one grantee.
Outcome<> add_grantees(const Call& call, const GrantHeader& row, std::string_view list, Acl& out) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    const std::size_t equals = one.find('=');
    std::string_view value =
        equals == one.npos ? std::string_view() : trimmed(one.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    const std::string_view kind = trimmed(one.substr(0, equals));
    const bool known =
        same_text(kind, "id") || same_text(kind, "uri") || same_text(kind, "emailAddress");
    if (!known || value.empty() || out.grants.size() == access::kMaxGrants) {
      return bad_argument("Argument format not recognized", std::string(row.name),
                          std::string(one));
    }
    S3_TRY(Grantee grantee, same_text(kind, "id")    ? by_id(call.config, value)
                            : same_text(kind, "uri") ? by_group(value)
                                                     : by_email(call.config, value));
    out.grants.push_back({std::move(grantee), row.permission});
  }
  return {};
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

Outcome<AclGrant> read_grant(const S3Config& config, const pugi::xml_node& grant) {
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
  const auto right = access::parse_permission(permission);
  const int grantees = (id.empty() ? 0 : 1) + (group.empty() ? 0 : 1) + (mail.empty() ? 0 : 1);
  if (grantees != 1 || !right) {
    return malformed();
  }
  S3_TRY(Grantee grantee, !id.empty()      ? by_id(config, id)
                          : !group.empty() ? by_group(group)
                                           : by_email(config, mail));
  return AclGrant{std::move(grantee), *right};
}

/// Whether everything that it grants is full control of the owner or of the bucket's owner.
bool owners_only(const Acl& acl, const AclSubject& subject) {
  return std::ranges::all_of(acl.grants, [&](const AclGrant& g) {
    return g.grantee.kind == Kind::account && g.permission == Permission::full_control &&
           (g.grantee.id == subject.bucket_owner || g.grantee.id == subject.owner);
  });
}

}  // namespace

std::optional<std::string> People::name_of(std::string_view canonical_id) const {
  if (canonical_id == config.owner_id) {
    return config.owner_name;
  }
  const auto found =
      config.accounts != nullptr ? config.accounts->find_canonical(canonical_id) : std::nullopt;
  return found ? std::optional(found->name) : std::nullopt;
}

void People::write(XmlWriter& xml, std::string_view tag, std::string_view canonical_id) const {
  xml.open(tag).text("ID", canonical_id);
  xml.text("DisplayName", name_of(canonical_id).value_or("")).close();
}

bool is_acl_header(std::string_view name) {
  return name == "x-amz-acl" ||
         std::ranges::find(kGrantHeaders, name, &GrantHeader::name) != kGrantHeaders.end();
}

AclSubject new_subject(const Call& call) {
  AclSubject out;
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  if (call.op.id == OpId::create_bucket) {
    const auto asked = call.header("x-amz-object-ownership");
    out.ownership = asked ? access::parse_ownership(*asked).value_or(Ownership::enforced)
                          : call.config.object_ownership;
    out.ownership_chosen = asked && out.ownership == Ownership::enforced;
    out.owner = out.bucket_owner = call.asker.canonical_id();
    out.block_public = call.access.block_by_default().block_public_acls;
    return out;
  }
  out.bucket_owner = call.asker.owner_of(access.get());
  out.owner = call.asker.canonical_id();
  if (out.owner.empty()) {  // nobody signed: it cannot be anybody else's
    out.owner = out.bucket_owner;
  }
  out.ownership = access ? access->ownership : Ownership::enforced;
  out.ownership_chosen = access && access->ownership_chosen;
  out.block_public = call.access.block_of(access.get()).block_public_acls;
  return out;
}

Outcome<> check_acl(const Call& call, const AclSubject& subject, const Acl& acl) {
  if (subject.ownership == Ownership::enforced && !owners_only(acl, subject)) {
    return fail(call.op.id == OpId::create_bucket ? Code::invalid_bucket_acl
                                                  : Code::access_control_list_not_supported);
  }
  if (subject.block_public && access::is_public(acl)) {
    S3Error error(Code::access_denied,
                  "The ACL is public, and the public access block refuses public ACLs "
                  "(BlockPublicAcls).");
    error.why = {.reason = policy::Reason::public_access_block};
    return std::unexpected(std::move(error));
  }
  return {};
}

Outcome<std::optional<Acl>> acl_of_headers(const Call& call, const AclSubject& subject) {
  const auto canned = call.header("x-amz-acl");
  Acl granted{subject.owner, {}};
  bool grants = false;
  for (const GrantHeader& row : kGrantHeaders) {
    if (const auto list = call.header(row.name)) {
      grants = true;
      S3_TRYV(add_grantees(call, row, *list, granted));
    }
  }
  if (!canned && !grants) {
    return std::nullopt;
  }
  if (canned && grants) {
    return fail(Code::invalid_request,
                "Specifying both Canned ACLs and Header Grants is not allowed");
  }
  if (canned) {
    auto acl = access::canned_acl(*canned, subject.owner, subject.bucket_owner);
    if (!acl) {
      return bad_argument({}, "x-amz-acl", std::string(*canned));
    }
    // Who chose to have no ACLs hears of programs that send one, as on AWS. Where that is only what
    // every bucket starts with, `private` says nothing new. A new bucket may be said to be private.
    if (subject.ownership_chosen && call.op.id != OpId::create_bucket &&
        *canned != "bucket-owner-full-control") {
      return fail(Code::access_control_list_not_supported);
    }
    granted = *std::move(acl);
  }
  S3_TRYV(check_acl(call, subject, granted));
  return granted;
}

Outcome<Acl> parse_acl(const S3Config& config, std::string text, const std::string& owner) {
  xml::Document document(std::move(text));
  const auto root = document.parse("AccessControlPolicy");
  if (!root) {
    return malformed();
  }
  Acl out{owner, {}};
  bool listed = false;
  const auto grant = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name != "Grant" || out.grants.size() == access::kMaxGrants) {
      return malformed();
    }
    S3_TRY(AclGrant one, read_grant(config, node));
    out.grants.push_back(std::move(one));
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
    // An ACL does not give anything away as a whole.
    return id == owner ? Outcome<>() : fail(Code::access_denied);
  };
  S3_TRYV(xml::for_each_child(*root, part));
  if (!listed) {
    return malformed();
  }
  return out;
}

Outcome<std::string> new_object_acl(const Call& call) {
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  if (!access || access->ownership == Ownership::enforced) {
    return std::string();  // check_features() has looked at the headers
  }
  AclSubject subject = new_subject(call);
  S3_TRY(const std::optional<Acl> asked, acl_of_headers(call, subject));
  const bool handed_over =
      call.header("x-amz-acl").value_or("") == std::string_view("bucket-owner-full-control");
  if (subject.ownership == Ownership::preferred && handed_over) {
    subject.owner = subject.bucket_owner;
  }
  const Acl acl =
      asked && asked->owner == subject.owner ? *asked : access::private_acl(subject.owner);
  return acl == access::private_acl(subject.bucket_owner) ? std::string() : access::encode(acl);
}

Outcome<std::string> owner_in_acl(std::string text) {
  xml::Document document(std::move(text));
  const auto root = document.parse("AccessControlPolicy");
  if (!root) {
    return malformed();
  }
  std::string id;
  const auto part = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name == "Owner") {
      S3_TRY(id, child_text(node, "ID"));
    }
    return {};
  };
  S3_TRYV(xml::for_each_child(*root, part));
  return id.empty() ? malformed() : Outcome<std::string>(std::move(id));
}

std::string acl_document(const S3Config& config, const Acl& acl) {
  constexpr std::string_view kTyped =
      " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=";
  const People people{config};
  XmlWriter xml("AccessControlPolicy");
  people.write(xml, "Owner", acl.owner);
  xml.open("AccessControlList");
  const auto write = [&](const AclGrant& grant) {
    const bool account = grant.grantee.kind == Kind::account;
    xml.open("Grant").open("Grantee",
                           std::string(kTyped) + (account ? "\"CanonicalUser\"" : "\"Group\""));
    if (account) {
      xml.text("ID", grant.grantee.id);
      xml.text("DisplayName", people.name_of(grant.grantee.id).value_or(""));
    } else {
      xml.text("URI", access::group_uri(grant.grantee.kind));
    }
    xml.close().text("Permission", access::to_string(grant.permission)).close();
  };
  for (const bool accounts : {false, true}) {  // groups first
    for (const AclGrant& grant : acl.grants) {
      if ((grant.grantee.kind == Kind::account) == accounts) {
        write(grant);
      }
    }
  }
  return std::move(xml).take();
}

Outcome<Ownership> parse_ownership(std::string text) {
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
  const auto out = ownership ? access::parse_ownership(*ownership) : std::nullopt;
  return out ? Outcome<Ownership>(*out) : fail(Code::malformed_xml);
}

}  // namespace outcrop::s3
