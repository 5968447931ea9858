// What software that was made for Ceph's object gateway sends to IAM and STS, in AWS's words, and
// back. Pure. docs/adr/0015-dialect-of-rgw.md.
#pragma once
#include <string>
#include <string_view>

namespace outcrop::policy {

/// ARNs without an account are of the first one: "arn:aws:iam:::user/NAME" wherever it is in `text`
/// becomes "arn:aws:iam::ACCOUNT:user/NAME". The same of STS.
std::string with_account(std::string_view text);

/// The other way round, of roles.
std::string without_account(std::string_view text);

/// A policy of a user, group or role without Principal, which has no meaning there; as it is, if it
/// is no JSON.
std::string without_principal(std::string_view policy);

}  // namespace outcrop::policy
