// DeleteObject and DeleteObjects.
#include <algorithm>
#include <vector>

#include "api/s3/audit.h"
#include "api/s3/call.h"
#include "api/s3/object_lock.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/rgw.h"
#include "api/s3/xml_in.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

Outcome<Grant> check_entry(const Call& call, const DeleteEntry& entry) {
  const policy::Action action = action_of(call.op);
  call.context.set_version(entry.version_id);
  S3_TRY(Grant grant, authorize(call.asker, entry.version_id ? versioned(action) : action,
                                call.bucket(), entry.key));
  if (entry.version_id && !ns::parse_version_id(*entry.version_id)) {
    return fail(Code::no_such_version);
  }
  if (entry.key.size() > ns::kMaxKeyBytes) {
    return fail(Code::key_too_long);
  }
  return grant;
}

/// If-Match wants an object: without one the answer is NoSuchKey, as AWS's is. The other two are
/// x-amz-if-match-size and -last-modified-time, which AWS has for directory buckets; they hold
/// where there is none.
Outcome<ns::Conditions> delete_conditions(const Call& call) {
  ns::Conditions out;
  if (const auto etag = call.header("if-match")) {
    out.if_match = *etag;
  }
  if (const auto size = call.header("x-amz-if-match-size")) {
    out.if_size = parse_number(*size);
    if (!out.if_size) {
      return bad_argument({}, "x-amz-if-match-size", std::string(*size));
    }
  }
  if (const auto date = call.header("x-amz-if-match-last-modified-time")) {
    out.if_mtime = parse_http_date(*date);
    if (!out.if_mtime) {
      return bad_argument({}, "x-amz-if-match-last-modified-time", std::string(*date));
    }
  }
  return out;
}

Async<Outcome<Grant>> delete_entry(Call& call,
                                   const DeleteEntry& entry,
                                   Outcome<Grant> checked,
                                   ns::Deletion& done) {
  S3_CO_TRY(Grant grant, std::move(checked));
  ns::Conditions conditions;
  conditions.if_match = entry.etag;
  conditions.if_size = entry.size;
  conditions.if_mtime = entry.mtime;
  if (entry.version_id) {
    call.context.set_version(entry.version_id);
    conditions.bypass_governance = bypasses_governance(call, entry.key);
  }
  if (call.rgw() && !entry.version_id) {
    S3_CO_TRY(const bool goes_on,
              co_await rgw::settle_conditions(call.ns, call.bucket(), entry.key, conditions));
    if (!goes_on) {
      co_return grant;
    }
  }
  S3_CO_TRY(done,
            co_await call.ns.remove_version(call.bucket(), entry.key, entry.version_id.value_or(""),
                                            std::move(conditions)));
  co_return grant;
}

bool is_denied(const Outcome<Grant>& checked) {
  return !checked && checked.error().code == Code::access_denied;
}

}  // namespace

Answer delete_object(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  for (const std::string_view name :
       {"if-none-match", "if-modified-since", "if-unmodified-since"}) {
    if (call.header(name)) {
      co_return unsupported(name);
    }
  }
  S3_CO_TRY(ns::Conditions conditions, delete_conditions(call));
  conditions.bypass_governance = !version.empty() && bypasses_governance(call, call.key());
  if (call.rgw() && version.empty()) {
    S3_CO_TRY(const bool goes_on,
              co_await rgw::settle_conditions(call.ns, call.bucket(), call.key(), conditions));
    if (!goes_on) {
      co_return empty_response(204);
    }
  }
  S3_CO_TRY(
      const ns::Deletion done,
      co_await call.ns.remove_version(call.bucket(), call.key(), version, std::move(conditions)));
  http::Response response = empty_response(204);
  if (done.marker) {
    response.set("x-amz-delete-marker", "true");
  }
  add_version(call, done.version_id.empty() ? version : std::string_view(done.version_id),
              response);
  co_return response;
}

Answer delete_objects(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const DeleteDocument document, parse_delete(std::move(text)));
  std::vector<Outcome<Grant>> checked;
  for (const DeleteEntry& entry : document.entries) {
    checked.push_back(check_entry(call, entry));
  }
  // Whether there is such a bucket is told to those only who may delete something in it.
  if (!std::ranges::all_of(checked, is_denied)) {
    S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  }
  XmlWriter xml("DeleteResult");
  for (std::size_t i = 0; i < checked.size(); ++i) {
    const DeleteEntry& entry = document.entries[i];
    ns::Deletion done;
    const auto deleted = co_await delete_entry(call, entry, std::move(checked[i]), done);
    audit_key(call, entry.key, deleted);
    if (deleted && document.quiet) {
      continue;
    }
    xml.open(deleted ? "Deleted" : "Error").text("Key", entry.key);
    if (entry.version_id) {
      xml.text("VersionId", *entry.version_id);
    }
    if (deleted && done.marker) {
      xml.flag("DeleteMarker", true).text("DeleteMarkerVersionId", done.version_id);
    }
    if (!deleted) {
      const S3Error& error = deleted.error();
      xml.text("Code", row(error.code).name);
      xml.text("Message",
               error.message.empty() ? row(error.code).message : std::string_view(error.message));
    }
    xml.close();
  }
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
