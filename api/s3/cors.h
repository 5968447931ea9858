// Cross-origin resource sharing of buckets: the configuration, which rule a request meets, and the
// headers that then let a browser use the answer. Pure functions.
// Sources: Amazon S3 User Guide, "Using cross-origin resource sharing"; Fetch Standard, "CORS
// protocol".
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/s3/error.h"

namespace outcrop::s3 {

inline constexpr std::size_t kMaxCorsRules = 100;
inline constexpr std::size_t kMaxCorsBytes = 64 << 10;
inline constexpr std::size_t kMaxRuleId = 255;

struct CorsRule {
  std::string id;
  std::vector<std::string> origins;  ///< at most one '*' in each
  std::vector<std::string> methods;  ///< GET, HEAD, PUT, POST, DELETE
  std::vector<std::string> headers;  ///< that a request may have; at most one '*' in each
  std::vector<std::string> expose;   ///< of the answer, that scripts may read
  std::optional<std::uint64_t> max_age_seconds;
  bool operator==(const CorsRule&) const = default;
};
using CorsRules = std::vector<CorsRule>;

/// MalformedXML; InvalidRequest for what AWS does not take (more rules, other methods, a second
/// wildcard).
Outcome<CorsRules> parse_cors(std::string text);
std::string cors_document(const CorsRules& rules);

/// What a browser asks.
struct CorsQuestion {
  std::string_view origin, method;
  std::vector<std::string> headers{};  ///< Access-Control-Request-Headers, in lower case
};
/// The first rule that allows it; null if none does.
const CorsRule* find_rule(const CorsRules& rules, const CorsQuestion& question);
/// Adds what the rule says to the answer.
void add_cors_headers(const CorsRule& rule, const CorsQuestion& question, http::Response& response);

/// What a preflight (OPTIONS) asks. BadRequest.
Outcome<CorsQuestion> preflight_question(const http::Request& request);
/// What any other request asks; empty without an Origin.
std::optional<CorsQuestion> cors_question(const http::Request& request);

}  // namespace outcrop::s3
