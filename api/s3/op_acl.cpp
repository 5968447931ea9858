// ACLs and OwnershipControls of buckets and objects.
#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/existing_tags.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

using access::Acl;
using access::BucketAccess;
using access::Ownership;

/// The object, which must exist and be what was decided on.
Async<Outcome<ns::ObjectInfo>> find_object(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  S3_CO_TRYV(confirm_existing_tags(call, info));
  co_return info;
}

Acl object_acl(const Call& call, const ns::ObjectInfo& info) {
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const bool counts = access && access->ownership != Ownership::enforced;
  return acl_of_object(call.asker, access.get(), counts ? info.attributes.acl : std::string());
}

/// By headers or by a document, not by both.
Outcome<Acl> asked_acl(const Call& call, std::string text, const AclSubject& subject) {
  S3_TRY(std::optional<Acl> acl, acl_of_headers(call, subject));
  if (acl && !text.empty()) {
    return fail(Code::unexpected_content);
  }
  if (!acl && text.empty()) {
    return fail(Code::missing_security_header);
  }
  if (acl) {
    return *std::move(acl);
  }
  S3_TRY(Acl parsed, parse_acl(call.config, std::move(text), subject.owner));
  S3_TRYV(check_acl(call, subject, parsed));
  return parsed;
}

/// Of the object that was decided on: its owner stays, and another one that takes its place
/// meanwhile does not get him.
Async<Outcome<>> put_object_acl(Call& call, const std::string& text) {
  for (int attempt = 0; attempt < kMaxTagAttempts; ++attempt) {
    S3_CO_TRY(const ns::ObjectInfo info, co_await find_object(call));
    S3_CO_TRYV(confirm_owner(call));
    AclSubject subject = new_subject(call);
    subject.owner = object_acl(call, info).owner;
    S3_CO_TRY(const Acl acl, asked_acl(call, text, subject));
    if (subject.ownership == Ownership::enforced) {
      co_return Outcome<>{};
    }
    const auto set = co_await call.ns.set_acl(call.bucket(), call.key(),
                                              call.query_or("versionId", ""), access::encode(acl),
                                              info.attributes.acl, call.context.existing_tags());
    if (set || set.error().code() != Errc::conflict) {
      S3_CO_TRYV(set);
      co_return Outcome<>{};
    }
  }
  co_return fail(Code::operation_aborted);
}

/// Of a bucket that is nobody's since its record was damaged: whom the document names.
Outcome<> name_owner(const Call& call, const std::string& text, BucketAccess& bucket) {
  S3_TRY(const std::string id, owner_in_acl(text));
  const auto account =
      call.config.accounts != nullptr ? call.config.accounts->find_canonical(id) : std::nullopt;
  if (!account && id != call.config.owner_id) {
    return bad_argument("Invalid id", "CanonicalUser/ID", id);
  }
  bucket.owner = account ? account->canonical_id : std::string();
  bucket.account = account ? account->id : std::string();
  return {};
}

Async<Outcome<>> put_bucket_acl(Call& call, std::string text) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  const bool named = next.owner == access::kNobody && call.auth.principal.root;
  if (named) {
    S3_CO_TRYV(name_owner(call, text, next));
  }
  AclSubject subject = new_subject(call);
  subject.owner = subject.bucket_owner = call.asker.owner_of(&next);
  S3_CO_TRY(Acl acl, asked_acl(call, std::move(text), subject));
  const bool counts = subject.ownership != Ownership::enforced;
  if (counts) {
    next.acl = std::move(acl);
  }
  if (counts || named) {
    S3_CO_TRYV(co_await call.access.put(held, std::move(next)));
  }
  co_return Outcome<>{};
}

Async<Outcome<http::Response>> put_ownership(Call& call, Ownership ownership, int status) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketAccess next, co_await current_access(call));
  const Acl unshared = access::private_acl(call.asker.owner_of(&next));
  if (ownership == Ownership::enforced && next.acl && *next.acl != unshared) {
    co_return fail(Code::invalid_bucket_acl);
  }
  next.ownership = ownership;
  next.ownership_chosen = ownership == Ownership::enforced;
  S3_CO_TRYV(co_await call.access.put(held, std::move(next)));
  co_return empty_response(status);
}

}  // namespace

Answer get_acl(Call& call) {
  if (call.op.scope == Scope::object) {
    S3_CO_TRY(const ns::ObjectInfo info, co_await find_object(call));
    co_return xml_response(acl_document(call.config, object_acl(call, info)));
  }
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const bool counts = access && access->ownership != Ownership::enforced;
  co_return xml_response(
      acl_document(call.config, counts ? acl_of_bucket(call.asker, access.get())
                                       : access::private_acl(call.asker.owner_of(access.get()))));
}

Answer put_acl(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  if (call.op.scope == Scope::object) {
    S3_CO_TRYV(co_await put_object_acl(call, text));
  } else {
    S3_CO_TRYV(co_await put_bucket_acl(call, std::move(text)));
  }
  co_return empty_response(200);
}

Answer get_bucket_ownership_controls(Call& call) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  const Ownership ownership = access ? access->ownership : Ownership::enforced;
  if (ownership == Ownership::none) {
    co_return fail(Code::ownership_controls_not_found);
  }
  XmlWriter xml("OwnershipControls");
  xml.open("Rule").text("ObjectOwnership", access::to_string(ownership));
  co_return xml_response(std::move(xml).take());
}

Answer put_bucket_ownership_controls(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const Ownership ownership, parse_ownership(std::move(text)));
  co_return co_await put_ownership(call, ownership, 200);
}

Answer delete_bucket_ownership_controls(Call& call) {
  co_return co_await put_ownership(call, Ownership::none, 204);
}

}  // namespace outcrop::s3
