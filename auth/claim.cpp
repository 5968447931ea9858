#include "auth/claim.h"

#include <array>
#include <charconv>

#include "auth/amz_time.h"
#include "auth/uri.h"

namespace outcrop::auth {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kMaxExpires = 604800;  // AWS: seven days
constexpr std::string_view kCredentialForm =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// How the two places that carry credentials word their complaints.
struct Wording {
  AuthError code;
  std::string_view prefix;
  std::unexpected<AuthFailure> operator()(std::string_view what) const {
    return refuse(code, std::string(prefix).append(what));
  }
};
constexpr Wording kHeaderWording{AuthError::authorization_header_malformed,
                                 "The authorization header is malformed; "};
constexpr Wording kCredentialWording{AuthError::authorization_query_parameters_error,
                                     "Error parsing the X-Amz-Credential parameter; "};
constexpr Wording kQueryWording{AuthError::authorization_query_parameters_error, ""};

/// "AKID/20130524/us-east-1/s3/aws4_request", from the right: an access key may hold slashes.
Checked<void> parse_credential(std::string_view text, const Wording& wrong, Claim& claim) {
  std::array<std::string_view, 4> parts;
  std::string_view rest = text;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) {
      return wrong(kCredentialForm);
    }
    parts[i] = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  const bool no_region = parts[1].empty() && !claim.may_lack_region;
  if (rest.empty() || no_region || parts[0].size() != 8 || !all_digits(parts[0])) {
    return wrong(kCredentialForm);
  }
  if (parts[2] != claim.service) {
    return wrong("incorrect service \"" + std::string(parts[2]) +
                 "\". This endpoint belongs to \"" + std::string(claim.service) + "\".");
  }
  if (parts[3] != "aws4_request") {
    return wrong("incorrect terminal \"" + std::string(parts[3]) +
                 "\". This endpoint uses \"aws4_request\".");
  }
  claim.access_key = rest;
  claim.scope = text.substr(rest.size() + 1);
  const std::string_view scope = claim.scope;
  claim.scope_date = scope.substr(0, 8);
  claim.region = scope.substr(9, parts[1].size());
  return {};
}

Checked<void> check_scope_date(const Claim& claim, const Wording& wrong) {
  if (claim.scope_date != std::string_view(claim.timestamp).substr(0, 8)) {
    return wrong("Invalid credential date \"" + std::string(claim.scope_date) +
                 "\". This date is not the same as X-Amz-Date: \"" + claim.timestamp.substr(0, 8) +
                 "\".");
  }
  return {};
}

struct AuthorizationParts {
  std::optional<std::string_view> credential, signed_headers, signature;
};

Checked<AuthorizationParts> split_authorization(std::string_view value) {
  AuthorizationParts parts;
  std::string_view rest = value.substr(kAlgorithm.size());
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
    const std::string_view item = trim(piece);
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    std::optional<std::string_view>* slot = name == "Credential"      ? &parts.credential
                                            : name == "SignedHeaders" ? &parts.signed_headers
                                            : name == "Signature"     ? &parts.signature
                                                                      : nullptr;
    if (slot == nullptr || *slot || equals == std::string_view::npos) {
      return kHeaderWording("the authorization component \"" + std::string(item) +
                            "\" is malformed.");
    }
    *slot = item.substr(equals + 1);
  }
  if (!parts.credential || !parts.signed_headers || !parts.signature) {
    return kHeaderWording(
        "the authorization header requires three components: Credential, SignedHeaders, and "
        "Signature.");
  }
  return parts;
}

/// x-amz-date, or the Date header where a signer used that.
bool read_request_time(const SecurityHeaders& headers, Claim& claim) {
  const auto time = headers.amz_date ? parse_amz_date(*headers.amz_date)
                    : headers.date   ? parse_http_date(*headers.date)
                                     : std::nullopt;
  if (!time) {
    return false;
  }
  claim.time = *time;
  claim.timestamp = headers.amz_date ? std::string(*headers.amz_date) : format_amz_date(*time);
  return true;
}

struct QueryParts {
  std::optional<std::string> algorithm, credential, signature, date, signed_headers, expires, token,
      content_sha256;
};

std::optional<std::string>* query_slot(std::string_view name, QueryParts& parts) {
  if (!name.starts_with("X-Amz-")) {
    return nullptr;
  }
  name.remove_prefix(6);
  return name == "Algorithm"        ? &parts.algorithm
         : name == "Credential"     ? &parts.credential
         : name == "Signature"      ? &parts.signature
         : name == "Date"           ? &parts.date
         : name == "SignedHeaders"  ? &parts.signed_headers
         : name == "Expires"        ? &parts.expires
         : name == "Security-Token" ? &parts.token
         : name == "Content-Sha256" ? &parts.content_sha256
                                    : nullptr;
}

