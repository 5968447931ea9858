#include "tools/export_command.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "tools/admin/command.h"

namespace outcrop {
namespace {

namespace json = boost::json;

using tools::ask;
using tools::text_of;

struct State {
  tools::AdminOptions admin;
  bool as_json = false, force = false;
  std::string bucket, path, prefix, access_mode = "rw", squash = "root", identity, xprtsec = "none";
  std::vector<std::string> clients;
  std::uint32_t anon_uid = 65'534, anon_gid = 65'534;
};

void add(State& state, int& exit_code) {
  json::array clients;
  for (const std::string& c : state.clients) {
    clients.emplace_back(c);
  }
  json::object wanted = {{"bucket", state.bucket},     {"prefix", state.prefix},
                         {"clients", clients},         {"access", state.access_mode},
                         {"squash", state.squash},     {"anon_uid", std::int64_t{state.anon_uid}},
                         {"identity", state.identity}, {"anon_gid", std::int64_t{state.anon_gid}},
                         {"xprtsec", state.xprtsec}};
  if (!state.path.empty()) {
    wanted.emplace("path", state.path);
  }
  const auto body = ask(state.admin, exit_code, "POST", "/v1/exports", json::serialize(wanted));
  if (body && state.as_json) {
    fmt::print("{}", *body);
  } else if (body) {
    const auto answer = tools::parse_answer(*body, exit_code);
    if (answer) {
      fmt::print("exported: mount -t nfs SERVER:{} /mnt\n", text_of(*answer, "path"));
    }
  }
}

void list(State& state, int& exit_code) {
  const auto answer = tools::show(state.admin, state.as_json, exit_code, "/v1/exports");
  if (!answer) {
    return;
  }
  fmt::print("{:<24} {:<32} {:<4} {:<6} {:<5} {:<7} {}\n", "PATH", "BUCKET", "", "SQUASH", "SEC",
             "SOURCE", "CLIENTS");
  for (const json::object& e : tools::objects_in(*answer, "exports")) {
    std::string from = text_of(e, "bucket");
    if (const std::string prefix = text_of(e, "prefix"); !prefix.empty()) {
      from += "/" + prefix;
    }
    fmt::print("{:<24} {:<32} {:<4} {:<6} {:<5} {:<7} {}\n", text_of(e, "path"), from,
               text_of(e, "access"), text_of(e, "squash"), text_of(e, "xprtsec"),
               text_of(e, "source"), tools::json_of(e, "clients"));
  }
}

void remove(State& state, int& exit_code) {
  if (!state.path.starts_with('/')) {
    state.path.insert(0, "/");
  }
  const auto body =
      ask(state.admin, exit_code, "DELETE", "/v1/exports" + tools::percent_encoded(state.path));
  if (body) {
    fmt::print("removed; clients that have it mounted get stale handles\n");
  }
}

void rotate_key(State& state, int& exit_code) {
  const std::string target = state.force ? "/v1/handle-key?force=true" : "/v1/handle-key";
  const auto body = ask(state.admin, exit_code, "POST", target);
  if (body && state.as_json) {
    fmt::print("{}", *body);
  } else if (body) {
    fmt::print("new handles have a new key; mounts keep working until the next rotation\n");
  }
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("export", "NFS exports of a running server");
  group->require_subcommand(1);

  CLI::App* const adding = group->add_subcommand("add", "export a bucket, or a directory of one");
  tools::add_admin_options(*adding, state->admin);
  adding->add_option("bucket", state->bucket, "the bucket")->required();
  adding->add_option("--path", state->path, "what clients mount (default: /BUCKET)");
  adding->add_option("--prefix", state->prefix, "only this directory of the bucket");
  adding->add_option("--client", state->clients, "who may mount it: an address or block; repeat")
      ->required();
  adding->add_option("--access", state->access_mode, "rw or ro")->capture_default_str();
  adding->add_option("--squash", state->squash, "root, all or none")->capture_default_str();
  adding->add_option("--anon-uid", state->anon_uid, "the anonymous user")->capture_default_str();
  adding->add_option("--anon-gid", state->anon_gid, "its group")->capture_default_str();
  adding->add_option("--identity", state->identity, "access key whose permissions apply");
  adding->add_option("--xprtsec", state->xprtsec, "none, tls or mtls")->capture_default_str();
  adding->add_flag("--json", state->as_json, "print what the server says");
  adding->callback([state, &exit_code] { add(*state, exit_code); });

  CLI::App* const listing = group->add_subcommand("list", "all exports");
  tools::add_admin_options(*listing, state->admin);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const removing = group->add_subcommand("remove", "take an export back");
  tools::add_admin_options(*removing, state->admin);
  removing->add_option("path", state->path, "its path")->required();
  removing->callback([state, &exit_code] { remove(*state, exit_code); });

  CLI::App* const rotating =
      group->add_subcommand("rotate-key", "make a new key for the file handles of all exports");
  tools::add_admin_options(*rotating, state->admin);
  rotating->add_flag("--force", state->force,
                     "also within 7 days of the last time: older mounts get stale handles");
  rotating->add_flag("--json", state->as_json, "print what the server says");
  rotating->callback([state, &exit_code] { rotate_key(*state, exit_code); });
}

}  // namespace outcrop
