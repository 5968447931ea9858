#include "tools/account_command.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/admin/command.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::ask;
using tools::text_of;

struct State {
  tools::AdminOptions admin;
  std::string name, email, id, key;
  bool as_json = false;
};

std::string path_of(const State& state) {
  return "/v1/accounts" + tools::percent_encoded("/" + state.id);
}

void create(State& state, int& exit_code) {
  json::object wanted = {{"name", state.name}};
  if (!state.email.empty()) {
    wanted.emplace("email", state.email);
  }
  const auto body = ask(state.admin, exit_code, "POST", "/v1/accounts", json::serialize(wanted));
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  const auto made = tools::parse_answer(*body, exit_code);
  if (!made) {
    return;
  }
  fmt::print(stderr, "account {}, canonical id {}; the secret key is shown this once:\n",
             text_of(*made, "id"), text_of(*made, "canonical_id"));
  fmt::print("{} {}\n", text_of(*made, "access_key"), text_of(*made, "secret_key"));
}

/// "AKIA... AKIA...": what remove-key takes.
std::string keys_of(const json::object& account) {
  std::string out;
  const json::value* const keys = account.if_contains("access_keys");
  if (keys != nullptr && keys->is_array()) {
    for (const json::value& key : keys->get_array()) {
      out.append(out.empty() ? "" : " ");
      out.append(key.is_string() ? std::string_view(key.get_string()) : std::string_view());
    }
  }
  return out;
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/accounts");
  if (!answer) {
    return;
  }
  fmt::print("{:<14} {:<24} {:<28} {:<64} {}\n", "ID", "NAME", "EMAIL", "CANONICAL ID",
             "ACCESS KEYS");
  for (const json::object& a : tools::objects_in(*answer, "accounts")) {
    fmt::print("{:<14} {:<24} {:<28} {:<64} {}\n", text_of(a, "id"), text_of(a, "name"),
               text_of(a, "email"), text_of(a, "canonical_id"), keys_of(a));
  }
}

void remove(State& state, int& exit_code) {
  if (ask(state.admin, exit_code, "DELETE", path_of(state))) {
    fmt::print("removed\n");
  }
}

void create_key(State& state, int& exit_code) {
  const auto body = ask(state.admin, exit_code, "POST", path_of(state) + "/keys");
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  if (const auto made = tools::parse_answer(*body, exit_code)) {
    fmt::print(stderr, "the secret key is shown this once:\n");
    fmt::print("{} {}\n", text_of(*made, "access_key"), text_of(*made, "secret_key"));
  }
}

void remove_key(State& state, int& exit_code) {
  const std::string key = tools::percent_encoded("/" + state.key);
  if (ask(state.admin, exit_code, "DELETE", path_of(state) + "/keys" + key)) {
    fmt::print("removed\n");
  }
}

void add_key_commands(CLI::App& group, const std::shared_ptr<State>& state, int& exit_code) {
  CLI::App* const creating =
      group.add_subcommand("create-key", "another access key of the account; it is printed once");
  tools::add_admin_options(*creating, state->admin);
  creating->add_option("id", state->id, "number of the account")->required();
  creating->add_flag("--json", state->as_json, "print what the server says");
  creating->callback([state, &exit_code] { create_key(*state, exit_code); });

  CLI::App* const removing = group.add_subcommand("remove-key", "remove an access key");
  tools::add_admin_options(*removing, state->admin);
  removing->add_option("id", state->id, "number of the account")->required();
  removing->add_option("key", state->key, "its access key")->required();
  removing->callback([state, &exit_code] { remove_key(*state, exit_code); });
}

}  // namespace

void add_account_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group =
      app.add_subcommand("account", "accounts that own buckets, of a running server");
  group->require_subcommand(1);

  CLI::App* const creating =
      group->add_subcommand("create", "make an account; its access key is printed once");
  tools::add_admin_options(*creating, state->admin);
  creating->add_option("name", state->name, "what it is called")->required();
  creating->add_option("--email", state->email, "an address that ACLs may name it by");
  creating->add_flag("--json", state->as_json, "print what the server says");
  creating->callback([state, &exit_code] { create(*state, exit_code); });

  CLI::App* const listing = group->add_subcommand("list", "all accounts but the first");
  tools::add_admin_options(*listing, state->admin);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const removing =
      group->add_subcommand("remove", "remove an account that has no buckets, and its access keys");
  tools::add_admin_options(*removing, state->admin);
  removing->add_option("id", state->id, "its number")->required();
  removing->callback([state, &exit_code] { remove(*state, exit_code); });
  add_key_commands(*group, state, exit_code);
}

}  // namespace outcrop
