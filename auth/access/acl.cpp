#include "auth/access/acl.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/base/codec.h"

namespace outcrop::access {
namespace {

constexpr std::uint8_t kVersion = 1;
using Kind = Grantee::Kind;

constexpr auto kOwnerships = std::to_array<std::pair<Ownership, std::string_view>>(
    {{Ownership::enforced, "BucketOwnerEnforced"},
     {Ownership::preferred, "BucketOwnerPreferred"},
     {Ownership::writer, "ObjectWriter"}});
constexpr auto kPermissions = std::to_array<std::pair<Permission, std::string_view>>(
    {{Permission::read, "READ"},
     {Permission::write, "WRITE"},
     {Permission::read_acp, "READ_ACP"},
     {Permission::write_acp, "WRITE_ACP"},
     {Permission::full_control, "FULL_CONTROL"}});
constexpr auto kGroups = std::to_array<std::pair<Kind, std::string_view>>(
    {{Kind::everyone, "http://acs.amazonaws.com/groups/global/AllUsers"},
     {Kind::authenticated, "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"},
     {Kind::log_delivery, "http://acs.amazonaws.com/groups/s3/LogDelivery"}});

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  const auto at = std::ranges::find(table, value, &Table::value_type::first);
  return at == table.end() ? std::string_view() : at->second;
}

template <class Value, class Table>
std::optional<Value> value_in(const Table& table, std::string_view name) {
  const auto at = std::ranges::find(table, name, &Table::value_type::second);
  return at == table.end() ? std::nullopt : std::optional<Value>(at->first);
}

bool covers(Permission granted, Permission needed) {
  const auto bits = static_cast<unsigned>(needed);
  return (static_cast<unsigned>(granted) & bits) == bits;
}

struct NeedRow {
  std::string_view action;
  AclNeed need;
};
/// As in "Mapping of ACL permissions and access policy permissions". WRITE of a bucket also
/// deletes, as S3 has it for whoever may overwrite.
constexpr auto kNeeds = std::to_array<NeedRow>({
    {"s3:ListBucket", {false, Permission::read}},
    {"s3:ListBucketVersions", {false, Permission::read}},
    {"s3:ListBucketMultipartUploads", {false, Permission::read}},
    {"s3:PutObject", {false, Permission::write}},
    {"s3:DeleteObject", {false, Permission::write}},
    {"s3:AbortMultipartUpload", {false, Permission::write}},
    {"s3:ListMultipartUploadParts", {false, Permission::write}},
    {"s3:GetBucketAcl", {false, Permission::read_acp}},
    {"s3:PutBucketAcl", {false, Permission::write_acp}},
    {"s3:GetObject", {true, Permission::read}},
    {"s3:GetObjectVersion", {true, Permission::read}},
    {"s3:GetObjectAcl", {true, Permission::read_acp}},
    {"s3:GetObjectVersionAcl", {true, Permission::read_acp}},
    {"s3:PutObjectAcl", {true, Permission::write_acp}},
    {"s3:PutObjectVersionAcl", {true, Permission::write_acp}},
});

bool reads(const Grantee& grantee, const policy::Subject& subject, bool foreign) {
  using Who = policy::Subject::Kind;
  switch (grantee.kind) {
    case Kind::everyone:
      return true;
    case Kind::authenticated:
      return subject.kind != Who::anonymous;
    case Kind::account:
      return subject.kind != Who::anonymous && grantee.id == subject.canonical_id &&
             (foreign || subject.kind == Who::root);
    case Kind::log_delivery:  // nobody that signs requests here
      break;
  }
  return false;
}

}  // namespace

std::string_view to_string(Ownership ownership) { return name_in(kOwnerships, ownership); }
std::optional<Ownership> parse_ownership(std::string_view name) {
  return value_in<Ownership>(kOwnerships, name);
}
std::string_view to_string(Permission permission) { return name_in(kPermissions, permission); }
std::optional<Permission> parse_permission(std::string_view name) {
  return value_in<Permission>(kPermissions, name);
}
std::string_view group_uri(Kind kind) { return name_in(kGroups, kind); }
std::optional<Kind> parse_group(std::string_view uri) { return value_in<Kind>(kGroups, uri); }

