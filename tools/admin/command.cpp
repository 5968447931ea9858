#include "tools/admin/command.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <cstdio>

namespace outcrop::tools {
namespace {

namespace json = boost::json;

/// The error that the server gives, or its whole answer.
std::string reason(const std::string& body) {
  boost::system::error_code ec;
  const json::value v = json::parse(body, ec);
  const json::object* const o = v.if_object();
  return o != nullptr && o->contains("error") ? text_of(*o, "error") : body;
}

}  // namespace

void add_admin_options(CLI::App& command, AdminOptions& options) {
  command.add_option("--admin", options.access.address, "HOST:PORT of server.admin")
      ->capture_default_str();
  command.add_option("--token-file", options.token_file,
                     "file with an admin token: STATE_DIR/admin-token (or OUTCROP_ADMIN_TOKEN)");
}

std::optional<std::string> ask(AdminOptions& options,
                               int& exit_code,
                               std::string_view method,
                               const std::string& target,
                               const std::string& body) {
  Result<std::string> token = find_token(options.token_file);
  Result<AdminReply> reply = fail(Errc::internal);
  if (token) {
    options.access.token = *std::move(token);
    reply = ask_admin(options.access, method, target, body);
  }
  if (!token || !reply) {
    const Error& e = token ? reply.error() : token.error();
    fmt::print(stderr, "outcrop: {}\n", e.detail());
    exit_code = kNotAsked;
    return std::nullopt;
  }
  if (reply->status >= 300) {
    fmt::print(stderr, "outcrop: {}\n", reason(reply->body));
    exit_code = kRefused;
    return std::nullopt;
  }
  return std::move(reply->body);
}

std::optional<json::object> parse_answer(const std::string& body, int& exit_code) {
  boost::system::error_code ec;
  json::value v = json::parse(body, ec);
  if (ec || !v.is_object()) {
    fmt::print(stderr, "outcrop: the server's answer makes no sense\n");
    exit_code = kNotAsked;
    return std::nullopt;
  }
  return std::move(v.get_object());
}

std::optional<json::object> show(AdminOptions& options,
                                 bool as_json,
                                 int& exit_code,
                                 const std::string& target) {
  const auto body = ask(options, exit_code, "GET", target);
  if (!body || as_json) {
    fmt::print("{}", body.value_or(""));
    return std::nullopt;
  }
  return parse_answer(*body, exit_code);
}

}  // namespace outcrop::tools
