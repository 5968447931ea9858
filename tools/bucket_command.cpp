#include "tools/bucket_command.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/admin/command.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::text_of;

struct State {
  tools::AdminOptions admin;
  std::string name, etag;
  bool as_json = false;
};

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/buckets");
  if (!answer) {
    return;
  }
  fmt::print("{:<40} {:<6} {}\n", "NAME", "ETAG", "SAID BY");
  for (const json::object& b : tools::objects_in(*answer, "buckets")) {
    fmt::print("{:<40} {:<6} {}\n", text_of(b, "name"), text_of(b, "etag"), text_of(b, "etag_of"));
  }
}

void set(State& state, int& exit_code) {
  json::object wanted;
  wanted.emplace("etag", state.etag == "default" ? json::value() : json::value(state.etag));
  const auto body =
      tools::ask(state.admin, exit_code, "PATCH",
                 "/v1/buckets" + tools::percent_encoded("/" + state.name), json::serialize(wanted));
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  if (const auto bucket = tools::parse_answer(*body, exit_code)) {
    fmt::print("etag: {}\n", text_of(*bucket, "etag"));
  }
}

}  // namespace

void add_bucket_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("bucket", "settings of buckets of a running server");
  group->require_subcommand(1);

  CLI::App* const listing = group->add_subcommand("list", "all buckets");
  tools::add_admin_options(*listing, state->admin);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const setting = group->add_subcommand("set", "change a setting of a bucket");
  tools::add_admin_options(*setting, state->admin);
  setting->add_option("name", state->name, "the bucket")->required();
  setting
      ->add_option("--etag", state->etag,
                   "what new objects get as ETag: md5; fast, which is no MD5 and costs nothing; or "
                   "default, which is what the server's configuration says")
      ->required()
      ->check(CLI::IsMember({"md5", "fast", "default"}));
  setting->add_flag("--json", state->as_json, "print what the server says");
  setting->callback([state, &exit_code] { set(*state, exit_code); });
}

}  // namespace outcrop
