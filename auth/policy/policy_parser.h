// Policy documents to statements. Private to auth/policy; policy.h has the contract.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/policy.h"

namespace outcrop::policy {

std::expected<std::vector<Statement>, std::string> parse_policy(std::string_view text,
                                                                PolicyKind kind,
                                                                std::string_view bucket,
                                                                Origin origin);

}  // namespace outcrop::policy
