// Answers of IAM and STS as XML: entities, pages, errors.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/iam/call.h"

namespace outcrop::iam {

struct Failure {
  int status = 400;
  std::string code, message;
  std::optional<policy::Why> why{};  ///< of AccessDenied by a policy: for the audit log only
};
Failure failure_of(const identity::IamError& error);

/// "2026-11-21T23:19:36Z".
std::string date_text(std::int64_t ns);
/// What the lists of AWS say of an entity, or all.
enum class Extent : unsigned char { listed, whole };
void write_entity(s3::XmlWriter& xml,
                  const identity::State& state,
                  const identity::Entity& entity,
                  Extent extent);
/// Nothing if there are none.
void write_tags(s3::XmlWriter& xml, const identity::TagsPtr& tags);
void write_policy(s3::XmlWriter& xml,
                  const identity::ManagedPolicy& p,
                  const identity::State::Uses& uses);

/// "v3", and back; empty: it is none.
std::string version_id(std::uint32_t number);
std::optional<std::uint32_t> version_number(std::string_view id);
enum class Documents : unsigned char { hidden, shown };
/// One <member> for each version, the newest first.
void write_versions(s3::XmlWriter& xml, const identity::ManagedPolicy& p, Documents documents);
/// The fields of the version of that number; false: there is none.
bool write_version(s3::XmlWriter& xml,
                   const identity::ManagedPolicy& p,
                   std::uint32_t number,
                   Documents documents);

/// What PolicyArn or OpenIDConnectProviderArn names. NoSuchEntity.
identity::Checked<identity::ManagedPtr> named_policy(const Call& call);
identity::Checked<identity::ProviderPtr> named_provider(const Call& call);

/// A document as IAM gives it back: percent-encoded.
std::string encoded(std::string_view document);

/// The names of one page in AWS's order, as Marker and MaxItems ask; writes IsTruncated and Marker.
identity::Checked<std::vector<std::string>> page_of(Call& call, std::vector<std::string> names);

/// The document with the XML namespace of the service on its root element.
std::string with_namespace(std::string document, std::string_view root, std::string_view service);
http::Response error_response(const Failure& failure,
                              std::string_view service,
                              std::string_view request_id);

}  // namespace outcrop::iam