Acl private_acl(std::string_view owner) {
  return {std::string(owner), {{{Kind::account, std::string(owner)}, Permission::full_control}}};
}

std::optional<Acl> canned_acl(std::string_view name,
                              std::string_view owner,
                              std::string_view bucket_owner) {
  Acl out = private_acl(owner);
  const auto add = [&](Kind kind, std::string_view id, Permission permission) {
    out.grants.push_back({{kind, std::string(id)}, permission});
  };
  const bool shared = owner != bucket_owner;
  if (name == "private" || name == "aws-exec-read") {  // nobody here is Amazon EC2
    return out;
  }
  if (name == "public-read") {
    add(Kind::everyone, {}, Permission::read);
  } else if (name == "public-read-write") {
    add(Kind::everyone, {}, Permission::read);
    add(Kind::everyone, {}, Permission::write);
  } else if (name == "authenticated-read") {
    add(Kind::authenticated, {}, Permission::read);
  } else if (name == "log-delivery-write") {
    add(Kind::log_delivery, {}, Permission::write);
    add(Kind::log_delivery, {}, Permission::read_acp);
  } else if (name == "bucket-owner-read") {
    if (shared) {
      add(Kind::account, bucket_owner, Permission::read);
    }
  } else if (name == "bucket-owner-full-control") {
    if (shared) {
      add(Kind::account, bucket_owner, Permission::full_control);
    }
  } else {
    return std::nullopt;
  }
  return out;
}

bool is_public(const Acl& acl) {
  return std::ranges::any_of(acl.grants, [](const AclGrant& g) {
    return g.grantee.kind == Kind::everyone || g.grantee.kind == Kind::authenticated;
  });
}

std::string encode(const Acl& acl) {
  Writer w;
  w.u8(kVersion);
  w.str(acl.owner);
  w.varint(acl.grants.size());
  for (const AclGrant& grant : acl.grants) {
    w.u8(static_cast<std::uint8_t>(grant.grantee.kind));
    if (grant.grantee.kind == Kind::account) {
      w.str(grant.grantee.id);
    }
    w.u8(static_cast<std::uint8_t>(grant.permission));
  }
  return std::move(w).take();
}

Result<Acl> decode_acl(std::string_view text) {
  Reader r(text);
  Acl out;
  const std::uint8_t version = r.u8();
  out.owner = r.str(kMaxCanonicalId);
  for (std::size_t n = r.count(kMaxGrants); n > 0 && r.ok(); --n) {
    AclGrant grant;
    grant.grantee.kind = static_cast<Kind>(r.u8());
    if (grant.grantee.kind == Kind::account) {
      grant.grantee.id = r.str(kMaxCanonicalId);
    } else if (group_uri(grant.grantee.kind).empty()) {
      r.fail();
    }
    grant.permission = static_cast<Permission>(r.u8());
    if (to_string(grant.permission).empty()) {
      r.fail();
    }
    out.grants.push_back(std::move(grant));
  }
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "ACL malformed");
  }
  return out;
}

std::optional<AclNeed> acl_need(policy::Action action) {
  static const auto known = [] {
    std::vector<std::pair<policy::Action, AclNeed>> out;
    for (const NeedRow& row : kNeeds) {
      out.emplace_back(policy::find_action(row.action).value(), row.need);
    }
    return out;
  }();
  const auto at = std::ranges::find(known, action, &std::pair<policy::Action, AclNeed>::first);
  return at == known.end() ? std::nullopt : std::optional(at->second);
}

AclAnswer ask(const Acl& acl, Permission needed, const policy::Subject& subject, bool foreign) {
  AclAnswer out;
  bool named = false;
  for (const AclGrant& grant : acl.grants) {
    if (covers(grant.permission, needed) && reads(grant.grantee, subject, foreign)) {
      out.allows = true;
      named = named || grant.grantee.kind == Kind::account;
    }
  }
  // The owner can always look at the list and change it.
  const bool acp = needed == Permission::read_acp || needed == Permission::write_acp;
  const bool owner =
      subject.kind == policy::Subject::Kind::root && subject.canonical_id == acl.owner;
  if (acp && owner) {
    out.allows = named = true;
  }
  out.only_public = out.allows && !named;
  return out;
}

}  // namespace outcrop::access
