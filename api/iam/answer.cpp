#include "api/iam/answer.h"

#include <algorithm>
#include <charconv>

#include "api/s3/headers.h"
#include "auth/identity/limits.h"
#include "auth/policy/pattern.h"
#include "auth/uri.h"

namespace outcrop::iam {
namespace {

constexpr std::size_t kMaxPage = 1000, kUsualPage = 100;

std::string_view namespace_of(std::string_view service) {
  return service == "sts" ? "https://sts.amazonaws.com/doc/2011-06-15/"
                          : "https://iam.amazonaws.com/doc/2010-05-08/";
}

}  // namespace

Failure failure_of(const identity::IamError& error) {
  using identity::IamCode;
  switch (error.code) {
    case IamCode::no_such_entity:
      return {404, "NoSuchEntity", error.message};
    case IamCode::entity_already_exists:
      return {409, "EntityAlreadyExists", error.message};
    case IamCode::delete_conflict:
      return {409, "DeleteConflict", error.message};
    case IamCode::limit_exceeded:
      return {409, "LimitExceeded", error.message};
    case IamCode::malformed_policy:
      return {400, "MalformedPolicyDocument", error.message};
    case IamCode::validation:
      return {400, "ValidationError", error.message};
    case IamCode::invalid_input:
      return {400, "InvalidInput", error.message};
    case IamCode::invalid_token:
      return {400, "InvalidIdentityToken", error.message};
    case IamCode::expired_token:
      return {400, "ExpiredTokenException", error.message};
    case IamCode::rejected_claim:
      return {403, "IDPRejectedClaim", error.message};
    case IamCode::provider_unreachable:
      return {400, "IDPCommunicationError", error.message};
    case IamCode::access_denied:
      return {403, "AccessDenied", error.message};
    case IamCode::packed_too_large:
      return {400, "PackedPolicyTooLarge", error.message};
    case IamCode::not_implemented:
      return {501, "NotImplemented", error.message};
    case IamCode::unavailable:
      break;
  }
  return {503, "ServiceUnavailable", "The change could not be stored. Try again."};
}

identity::Checked<std::string> Call::user_name() const {
  if (const auto named = form.find("UserName")) {
    const identity::EntityPtr user = state->find(identity::EntityKind::user, *named);
    return user ? user->name : std::string(*named);
  }
  if (who.kind != policy::Subject::Kind::user) {
    return identity::refuse(identity::IamCode::validation,
                            "Must specify userName when calling with non-User credentials");
  }
  return who.user_name;
}

std::string date_text(std::int64_t ns) {
  std::string text = s3::format_iso_date(ns);
  const std::size_t point = text.find('.');
  return point == std::string::npos ? text : text.substr(0, point) + "Z";
}

std::string encoded(std::string_view document) {
  std::string out;
  auth::uri_encode(document, auth::Slash::encode, out);
  return out;
}

void write_entity(s3::XmlWriter& xml,
                  const identity::State& state,
                  const identity::Entity& e,
                  Extent extent) {
  using identity::EntityKind;
  xml.text("Path", e.path);
  switch (e.kind) {
    case EntityKind::user:
      xml.text("UserName", e.name).text("UserId", e.id);
      break;
    case EntityKind::group:
      xml.text("GroupName", e.name).text("GroupId", e.id);
      break;
    case EntityKind::role:
      xml.text("RoleName", e.name).text("RoleId", e.id);
      break;
  }
  xml.text("Arn", e.arn()).text("CreateDate", date_text(e.created_ns));
  if (e.kind == EntityKind::role) {
    xml.text("AssumeRolePolicyDocument", encoded(state.with_arns(e.trust->text)));
    xml.number("MaxSessionDuration", static_cast<std::uint64_t>(e.max_session));
    if (!e.description.empty()) {
      xml.text("Description", e.description);
    }
  }
  if (extent != Extent::whole) {
    return;
  }
  if (const identity::ManagedPtr boundary = state.find_policy(e.boundary)) {
    xml.open("PermissionsBoundary").text("PermissionsBoundaryType", "Policy");
    xml.text("PermissionsBoundaryArn", boundary->arn()).close();
  }
  write_tags(xml, e.tags);
}

void write_policy(s3::XmlWriter& xml,
                  const identity::ManagedPolicy& p,
                  const identity::State::Uses& uses) {
  xml.text("PolicyName", p.name).text("PolicyId", p.id).text("Arn", p.arn()).text("Path", p.path);
  xml.text("DefaultVersionId", version_id(p.number)).number("AttachmentCount", uses.attached);
  xml.number("PermissionsBoundaryUsageCount", uses.boundaries).flag("IsAttachable", true);
  if (!p.description.empty()) {
    xml.text("Description", p.description);
  }
  xml.text("CreateDate", date_text(p.created_ns)).text("UpdateDate", date_text(p.updated_ns()));
}

std::string version_id(std::uint32_t number) { return "v" + std::to_string(number); }

std::optional<std::uint32_t> version_number(std::string_view id) {
  std::uint32_t number = 0;
  const char* const last = id.data() + id.size();
  const auto [end, error] =
      std::from_chars(id.data() + std::min<std::size_t>(id.size(), 1), last, number);
  const bool whole = error == std::errc() && end == last && version_id(number) == id;
  return whole ? std::optional(number) : std::nullopt;
}

bool write_version(s3::XmlWriter& xml,
                   const identity::ManagedPolicy& p,
                   std::uint32_t number,
                   Documents documents) {
  const bool is_default = number == p.number;
  const auto other = std::ranges::find(p.others, number, &identity::PolicyVersion::number);
  if (!is_default && other == p.others.end()) {
    return false;
  }
  if (documents == Documents::shown) {
    xml.text("Document", encoded(is_default ? p.document->text : other->text));
  }
  xml.text("VersionId", version_id(number)).flag("IsDefaultVersion", is_default);
  xml.text("CreateDate", date_text(is_default ? p.version_ns : other->created_ns));
  return true;
}

void write_versions(s3::XmlWriter& xml, const identity::ManagedPolicy& p, Documents documents) {
  std::vector<std::uint32_t> numbers{p.number};
  std::ranges::transform(p.others, std::back_inserter(numbers), &identity::PolicyVersion::number);
  std::ranges::sort(numbers, std::greater());
  for (const std::uint32_t number : numbers) {
    xml.open("member");
    write_version(xml, p, number, documents);
    xml.close();
  }
}

identity::Checked<identity::ManagedPtr> named_policy(const Call& call) {
  const std::string arn = call.form.get("PolicyArn");
  if (identity::ManagedPtr found = call.state->find_policy_arn(arn)) {
    return found;
  }
  return identity::refuse(identity::IamCode::no_such_entity, "Policy " + arn + " was not found.");
}

identity::Checked<identity::ProviderPtr> named_provider(const Call& call) {
  const std::string arn = call.form.get("OpenIDConnectProviderArn");
  if (identity::ProviderPtr found = call.state->find_provider_arn(arn)) {
    return found;
  }
  return identity::refuse(identity::IamCode::no_such_entity,
                          "OpenIDConnect Provider not found for arn " + arn);
}

identity::Checked<std::vector<std::string>> page_of(Call& call, std::vector<std::string> names) {
  std::size_t most = kUsualPage;
  if (const auto text = call.form.find("MaxItems")) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), most);
    if (error != std::errc() || end != text->data() + text->size() || most < 1 || most > kMaxPage) {
      return identity::refuse(identity::IamCode::validation,
                              "MaxItems must be a number between 1 and 1000.");
    }
  }
  // As on AWS: whether letters are capital does not count, unless nothing else does.
  const auto before = [](const std::string& a, const std::string& b) {
    return policy::same_text(a, b) ? a < b : identity::NameOrder()(a, b);
  };
  std::ranges::sort(names, before);
  const std::string after = call.form.get("Marker");
  const auto first = after.empty() ? names.begin() : std::ranges::upper_bound(names, after, before);
  names.erase(names.begin(), first);
  const bool truncated = names.size() > most;
  names.resize(std::min(names.size(), most));
  call.xml.flag("IsTruncated", truncated);
  if (truncated) {
    call.xml.text("Marker", names.back());
  }
  return names;
}

std::string with_namespace(std::string document, std::string_view root, std::string_view service) {
  const std::string start = "<" + std::string(root);
  const std::size_t at = document.find(start) + start.size();
  document.insert(at, " xmlns=\"" + std::string(namespace_of(service)) + "\"");
  return document;
}

http::Response error_response(const Failure& failure,
                              std::string_view service,
                              std::string_view request_id) {
  s3::XmlWriter xml("ErrorResponse", s3::XmlWriter::Namespace::none);
  xml.open("Error").text("Type", failure.status >= 500 ? "Receiver" : "Sender");
  xml.text("Code", failure.code).text("Message", failure.message).close();
  xml.text("RequestId", request_id);
  http::Response response;
  response.status = failure.status;
  response.set("Content-Type", "text/xml");
  response.body = with_namespace(std::move(xml).take(), "ErrorResponse", service);
  return response;
}

}  // namespace outcrop::iam
