#include "api/s3/cors.h"

#include <algorithm>
#include <array>

#include "api/s3/headers.h"
#include "api/s3/xml_document.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

constexpr std::array<std::string_view, 5> kMethods{"GET", "PUT", "HEAD", "POST", "DELETE"};
constexpr std::string_view kVary =
    "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
constexpr std::size_t kMaxRequestHeaders = 100;

bool contains(const auto& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

/// `pattern` has at most one star.
bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == text;
  }
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

Outcome<> check_wildcards(std::string_view element, std::string_view text) {
  if (std::ranges::count(text, '*') > 1) {
    return fail(Code::invalid_request, std::string(element) + " \"" + std::string(text) +
                                           "\" can not have more than one wildcard.");
  }
  return {};
}

Outcome<> check_rule(const CorsRule& rule) {
  for (const std::string& method : rule.methods) {
    if (!contains(kMethods, method)) {
      return fail(Code::invalid_request,
                  "Found unsupported HTTP method in CORS config. Unsupported method is " + method);
    }
  }
  for (const std::string& origin : rule.origins) {
    S3_TRYV(check_wildcards("AllowedOrigin", origin));
  }
  for (const std::string& header : rule.headers) {
    S3_TRYV(check_wildcards("AllowedHeader", header));
  }
  for (const std::string& header : rule.expose) {
    if (header.find('*') != header.npos) {
      return fail(Code::invalid_request,
                  "ExposeHeader \"" + header +
                      "\" contains wildcard. We currently do not support wildcard for "
                      "ExposeHeader.");
    }
  }
  return {};
}

Outcome<CorsRule> parse_rule(const pugi::xml_node& element) {
  CorsRule rule;
  std::optional<std::string> id;
  const auto field = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name == "ID") {
      return xml::set_once(id, xml::text_of(node));
    }
    if (name == "MaxAgeSeconds") {
      return xml::set_once(rule.max_age_seconds, xml::number_of(node));
    }
    std::vector<std::string>* const list = name == "AllowedOrigin"   ? &rule.origins
                                           : name == "AllowedMethod" ? &rule.methods
                                           : name == "AllowedHeader" ? &rule.headers
                                           : name == "ExposeHeader"  ? &rule.expose
                                                                     : nullptr;
    S3_TRY(std::string text, xml::text_of(node));
    if (list == nullptr || text.empty() || !valid_header_value(text)) {
      return fail(Code::malformed_xml);
    }
    list->push_back(std::move(text));
    return {};
  };
  S3_TRYV(xml::for_each_child(element, field));
  rule.id = std::move(id).value_or("");
  if (rule.origins.empty() || rule.methods.empty() || rule.id.size() > kMaxRuleId) {
    return fail(Code::malformed_xml);
  }
  S3_TRYV(check_rule(rule));
  return rule;
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) {
    out.append(out.empty() ? "" : ", ").append(one);
  }
  return out;
}

/// "a, B,,c" in lower case, without what is empty.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const auto begin = one.find_first_not_of(" \t");
    if (begin != one.npos) {
      out.push_back(lower(one.substr(begin, one.find_last_not_of(" \t") - begin + 1)));
    }
  }
  return out;
}

}  // namespace

Outcome<CorsRules> parse_cors(std::string text) {
  if (text.size() > kMaxCorsBytes) {
    return fail(Code::malformed_xml);
  }
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("CORSConfiguration"));
  CorsRules rules;
  const auto element = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name != "CORSRule") {
      return fail(Code::malformed_xml);
    }
    if (rules.size() == kMaxCorsRules) {
      return fail(Code::invalid_request,
                  "The number of CORS rules should not exceed allowed limit of 100 rules.");
    }
    S3_TRY(CorsRule rule, parse_rule(node));
    rules.push_back(std::move(rule));
    return {};
  };
  S3_TRYV(xml::for_each_child(root, element));
  if (rules.empty()) {
    return fail(Code::malformed_xml);
  }
  return rules;
}

std::string cors_document(const CorsRules& rules) {
  XmlWriter xml("CORSConfiguration");
  const auto list = [&](std::string_view tag, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      xml.text(tag, value);
    }
  };
  for (const CorsRule& rule : rules) {
    xml.open("CORSRule");
    if (!rule.id.empty()) {
      xml.text("ID", rule.id);
    }
    list("AllowedMethod", rule.methods);
    list("AllowedOrigin", rule.origins);
    list("AllowedHeader", rule.headers);
    list("ExposeHeader", rule.expose);
    if (rule.max_age_seconds) {
      xml.number("MaxAgeSeconds", *rule.max_age_seconds);
    }
    xml.close();
  }
  return std::move(xml).take();
}

const CorsRule* find_rule(const CorsRules& rules, const CorsQuestion& question) {
  const auto allows = [&](const CorsRule& rule) {
    const auto origin = [&](const std::string& pattern) {
      return matches(pattern, question.origin);
    };
    const auto header = [&](const std::string& name) {
      return std::ranges::any_of(
          rule.headers, [&](const std::string& pattern) { return matches(lower(pattern), name); });
    };
    return std::ranges::any_of(rule.origins, origin) && contains(rule.methods, question.method) &&
           std::ranges::all_of(question.headers, header);
  };
  const auto found = std::ranges::find_if(rules, allows);
  return found == rules.end() ? nullptr : &*found;
}

void add_cors_headers(const CorsRule& rule,
                      const CorsQuestion& question,
                      http::Response& response) {
  // The first pattern that matches says whether the answer is for everybody.
  const auto pattern = std::ranges::find_if(
      rule.origins, [&](const std::string& p) { return matches(p, question.origin); });
  const bool everybody = pattern != rule.origins.end() && *pattern == "*";
  response.set("Access-Control-Allow-Origin", everybody ? "*" : std::string(question.origin));
  response.set("Access-Control-Allow-Methods", joined(rule.methods));
  if (!question.headers.empty()) {
    response.set("Access-Control-Allow-Headers", joined(question.headers));
  }
  if (!rule.expose.empty()) {
    response.set("Access-Control-Expose-Headers", joined(rule.expose));
  }
  if (rule.max_age_seconds) {
    response.set("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  }
  if (!everybody) {
    response.set("Access-Control-Allow-Credentials", "true");
  }
  response.set("Vary", std::string(kVary));
}

Outcome<CorsQuestion> preflight_question(const http::Request& request) {
  const auto origin = request.header("origin");
  if (!origin || origin->empty()) {
    return fail(Code::bad_request, "Insufficient information. Origin request header needed.");
  }
  const auto method = request.header("access-control-request-method");
  if (!method || !contains(kMethods, *method)) {
    return fail(Code::bad_request,
                "Invalid Access-Control-Request-Method: " + std::string(method.value_or("null")));
  }
  CorsQuestion out{*origin, *method,
                   split_list(request.header("access-control-request-headers").value_or(""))};
  if (out.headers.size() > kMaxRequestHeaders) {
    return fail(Code::bad_request, "Too many Access-Control-Request-Headers");
  }
  return out;
}

std::optional<CorsQuestion> cors_question(const http::Request& request) {
  const auto origin = request.header("origin");
  if (!origin || origin->empty()) {
    return std::nullopt;
  }
  return CorsQuestion{*origin,
                      request.header("access-control-request-method").value_or(request.method)};
}

}  // namespace outcrop::s3
