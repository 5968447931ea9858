#include "api/s3/router.h"

#include <algorithm>
#include <array>
#include <optional>

namespace outcrop::s3 {
namespace {

/// Sub-resources with no row at all; a request for one must not become a request for its parent.
constexpr auto kUnknownSubresources = std::to_array<std::string_view>(
    {"abac", "append", "lambdaArn", "metadataConfiguration", "metadataInventoryTable",
     "metadataJournalTable", "metadataTable", "session", "uploadId"});

std::optional<Method> parse_method(std::string_view text) {
  if (text == "GET") {
    return Method::get;
  }
  if (text == "HEAD") {
    return Method::head;
  }
  if (text == "PUT") {
    return Method::put;
  }
  if (text == "POST") {
    return Method::post;
  }
  return text == "DELETE" ? std::optional(Method::del) : std::nullopt;
}

const std::string* find_query(const Query& query, std::string_view name) {
  const auto at = std::ranges::find(query, name, &auth::QueryParam::name);
  return at == query.end() ? nullptr : &at->value;
}

bool selects(std::string_view subresource, const Query& query) {
  const auto equals = subresource.find('=');
  const std::string* value = find_query(query, subresource.substr(0, equals));
  return value != nullptr &&
         (equals == std::string_view::npos || *value == subresource.substr(equals + 1));
}

bool has_header(const std::vector<http::Header>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const http::Header& h) { return h.name == name; });
}

/// True if the query names a sub-resource of this scope, whatever the method.
bool names_subresource(Scope scope, const Query& query) {
  const auto named = [&](std::string_view name) { return find_query(query, name) != nullptr; };
  return std::ranges::any_of(kUnknownSubresources, named) ||
         std::ranges::any_of(op_table(), [&](const Op& op) {
           return op.scope == scope && !op.subresource.empty() &&
                  op.subresource.find('=') == std::string_view::npos && named(op.subresource);
         });
}

}  // namespace

Outcome<const Op*> route(std::string_view method_text,
                         Scope scope,
                         const Query& query,
                         const std::vector<http::Header>& headers) {
  const auto refused = [&] {
    return fail(Code::method_not_allowed, {}, {{"Method", std::string(method_text)}});
  };
  const auto method = parse_method(method_text);
  if (!method) {
    return refused();
  }
  const bool subresource = scope != Scope::service && names_subresource(scope, query);
  for (const Op& op : op_table()) {
    const bool exact = op.subresource.empty() ? !subresource : selects(op.subresource, query);
    if (op.method == *method && op.scope == scope && exact &&
        (op.header.empty() || has_header(headers, op.header))) {
      return &op;
    }
  }
  return refused();
}

}  // namespace outcrop::s3
