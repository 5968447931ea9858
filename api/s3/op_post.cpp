// PostObject: an upload from a browser's form. The fields become the headers of the PutObject that
// the form stands for; who may do it is decided by the form's own signature, and by its policy.
#include <algorithm>
#include <array>

#include "api/s3/acl.h"
#include "api/s3/audit.h"
#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/form_reader.h"
#include "api/s3/object_lock.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/post_policy.h"
#include "api/s3/tags.h"
#include "api/s3/xml_out.h"
#include "auth/target.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

using digest::Algorithm;

constexpr std::string_view kFileName = "${filename}";

/// The PutObject that a form stands for.
struct Upload {
  http::Request request;
  auth::Target target;
  auth::Authentication auth;
  PostPolicy policy;  ///< of a form without one: nothing is restricted
};

std::unexpected<S3Error> missing_field(const std::string& name) {
  return bad_argument("Bucket POST must contain a field named '" + name +
                          "'.  If it is specified, please check the order of the fields.",
                      name, "");
}

Outcome<> check_form(const Form& form) {
  if (!form.find("key")) {
    return missing_field("key");
  }
  if (!form.has_file) {
    return bad_argument("POST requires exactly one file upload per request.", "file", "");
  }
  return {};
}

Outcome<std::string> key_of(const Form& form) {
  std::string key(form.find("key").value_or(""));
  if (const auto at = key.find(kFileName); at != key.npos) {
    key.replace(at, kFileName.size(), form.file_name);
  }
  if (key.empty()) {
    return bad_argument("User key must have a length greater than 0.", "key", "");
  }
  if (key.size() > ns::kMaxKeyBytes) {
    return fail(Code::key_too_long, {},
                {{"Size", std::to_string(key.size())},
                 {"MaxSizeAllowed", std::to_string(ns::kMaxKeyBytes)}});
  }
  if (!auth::check_key(key)) {
    return fail(Code::invalid_argument, "The key is not valid UTF-8.");
  }
  return key;
}

constexpr std::array<std::string_view, 5> kFieldsV4{"policy", "x-amz-algorithm", "x-amz-credential",
                                                    "x-amz-date", "x-amz-signature"};
constexpr std::array<std::string_view, 3> kFieldsV2{"AWSAccessKeyId", "policy", "signature"};

/// The signature that the form has; nothing if nobody signed it. All of its fields, and of one
/// version only: which of two counts must not depend on who reads it.
Outcome<std::optional<auth::PostSignature>> signature_of(const Form& form) {
  const auto has = [&](std::string_view name) { return form.find(lower(name)).has_value(); };
  const bool v2 = has("AWSAccessKeyId") || has("signature");
  const bool v4 = std::ranges::any_of(std::span(kFieldsV4).subspan(1), has);
  if (v2 && v4) {
    return fail(Code::invalid_argument,
                "Only one auth mechanism allowed; only the fields of one signature should be "
                "specified");
  }
  if (!v2 && !v4 && !has("policy")) {
    return std::nullopt;
  }
  const std::span<const std::string_view> needed =
      v2 ? std::span<const std::string_view>(kFieldsV2) : kFieldsV4;
  const auto absent = std::ranges::find_if_not(needed, has);
  if (absent != needed.end()) {
    return missing_field(std::string(*absent));
  }
  auth::PostSignature out;
  out.policy = *form.find("policy");
  out.token = form.find("x-amz-security-token");
  if (v2) {
    out.version = auth::SignatureVersion::v2;
    out.credential = *form.find("awsaccesskeyid");
    out.signature = *form.find("signature");
    return out;
  }
  out.algorithm = *form.find("x-amz-algorithm");
  out.credential = *form.find("x-amz-credential");
  out.date = *form.find("x-amz-date");
  out.signature = *form.find("x-amz-signature");
  return out;
}

/// Who filled in the form. Without a policy it is anonymous, and must not look signed.
Outcome<auth::Authentication> signer_of(const Call& call, const Form& form) {
  auth::Authentication out;
  out.form = true;
  S3_TRY(const auto signature, signature_of(form));
  if (!signature) {
    return out;
  }
  if (!call.config.authenticate_post) {
    return fail(Code::access_denied);
  }
  auto who = call.config.authenticate_post(*signature);
  if (!who) {
    return std::unexpected(S3Error(who.error()));
  }
  out.principal = *std::move(who);
  out.version = signature->version;
  return out;
}

