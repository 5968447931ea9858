#include "auth/policy/rgw_arn.h"

#include <boost/algorithm/string/replace.hpp>

#include "auth/policy/principal.h"

namespace outcrop::policy {
namespace {

constexpr std::string_view kServices[] = {"arn:aws:iam::", "arn:aws:sts::"};

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  for (const std::string_view service : kServices) {
    boost::algorithm::replace_all(out, std::string(service).append(from).append(":"),
                                  std::string(service).append(to).append(":"));
  }
  return out;
}

}  // namespace

std::string with_account(std::string_view text) { return replaced(text, "", kAccount); }

std::string without_account(std::string_view text) { return replaced(text, kAccount, ""); }

}  // namespace outcrop::policy
