#include "api/iam/form.h"

#include <algorithm>

#include "auth/target.h"
#include "auth/uri.h"

namespace outcrop::iam {
namespace {

/// In forms a plus sign is a blank.
bool decode(std::string_view text, std::string& out) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  return auth::uri_decode(plain, out) && auth::check_key(out);
}

}  // namespace

Result<Form> Form::parse(std::string_view body) {
  Form out;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(piece.size() + 1, body.size()));
    if (piece.empty()) {
      continue;
    }
    const std::size_t equals = piece.find('=');
    std::string name, value;
    const bool decoded =
        decode(piece.substr(0, equals), name) &&
        (equals == std::string_view::npos || decode(piece.substr(equals + 1), value));
    if (!decoded || out.find(name) || out.x_parameters.size() == kMaxParameters) {
      return fail(Errc::invalid_argument, "malformed form");
    }
    out.x_parameters.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

std::optional<std::string_view> Form::find(std::string_view name) const {
  const auto at =
      std::ranges::find(x_parameters, name, &std::pair<std::string, std::string>::first);
  return at == x_parameters.end() ? std::nullopt : std::optional<std::string_view>(at->second);
}

}  // namespace outcrop::iam
