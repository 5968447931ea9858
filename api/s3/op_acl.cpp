// ACLs and OwnershipControls. Who may do what is said by policies: an ACL is accepted if it says
// what is the case anyway (acl.h).
#include "api/s3/acl.h"
#include "api/s3/bucket_settings.h"
#include "api/s3/call.h"
#include "api/s3/existing_tags.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

std::string acl_document(const S3Config& config) {
  XmlWriter xml("AccessControlPolicy");
  xml.open("Owner").text("ID", config.owner_id).text("DisplayName", config.owner_name).close();
  xml.open("AccessControlList").open("Grant");
  xml.open("Grantee",
           " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"");
  xml.text("ID", config.owner_id).text("DisplayName", config.owner_name).close();
  xml.text("Permission", "FULL_CONTROL");
  return std::move(xml).take();
}

/// The bucket or object must exist.
Async<Outcome<>> check_exists(Call& call) {
  if (call.op.scope == Scope::bucket) {
    S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return Outcome<>{};
  }
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  co_return confirm_existing_tags(call, info);
}

bool controls_deleted(const Call& call) {
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  return settings && settings->documents.contains(Setting::no_ownership);
}

}  // namespace

Outcome<> refuse_acl(const Call& call) {
  if (call.op.id == OpId::create_bucket) {
    return fail(Code::invalid_bucket_acl);
  }
  // Without OwnershipControls AWS would take it.
  return controls_deleted(call)
             ? fail(Code::not_implemented,
                    "ACLs that grant something to others than the owner are not implemented by "
                    "this server: use a policy.")
             : fail(Code::access_control_list_not_supported);
}

Answer get_acl(Call& call) {
  S3_CO_TRYV(co_await check_exists(call));
  co_return xml_response(acl_document(call.config));
}

/// An ACL in headers was looked at already, as one of any request.
Answer put_acl(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRYV(co_await check_exists(call));
  const bool canned = call.header("x-amz-acl").has_value();
  if (canned && !text.empty()) {
    co_return fail(Code::unexpected_content);
  }
  if (!canned && text.empty()) {
    co_return fail(Code::missing_security_header);
  }
  if (!canned) {
    S3_CO_TRY(const bool owners, owner_only(std::move(text), call.config.owner_id));
    if (!owners) {
      S3_CO_TRYV(refuse_acl(call));
    }
  }
  co_return empty_response(200);
}

Answer get_bucket_ownership_controls(Call& call) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  if (const BucketSettingsPtr settings = call.settings.find(call.bucket())) {
    S3_CO_TRYV(check_readable(*settings));
  }
  if (controls_deleted(call)) {
    co_return fail(Code::ownership_controls_not_found);
  }
  XmlWriter xml("OwnershipControls");
  xml.open("Rule").text("ObjectOwnership", "BucketOwnerEnforced");
  co_return xml_response(std::move(xml).take());
}

Answer put_bucket_ownership_controls(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const std::string ownership, parse_ownership(std::move(text)));
  if (ownership != "BucketOwnerEnforced") {
    co_return fail(Code::not_implemented,
                   "ObjectOwnership " + ownership +
                       " is not implemented by this server: objects belong to the owner of their "
                       "bucket.");
  }
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  if (next.unreadable || next.documents.contains(Setting::no_ownership)) {
    erase_document(next, Setting::no_ownership);
    S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  }
  co_return empty_response(200);
}

Answer delete_bucket_ownership_controls(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  S3_CO_TRYV(set_document(next, Setting::no_ownership, {}));
  S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  co_return empty_response(204);
}

}  // namespace outcrop::s3
