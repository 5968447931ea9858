#include "api/s3/rgw.h"

#include <algorithm>
#include <array>

#include "api/s3/call.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3::rgw {
namespace {

struct OtherCode {
  Code aws, rgw;
};
constexpr auto kOtherCodes = std::to_array<OtherCode>({
    {Code::authorization_query_parameters_error, Code::access_denied},
    {Code::invalid_checksum, Code::bad_digest},
    {Code::invalid_part_number, Code::invalid_part},
    {Code::too_many_tags, Code::invalid_tag},
    {Code::wrong_client_key, Code::invalid_argument},
});

bool is_unsigned(const http::Request& request, const Seen& seen) {
  return !request.header("authorization") && !seen.target.param("X-Amz-Signature");
}

http::Response no_buckets() {
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Buckets").close();
  return xml_response(std::move(xml).take());
}

http::Response not_public() {
  XmlWriter xml("PolicyStatus");
  xml.flag("IsPublic", false);
  return xml_response(std::move(xml).take());
}

}  // namespace

Outcome<http::Response> answer_of(S3Error refusal, const http::Request& request, const Seen& seen) {
  const OpId op = seen.op != nullptr ? seen.op->id : OpId::unknown;
  if (op == OpId::list_buckets && refusal.code == Code::access_denied &&
      is_unsigned(request, seen)) {
    return no_buckets();
  }
  if (op == OpId::get_bucket_policy_status && refusal.code == Code::no_such_bucket_policy) {
    return not_public();
  }
  if (refusal.code == Code::not_implemented && seen.target.param("torrent")) {
    return fail(Code::no_such_key);
  }
  const bool reads = op == OpId::get_object || op == OpId::head_object;
  if (reads && refusal.code == Code::no_such_key && refusal.headers.empty()) {
    refusal.headers.emplace_back("x-amz-delete-marker", "false");
  }
  const auto* const other = std::ranges::find(kOtherCodes, refusal.code, &OtherCode::aws);
  if (other != kOtherCodes.end()) {
    refusal.code = other->rgw;
  }
  return std::unexpected(std::move(refusal));
}

Async<Outcome<bool>> settle_conditions(ns::Namespace& ns,
                                       std::string_view bucket,
                                       std::string_view key,
                                       ns::Conditions& conditions) {
  if (!conditions.if_match && !conditions.if_size && !conditions.if_mtime) {
    co_return true;
  }
  const auto top = co_await ns.stat(bucket, key);
  if (top) {
    co_return true;
  }
  if (top.error().code() == Errc::no_such_key) {
    co_return false;
  }
  if (top.error().code() != Errc::key_deleted) {
    co_return std::unexpected(S3Error(top.error()));
  }
  if (conditions.if_match != "*" || conditions.if_size || conditions.if_mtime) {
    co_return fail(Code::precondition_failed);
  }
  conditions.if_match.reset();
  co_return true;
}

void keep_last(std::vector<ns::CompletePart>& parts) {
  std::vector<ns::CompletePart> kept;
  for (ns::CompletePart& part : parts) {
    if (!kept.empty() && kept.back().number == part.number) {
      kept.pop_back();
    }
    kept.push_back(std::move(part));
  }
  parts = std::move(kept);
}

Task<> add_stats(ns::Namespace& ns, std::string_view bucket, http::Response& response) {
  CO_TRY(const ns::BucketUsage usage, co_await ns.get_usage(bucket));
  response.set("x-rgw-object-count", std::to_string(usage.used.objects));
  response.set("x-rgw-bytes-used", std::to_string(usage.used.bytes));
  co_return ok();
}

}  // namespace outcrop::s3::rgw
