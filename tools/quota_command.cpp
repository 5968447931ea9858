#include "tools/quota_command.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "storage/base/size_text.h"
#include "tools/admin/command.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::text_of;

struct State {
  tools::AdminOptions admin;
  std::string bucket, account;
  std::optional<std::uint64_t> bytes, objects;
  bool accounts = false, as_json = false;
};

std::string path_of(const State& state) {
  return state.account.empty() ? "/v1/buckets" + tools::percent_encoded("/" + state.bucket)
                               : "/v1/accounts" + tools::percent_encoded("/" + state.account);
}

/// "-" for what is no number: no limit, or not known.
std::string count_text(const json::object& o, std::string_view name) {
  const std::string text = tools::json_of(o, name);
  return text.empty() || text == "null" ? "-" : text;
}
std::string bytes_text(const json::object& o, std::string_view name) {
  return count_text(o, name) == "-" ? "-" : size_text(tools::number_of(o, name));
}

void print_head(std::string_view of) {
  fmt::print("{:<40} {:>12} {:>12} {:>12} {:>12}\n", of, "USED", "OF", "OBJECTS", "OF");
}
void print_head(const State& state) { print_head(state.account.empty() ? "BUCKET" : "ACCOUNT"); }

/// "123456789012 lab" of an account; the first one has no name.
std::string title_of(const json::object& holder) {
  const std::string id = text_of(holder, "id"), name = text_of(holder, "name");
  return id.empty() || name.empty() ? id + name : id + " " + name;
}

void print_line(const json::object& holder) {
  const json::object& usage = tools::object_at(holder, "usage");
  const json::object& quota = tools::object_at(holder, "quota");
  fmt::print("{:<40} {:>12} {:>12} {:>12} {:>12}\n", title_of(holder), bytes_text(usage, "bytes"),
             bytes_text(quota, "bytes"), count_text(usage, "objects"),
             count_text(quota, "objects"));
}

void get(State& state, int& exit_code) {
  if (const auto holder = tools::show(state.admin, state.as_json, exit_code, path_of(state))) {
    print_head(state);
    print_line(*holder);
  }
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/buckets");
  if (!answer) {
    return;
  }
  print_head("BUCKET");
  for (const json::object& bucket : tools::objects_in(*answer, "buckets")) {
    print_line(bucket);
  }
}

void list_accounts(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/accounts");
  if (!answer) {
    return;
  }
  print_head("ACCOUNT");
  print_line(tools::object_at(*answer, "first"));
  for (const json::object& account : tools::objects_in(*answer, "accounts")) {
    print_line(account);
  }
}

/// A null value: no limits.
void put(State& state, int& exit_code, json::value quota) {
  const json::object wanted{{"quota", std::move(quota)}};
  const auto body =
      tools::ask(state.admin, exit_code, "PATCH", path_of(state), json::serialize(wanted));
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  if (const auto holder = tools::parse_answer(*body, exit_code)) {
    print_head(state);
    print_line(*holder);
  }
}

json::value number_or_null(const std::optional<std::uint64_t>& n) {
  return n ? json::value(*n) : json::value();
}

void add_common(CLI::App& command, const std::shared_ptr<State>& state, bool one) {
  tools::add_admin_options(command, state->admin);
  if (one) {
    auto* const holder = command.add_option_group("holder");
    holder->add_option("bucket", state->bucket, "the bucket");
    holder->add_option("--account", state->account,
                       "instead: all buckets of the account of this number together");
    holder->require_option(1);
  }
  command.add_flag("--json", state->as_json, "print what the server says");
}

}  // namespace

void add_quota_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand(
      "quota", "what buckets and accounts hold and may hold, of a running server");
  group->require_subcommand(1);

  CLI::App* const listing = group->add_subcommand("list", "all buckets");
  add_common(*listing, state, false);
  listing->add_flag("--accounts", state->accounts, "all accounts instead");
  listing->callback([state, &exit_code] {
    state->accounts ? list_accounts(*state, exit_code) : list(*state, exit_code);
  });

  CLI::App* const getting = group->add_subcommand("get", "one bucket, or account");
  add_common(*getting, state, true);
  getting->callback([state, &exit_code] { get(*state, exit_code); });

  CLI::App* const setting = group->add_subcommand(
      "set", "limit a bucket or account; what is not named has no limit any more");
  add_common(*setting, state, true);
  auto* const limits = setting->add_option_group("limits");
  limits->add_option("--bytes", state->bytes, "all bytes together: 500GiB, 10TB, 1000000")
      ->transform(CLI::AsSizeValue(true));
  limits->add_option("--objects", state->objects, "objects and versions of objects");
  limits->require_option(1, 2);
  setting->callback([state, &exit_code] {
    put(*state, exit_code,
        json::object{{"bytes", number_or_null(state->bytes)},
                     {"objects", number_or_null(state->objects)}});
  });

  CLI::App* const clearing = group->add_subcommand("clear", "take the limits away");
  add_common(*clearing, state, true);
  clearing->callback([state, &exit_code] { put(*state, exit_code, nullptr); });
}

}  // namespace outcrop
