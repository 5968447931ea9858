// Policy documents to statements. Private to auth/policy; policy.h has the contract.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/policy.h"

namespace outcrop::policy {

struct ParsedPolicy {
  std::vector<Statement> statements;
  std::vector<std::string> unknown_actions;  ///< Policy::unknown_actions()
};

std::expected<ParsedPolicy, std::string> parse_policy(std::string_view text,
                                                      PolicyKind kind,
                                                      std::string_view bucket,
                                                      Origin origin);

}  // namespace outcrop::policy
