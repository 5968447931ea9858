// What a simulation tells of a document beside the decision: where its statements stand, and which
// condition keys it asks for. Of documents that compile; pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::policy {

/// From 1; columns are bytes.
struct Place {
  std::size_t line = 1, column = 1;
  bool operator==(const Place&) const = default;
};
/// As AWS tells it: from behind the bracket or comma before the statement (where there is no list,
/// from behind its own brace) to behind the brace that closes it.
struct Span {
  Place begin, end;
};
/// Of each statement, in the order of Policy::statements().
std::vector<Span> statement_spans(std::string_view document);

/// Of conditions and variables, as the document writes them, each once.
std::vector<std::string> context_keys(std::string_view document);

}  // namespace outcrop::policy
