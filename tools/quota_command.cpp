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
  std::string bucket;
  std::optional<std::uint64_t> bytes, objects;
  bool as_json = false;
};

std::string path_of(const State& state) {
  return "/v1/buckets" + tools::percent_encoded("/" + state.bucket);
}

/// "-" for what is no number: no limit, or not known.
std::string count_text(const json::object& o, std::string_view name) {
  const std::string text = tools::json_of(o, name);
  return text.empty() || text == "null" ? "-" : text;
}
std::string bytes_text(const json::object& o, std::string_view name) {
  return count_text(o, name) == "-" ? "-" : size_text(tools::number_of(o, name));
}

void print_head() {
  fmt::print("{:<40} {:>12} {:>12} {:>12} {:>12}\n", "BUCKET", "USED", "OF", "OBJECTS", "OF");
}

void print_line(const json::object& bucket) {
  const json::object& usage = tools::object_at(bucket, "usage");
  const json::object& quota = tools::object_at(bucket, "quota");
  fmt::print("{:<40} {:>12} {:>12} {:>12} {:>12}\n", text_of(bucket, "name"),
             bytes_text(usage, "bytes"), bytes_text(quota, "bytes"), count_text(usage, "objects"),
             count_text(quota, "objects"));
}

void get(State& state, int& exit_code) {
  if (const auto bucket = tools::show(state.admin, state.as_json, exit_code, path_of(state))) {
    print_head();
    print_line(*bucket);
  }
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/buckets");
  if (!answer) {
    return;
  }
  print_head();
  for (const json::object& bucket : tools::objects_in(*answer, "buckets")) {
    print_line(bucket);
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
  if (const auto bucket = tools::parse_answer(*body, exit_code)) {
    print_head();
    print_line(*bucket);
  }
}

json::value number_or_null(const std::optional<std::uint64_t>& n) {
  return n ? json::value(*n) : json::value();
}

void add_common(CLI::App& command, const std::shared_ptr<State>& state, bool one) {
  tools::add_admin_options(command, state->admin);
  if (one) {
    command.add_option("bucket", state->bucket, "the bucket")->required();
  }
  command.add_flag("--json", state->as_json, "print what the server says");
}

}  // namespace

void add_quota_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group =
      app.add_subcommand("quota", "what buckets hold and may hold, of a running server");
  group->require_subcommand(1);

  CLI::App* const listing = group->add_subcommand("list", "all buckets");
  add_common(*listing, state, false);
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const getting = group->add_subcommand("get", "one bucket");
  add_common(*getting, state, true);
  getting->callback([state, &exit_code] { get(*state, exit_code); });

  CLI::App* const setting =
      group->add_subcommand("set", "limit a bucket; what is not named has no limit any more");
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

  CLI::App* const clearing = group->add_subcommand("clear", "take the limits of a bucket away");
  add_common(*clearing, state, true);
  clearing->callback([state, &exit_code] { put(*state, exit_code, nullptr); });
}

}  // namespace outcrop
