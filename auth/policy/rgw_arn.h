// ARNs as Ceph's object gateway writes them: those of IAM name no account there. Pure.
// docs/adr/0015-dialect-of-rgw.md.
#pragma once
#include <string>
#include <string_view>

namespace outcrop::policy {

/// "arn:aws:iam:::user/NAME" wherever it is in `text` becomes "arn:aws:iam::ACCOUNT:user/NAME", of
/// the first account; the same of STS.
std::string with_account(std::string_view text);
/// The other way round.
std::string without_account(std::string_view text);

}  // namespace outcrop::policy
