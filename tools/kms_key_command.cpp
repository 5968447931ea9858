#include "tools/kms_key_command.h"

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
  std::string id;
  bool as_json = false;
};

std::string path_of(const State& state) {
  return "/v1/kms-keys" + tools::percent_encoded("/" + state.id);
}

void create(State& state, int& exit_code) {
  json::object wanted;
  if (!state.id.empty()) {
    wanted.emplace("id", state.id);
  }
  const auto body = ask(state.admin, exit_code, "POST", "/v1/kms-keys", json::serialize(wanted));
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  if (const auto made = tools::parse_answer(*body, exit_code)) {
    fmt::print("{}\n", text_of(*made, "id"));
  }
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/kms-keys");
  if (!answer) {
    return;
  }
  fmt::print("{:<38} {:<9} {:<8} {}\n", "ID", "STATE", "DEFAULT", "ARN");
  for (const json::object& key : tools::objects_in(*answer, "keys")) {
    const json::value* const chosen = key.if_contains("default");
    const bool is_default = chosen != nullptr && chosen->is_bool() && chosen->get_bool();
    fmt::print("{:<38} {:<9} {:<8} {}\n", text_of(key, "id"), text_of(key, "state"),
               is_default ? "yes" : "", text_of(key, "arn"));
  }
}

void set_enabled(State& state, int& exit_code, bool enabled) {
  const std::string body = json::serialize(json::object{{"enabled", enabled}});
  if (ask(state.admin, exit_code, "PATCH", path_of(state), body)) {
    fmt::print("{}\n", enabled ? "enabled" : "disabled");
  }
}

void remove(State& state, int& exit_code) {
  if (ask(state.admin, exit_code, "DELETE", path_of(state))) {
    fmt::print("removed; what is encrypted with it can never be read again\n");
  }
}

CLI::App* add_change(CLI::App& group,
                     const std::shared_ptr<State>& state,
                     const std::string& name,
                     const std::string& what) {
  CLI::App* const command = group.add_subcommand(name, what);
  tools::add_admin_options(*command, state->admin);
  command->add_option("id", state->id, "its id")->required();
  return command;
}

}  // namespace

void add_kms_key_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group =
      app.add_subcommand("kms-key", "keys that a running server encrypts objects with (SSE-KMS)");
  group->require_subcommand(1);

  CLI::App* const creating = group->add_subcommand("create", "make a key, and print its id");
  tools::add_admin_options(*creating, state->admin);
  creating->add_option("id", state->id, "letters, digits, '/', '_', '-'; default: a new UUID");
  creating->add_flag("--json", state->as_json, "print what the server says");
  creating->callback([state, &exit_code] { create(*state, exit_code); });

  CLI::App* const listing = group->add_subcommand("list", "all keys; their secrets are not shown");
  tools::add_admin_options(*listing, state->admin);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  add_change(*group, state, "disable", "what is encrypted with it is neither read nor written")
      ->callback([state, &exit_code] { set_enabled(*state, exit_code, false); });
  add_change(*group, state, "enable", "take it back into use")->callback([state, &exit_code] {
    set_enabled(*state, exit_code, true);
  });
  add_change(*group, state, "remove",
             "remove a disabled key: what is encrypted with it can NEVER be read again")
      ->callback([state, &exit_code] { remove(*state, exit_code); });
}

}  // namespace outcrop
