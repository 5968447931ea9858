#include "tools/token_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "tools/admin/command.h"
#include "tools/admin/lifetime.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::ask;
using tools::text_of;

struct State {
  tools::AdminOptions admin;
  std::string name, expires = "30d", id;
  std::vector<std::string> scopes;
  bool as_json = false;
};

std::string time_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  if (v == nullptr || !v->is_int64()) {
    return {};
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(v->get_int64())));
}

void create(State& state, int& exit_code) {
  const Result<std::int64_t> seconds = tools::parse_lifetime(state.expires);
  if (!seconds) {
    fmt::print(stderr, "outcrop: --expires: {}\n", seconds.error().detail());
    exit_code = tools::kNotAsked;
    return;
  }
  json::array scopes;
  for (const std::string& s : state.scopes) {
    scopes.emplace_back(s);
  }
  const json::object wanted = {
      {"name", state.name}, {"scopes", std::move(scopes)}, {"expires_in", *seconds}};
  const auto body = ask(state.admin, exit_code, "POST", "/v1/tokens", json::serialize(wanted));
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  const auto made = tools::parse_answer(*body, exit_code);
  if (!made) {
    return;
  }
  // The token alone on stdout: it can go into a file.
  fmt::print(stderr, "token {}, until {}; it is shown this once:\n", text_of(*made, "id"),
             time_of(*made, "expires"));
  fmt::print("{}\n", text_of(*made, "token"));
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/tokens");
  if (!answer) {
    return;
  }
  fmt::print("{:<14} {:<24} {:<22} {:<22} {}\n", "ID", "NAME", "MADE", "EXPIRES", "SCOPES");
  for (const json::object& t : tools::objects_in(*answer, "tokens")) {
    fmt::print("{:<14} {:<24} {:<22} {:<22} {}\n", text_of(t, "id"), text_of(t, "name"),
               time_of(t, "created"), time_of(t, "expires"), tools::json_of(t, "scopes"));
  }
}

void revoke(State& state, int& exit_code) {
  const std::string target = "/v1/tokens" + tools::percent_encoded("/" + state.id);
  if (ask(state.admin, exit_code, "DELETE", target)) {
    fmt::print("revoked\n");
  }
}

}  // namespace

void add_token_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("token", "admin tokens of a running server");
  group->require_subcommand(1);

  CLI::App* const creating = group->add_subcommand("create", "make a token; it is shown once");
  tools::add_admin_options(*creating, state->admin);
  creating->add_option("name", state->name, "what it is for")->required();
  creating->add_option("--scope", state->scopes, "read, exports, drives or full; repeat")
      ->required();
  creating->add_option("--expires", state->expires, "how long it is good: 12h, 30d, at most 366d")
      ->capture_default_str();
  creating->add_flag("--json", state->as_json, "print what the server says");
  creating->callback([state, &exit_code] { create(*state, exit_code); });

  CLI::App* const listing = group->add_subcommand("list", "all tokens, without their secrets");
  tools::add_admin_options(*listing, state->admin);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const revoking = group->add_subcommand("revoke", "end a token now");
  tools::add_admin_options(*revoking, state->admin);
  revoking->add_option("id", state->id, "its id")->required();
  revoking->callback([state, &exit_code] { revoke(*state, exit_code); });
}

}  // namespace outcrop