/// The header that a field stands for; empty: none.
std::string_view header_of(std::string_view field) {
  constexpr auto kPlain = std::to_array<std::string_view>(
      {"cache-control", "content-disposition", "content-encoding", "content-language",
       "content-md5", "content-type", "expires"});
  constexpr auto kSigning = std::to_array<std::string_view>(
      {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-security-token"});
  if (field == "acl") {
    return "x-amz-acl";
  }
  const bool signing = std::ranges::find(kSigning, field) != kSigning.end();
  const bool plain = std::ranges::find(kPlain, field) != kPlain.end();
  return plain || (field.starts_with("x-amz-") && !signing) ? field : std::string_view{};
}

/// What HTTP framing guarantees of headers is not true of form fields.
Outcome<> check_header(std::string_view name, std::string_view value) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  if (name.find_first_not_of(kToken) != name.npos || !valid_header_value(value)) {
    return bad_argument("The name or value of a field is not valid.", std::string(name),
                        std::string(value));
  }
  return {};
}

Outcome<std::vector<http::Header>> headers_of(const Call& call, const Form& form) {
  std::vector<http::Header> out;
  for (const std::string_view kept : {"host", "referer", "user-agent"}) {
    if (const auto value = call.request.header(kept)) {
      out.push_back({std::string(kept), std::string(*value)});
    }
  }
  for (const FormField& field : form.fields) {
    if (const std::string_view name = header_of(field.name); !name.empty()) {
      S3_TRYV(check_header(name, field.value));
      out.push_back({std::string(name), field.value});
    }
  }
  if (const auto tagging = form.find("tagging")) {
    S3_TRY(const ns::StringPairs tags, parse_tagging(std::string(*tagging), TagOwner::object));
    out.push_back({"x-amz-tagging", tagging_header(tags)});
  }
  return out;
}

/// The policy speaks of the key as it will be: the form gets it, too.
Outcome<Upload> upload_of(const Call& call, Form& form) {
  Upload out;
  S3_TRY(out.auth, signer_of(call, form));
  call.seen.who = out.auth.principal;
  out.target.bucket = call.bucket();
  out.target.virtual_host = call.target.virtual_host;
  S3_TRY(out.target.key, key_of(form));
  call.seen.target.key = out.target.key;
  std::ranges::find(form.fields, "key", &FormField::name)->value = out.target.key;
  if (const auto policy = form.find("policy")) {
    S3_TRY(out.policy, parse_post_policy(*policy));
    S3_TRYV(check_post_policy(out.policy, form, call.bucket(),
                              call.context.clock().wall_ns() / 1'000'000'000));
  }
  out.request.method = call.request.method;
  out.request.target = call.request.target;
  out.request.remote = call.request.remote;
  out.request.id = call.request.id;
  out.request.secure = call.request.secure;
  S3_TRY(out.request.headers, headers_of(call, form));
  return out;
}

/// The file into `writer`; ETag and checksum into `put`, compared with what the form promised.
Async<Outcome<>> receive_file(const Call& call,
                              FormReader& reader,
                              const PostPolicy& policy,
                              const PayloadPlan& plan,
                              ns::ObjectWriter& writer,
                              bool with_md5,
                              ns::PutRequest& put) {
  PostPolicy limits = policy;
  limits.most = std::min(limits.most, kMaxPutBytes);
  digest::Digest md5(with_md5 ? Algorithm::md5 : Algorithm::none);
  digest::Digest sum(plan.algorithm);
  for (;;) {
    S3_CO_TRY(const std::string_view piece, co_await reader.next());
    S3_CO_TRYV(check_post_size(limits, writer.size() + piece.size(), piece.empty()));
    if (piece.empty()) {
      break;
    }
    md5.update(as_bytes(piece));
    sum.update(as_bytes(piece));
    S3_CO_TRYV(co_await append(writer, as_bytes(piece)));
  }
  const std::string raw = md5.value();
  if (!plan.md5.empty() && plan.md5 != raw) {
    co_return fail(Code::bad_digest);
  }
  put.etag = etag_of(call, put.attributes.envelope, digest::to_hex(as_bytes(raw)));
  if (plan.algorithm != Algorithm::none) {
    put.checksum = {plan.algorithm, digest::ChecksumType::full_object, sum.value()};
    if (put.checksum.value != plan.checksum) {
      co_return fail(Code::bad_digest, "The " + std::string(digest::name(plan.algorithm)) +
                                           " you specified did not match the calculated checksum.");
    }
  }
  co_return Outcome<>{};
}

bool is_url(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) &&
         std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

std::string redirect_to(std::string_view url, const Call& put, const ns::ObjectInfo& info) {
  std::string out(url);
  out.append(url.find('?') == url.npos ? "?" : "&").append("bucket=");
  auth::uri_encode(put.bucket(), auth::Slash::encode, out);
  out.append("&key=");
  auth::uri_encode(put.key(), auth::Slash::encode, out);
  out.append("&etag=");
  auth::uri_encode(quoted_etag(info.etag), auth::Slash::encode, out);
  return out;
}

http::Response post_response(const Form& form, const Call& put, const ns::ObjectInfo& info) {
  http::Response response = empty_response(204);
  const std::string_view url =
      form.find("success_action_redirect").value_or(form.find("redirect").value_or(""));
  const std::string_view status = form.find("success_action_status").value_or("");
  std::string location = object_location(put);
  if (is_url(url)) {
    response.status = 303;
    location = redirect_to(url, put, info);
  } else if (status == "201") {
    XmlWriter xml("PostResponse", XmlWriter::Namespace::none);
    xml.text("Location", location).text("Bucket", put.bucket()).text("Key", put.key());
    xml.quoted("ETag", info.etag);
    response = xml_response(std::move(xml).take());
    response.status = 201;
  } else if (status == "200") {
    response.status = 200;
  }
  response.set("Location", std::move(location));
  response.set("ETag", quoted_etag(info.etag));
  add_checksum(response, info.checksum, 0);
  add_encryption(put, info.attributes.envelope, response, true);
  add_new_version(info.version_id, response);
  add_expiration(put, info, response);
  return response;
}

/// The bytes of the file are next.
Answer put_form(const Form& form, Call& put, const PostPolicy& policy, FormReader& reader) {
  S3_CO_TRYV(check_features(put));
  S3_CO_TRY(const PayloadPlan plan, plan_payload(put));
  ns::PutRequest request;
  S3_CO_TRY(request.attributes, tagged_attributes_of(put));
  S3_CO_TRY(request.attributes.acl, new_object_acl(put));
  S3_CO_TRY(request.attributes.lock, co_await requested_lock(put));
  request.file = file_fields_of(put, request.attributes);
  // The form around the file is small: as a hint the size of both is good enough.
  const std::uint64_t hint = std::min(put.body.content_length().value_or(0), kMaxPutBytes);
  Sealing sealing;
  if (may_seal(put)) {
    S3_CO_TRY(sealing, co_await sealing_of(put));
  }
  NewSeal seal = new_seal(put, sealing);
  request.attributes.envelope = std::move(seal.envelope);
  S3_CO_TRY(auto writer, co_await put.ns.open_write(
                             put.bucket(), put.key(),
                             {.size_hint = hint, .seal = std::move(seal.key), .about = true}));
  const bool with_md5 = !plan.md5.empty() || (sealing.has_md5() && !has_fast_etags(put));
  S3_CO_TRYV(co_await receive_file(put, reader, policy, plan, *writer, with_md5, request));
  S3_CO_TRYV(confirm_owner(put));
  S3_CO_TRY(const ns::ObjectInfo info,
            co_await put.ns.put(put.bucket(), put.key(), std::move(writer), std::move(request)));
  co_return post_response(form, put, info);
}

}  // namespace

Answer post_object(Call& call) {
  const auto boundary = form_boundary(call.request.header("content-type").value_or(""));
  if (!boundary) {
    co_return fail(
        Code::precondition_failed, {},
        {{"Condition", "Bucket POST must be of the enclosure-type multipart/form-data"}});
  }
  FormReader reader(call.body, *boundary);
  S3_CO_TRY(Form form, co_await reader.read_fields());
  S3_CO_TRYV(check_form(form));
  S3_CO_TRY(const Upload upload, upload_of(call, form));
  const std::vector<http::Header> none;
  RequestContext context({.request = upload.request,
                          .target = upload.target,
                          .auth = upload.auth,
                          .hoisted = none,
                          .clock = call.context.clock(),
                          .region = call.config.region});
  context.set_bucket_account(access::owner_account(call.access.find(call.bucket()).get()));
  context.take_tags_of_header();
  const Asker asker{upload.auth.principal, context, call.access, call.config.owner_id};
  const Op& op = op_row(OpId::put_object);
  S3_CO_TRY(call.grant, authorize_now(asker, op, upload.target));
  Call put{upload.request, call.body,   upload.auth,   call.grant, upload.target, op,   asker,
           context,        call.access, call.settings, call.ns,    call.config,   none, call.seen};
  co_return co_await put_form(form, put, upload.policy, reader);
}

}  // namespace outcrop::s3