Checked<QueryParts> read_query_parts(const CanonicalQuery& query) {
  QueryParts parts;
  for (const CanonicalQuery::Param& param : query.params()) {
    std::optional<std::string>* const slot = query_slot(param.name, parts);
    if (slot == nullptr) {
      continue;
    }
    if (*slot) {
      return kQueryWording("The query parameter " + std::string(param.name) +
                           " must be given once.");
    }
    slot->emplace();
    if (!uri_decode(param.value, **slot)) {
      return kQueryWording("Couldn't parse the specified URI.");
    }
  }
  if (!parts.algorithm || !parts.credential || !parts.signature || !parts.date ||
      !parts.signed_headers || !parts.expires) {
    return kQueryWording(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  return parts;
}

Checked<std::int64_t> parse_expires(std::string_view text) {
  if (text.starts_with('-')) {
    return kQueryWording("X-Amz-Expires must be non-negative");
  }
  if (!all_digits(text)) {
    return kQueryWording("X-Amz-Expires should be a number");
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds > kMaxExpires) {
    return kQueryWording(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
        "must be less than 604800 seconds");
  }
  if (seconds < 1) {
    return kQueryWording("X-Amz-Expires must be at least 1 second");
  }
  return seconds;
}

}  // namespace

SecurityHeaders scan_headers(const http::Request& request) {
  SecurityHeaders found;
  const auto take = [&](std::optional<std::string_view>& slot, const http::Header& header) {
    if (slot) {
      found.repeated = header.name;
    }
    slot = header.value;
  };
  std::vector<std::string_view> others;
  for (const http::Header& header : request.headers) {
    const std::string_view name = header.name;
    if (name == "host") {
      take(found.host, header);
    } else if (name == "authorization") {
      take(found.authorization, header);
    } else if (name == "date") {
      take(found.date, header);
    } else if (!name.starts_with("x-amz-") || name.starts_with("x-amz-meta-")) {
      continue;
    } else if (name == "x-amz-date") {
      take(found.amz_date, header);
    } else if (name == "x-amz-content-sha256") {
      take(found.content_sha256, header);
    } else if (name == "x-amz-security-token") {
      take(found.token, header);
    } else {
      others.push_back(name);
    }
  }
  std::ranges::sort(others);
  if (const auto twin = std::ranges::adjacent_find(others); twin != others.end()) {
    found.repeated = *twin;
  }
  return found;
}

CredentialSource find_credentials(const SecurityHeaders& headers, const CanonicalQuery& query) {
  bool version4 = false;
  bool version2 = false;
  for (const CanonicalQuery::Param& param : query.params()) {
    // In any case: a misspelt name must fail as a broken signature, not pass as anonymous.
    version4 = version4 || equal_ignoring_case(param.name, "x-amz-algorithm") ||
               equal_ignoring_case(param.name, "x-amz-credential") ||
               equal_ignoring_case(param.name, "x-amz-signature");
    version2 = version2 || param.name == "AWSAccessKeyId" || param.name == "Signature";
  }
  if (headers.authorization && (version4 || version2)) {
    return CredentialSource::conflict;
  }
  if (headers.authorization) {
    const std::string_view value = *headers.authorization;
    if (value.starts_with(kAlgorithm) && value.substr(kAlgorithm.size()).starts_with(' ')) {
      return CredentialSource::header;
    }
    return value.starts_with("AWS ") ? CredentialSource::signature_v2
                                     : CredentialSource::unsupported;
  }
  if (version4) {
    return version2 ? CredentialSource::conflict : CredentialSource::query;
  }
  return version2 ? CredentialSource::signature_v2 : CredentialSource::none;
}

Checked<void> parse_header_claim(const SecurityHeaders& headers, Claim& claim) {
  const Checked<AuthorizationParts> parts = split_authorization(*headers.authorization);
  if (!parts) {
    return std::unexpected(parts.error());
  }
  if (Checked<void> done = parse_credential(*parts->credential, kHeaderWording, claim); !done) {
    return done;
  }
  claim.signed_headers = *parts->signed_headers;
  claim.signature = *parts->signature;
  if (!read_request_time(headers, claim)) {
    return refuse(AuthError::access_denied,
                  "AWS authentication requires a valid Date or x-amz-date header");
  }
  if (claim.service != "s3") {
    // The digest of the body that came: a header may repeat it.
    if (headers.content_sha256 && *headers.content_sha256 != claim.payload_hash) {
      return refuse(AuthError::invalid_content_sha256,
                    "x-amz-content-sha256 does not match the body.");
    }
  } else if (!headers.content_sha256) {
    return refuse(AuthError::missing_security_header,
                  "Missing required header for this request: x-amz-content-sha256");
  } else {
    claim.payload_hash = *headers.content_sha256;
  }
  if (headers.token) {
    claim.token = *headers.token;
  }
  return check_scope_date(claim, kHeaderWording);
}

Checked<void> parse_query_claim(const SecurityHeaders& headers,
                                const CanonicalQuery& query,
                                Claim& claim) {
  Checked<QueryParts> parts = read_query_parts(query);
  if (!parts) {
    return std::unexpected(std::move(parts).error());
  }
  if (*parts->algorithm != kAlgorithm) {
    return kQueryWording("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  if (Checked<void> done = parse_credential(*parts->credential, kCredentialWording, claim); !done) {
    return done;
  }
  const std::optional<std::int64_t> time = parse_amz_date(*parts->date);
  if (!time) {
    return kQueryWording("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  const Checked<std::int64_t> expires = parse_expires(*parts->expires);
  if (!expires) {
    return std::unexpected(expires.error());
  }
  const std::optional<std::string>& in_query = parts->content_sha256;
  if (in_query && headers.content_sha256 && *in_query != *headers.content_sha256) {
    return refuse(AuthError::invalid_content_sha256,
                  "x-amz-content-sha256 differs between the header and the query.");
  }
  claim.payload_hash = in_query                 ? *in_query
                       : headers.content_sha256 ? std::string(*headers.content_sha256)
                                                : "UNSIGNED-PAYLOAD";
  claim.time = *time;
  claim.timestamp = std::move(*parts->date);
  claim.expires = *expires;
  claim.signed_headers = std::move(*parts->signed_headers);
  claim.signature = std::move(*parts->signature);
  claim.token = std::move(parts->token);
  if (headers.token) {
    claim.token = *headers.token;
  }
  claim.presigned = true;
  return check_scope_date(claim, kQueryWording);
}

Checked<void> check_signed_headers(const http::Request& request,
                                   const Claim& claim,
                                   std::vector<std::string_view>& names) {
  const Wording& wrong = claim.presigned ? kQueryWording : kHeaderWording;
  split(claim.signed_headers, ';', names);
  const bool lower_case =
      std::ranges::none_of(claim.signed_headers, [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool ascending =
      std::ranges::adjacent_find(names, std::ranges::greater_equal{}) == names.end();
  if (names.front().empty() || !lower_case || !ascending) {
    return wrong("SignedHeaders must be lower case, sorted, and without repetition.");
  }
  const auto is_signed = [&](std::string_view name) {
    return std::ranges::binary_search(names, name);
  };
  std::string missing = is_signed("host") ? "" : "host";
  for (const http::Header& header : request.headers) {
    if (header.name.starts_with("x-amz-") && !is_signed(header.name)) {
      missing.append(missing.empty() ? "" : ", ").append(header.name);
    }
  }
  // The time that counts must be covered by the signature where it is not part of the query.
  if (!claim.presigned && !is_signed("x-amz-date") && !is_signed("date")) {
    missing.append(missing.empty() ? "" : ", ").append("date");
  }
  if (!missing.empty()) {
    return std::unexpected(
        AuthFailure{AuthError::access_denied,
                    "There were headers present in the request which were not signed",
                    {},
                    {},
                    std::move(missing)});
  }
  if (names.size() > request.headers.size()) {
    return refuse(AuthError::signature_does_not_match, std::string(kMismatchMessage));
  }
  return {};
}

Checked<PayloadForm> payload_form(std::string_view content_sha256) {
  if (content_sha256 == "UNSIGNED-PAYLOAD") {
    return PayloadForm::unsigned_payload;
  }
  if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    return PayloadForm::streaming_signed;
  }
  if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return PayloadForm::streaming_signed_trailer;
  }
  if (content_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return PayloadForm::streaming_unsigned_trailer;
  }
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
  };
  if (content_sha256.size() == 64 && std::ranges::all_of(content_sha256, is_hex)) {
    return PayloadForm::sha256;
  }
  return refuse(AuthError::invalid_content_sha256,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
}

}  // namespace outcrop::auth
