#include "tools/export_command.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "tools/admin_client.h"

namespace outcrop {
namespace {

namespace json = boost::json;

constexpr int kRefused = 1, kNotAsked = 2;

struct State {
  tools::AdminAccess access;
  std::string token_file;
  bool as_json = false;
  std::string bucket, path, prefix, access_mode = "rw", squash = "root", identity, xprtsec = "none";
  std::vector<std::string> clients;
  std::uint32_t anon_uid = 65'534, anon_gid = 65'534;
};

std::string text_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

/// The error that the server gives, or its whole answer.
std::string reason(const std::string& body) {
  boost::system::error_code ec;
  const json::value v = json::parse(body, ec);
  const json::object* const o = v.if_object();
  return o != nullptr && o->contains("error") ? text_of(*o, "error") : body;
}

/// Asks; prints what went wrong. Empty: it did.
std::optional<std::string> ask(State& state,
                               int& exit_code,
                               std::string_view method,
                               const std::string& target,
                               const std::string& body = {}) {
  Result<std::string> token = tools::find_token(state.token_file);
  Result<tools::AdminReply> reply = fail(Errc::internal);
  if (token) {
    state.access.token = *std::move(token);
    reply = tools::ask_admin(state.access, method, target, body);
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
  const auto body = ask(state, exit_code, "POST", "/v1/exports", json::serialize(wanted));
  if (body && state.as_json) {
    fmt::print("{}", *body);
  } else if (body) {
    boost::system::error_code ec;
    const json::value v = json::parse(*body, ec);
    fmt::print("exported: mount -t nfs SERVER:{} /mnt\n",
               v.is_object() ? text_of(v.get_object(), "path") : state.path);
  }
}

void list(State& state, int& exit_code) {
  const auto body = ask(state, exit_code, "GET", "/v1/exports");
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  boost::system::error_code ec;
  const json::value v = json::parse(*body, ec);
  const json::value* const all = v.is_object() ? v.get_object().if_contains("exports") : nullptr;
  if (ec || all == nullptr || !all->is_array()) {
    fmt::print(stderr, "outcrop: the server's answer makes no sense\n");
    exit_code = kNotAsked;
    return;
  }
  fmt::print("{:<24} {:<32} {:<4} {:<6} {:<5} {:<7} {}\n", "PATH", "BUCKET", "", "SQUASH", "SEC",
             "SOURCE", "CLIENTS");
  for (const json::value& item : all->get_array()) {
    const json::object& e = item.as_object();
    std::string from = text_of(e, "bucket");
    if (const std::string prefix = text_of(e, "prefix"); !prefix.empty()) {
      from += "/" + prefix;
    }
    fmt::print("{:<24} {:<32} {:<4} {:<6} {:<5} {:<7} {}\n", text_of(e, "path"), from,
               text_of(e, "access"), text_of(e, "squash"), text_of(e, "xprtsec"),
               text_of(e, "source"), json::serialize(e.at("clients")));
  }
}

void remove(State& state, int& exit_code) {
  if (!state.path.starts_with('/')) {
    state.path.insert(0, "/");
  }
  const auto body =
      ask(state, exit_code, "DELETE", "/v1/exports" + tools::percent_encoded(state.path));
  if (body) {
    fmt::print("removed; clients that have it mounted get stale handles\n");
  }
}

void add_access_options(CLI::App& command, State& state) {
  command.add_option("--admin", state.access.address, "HOST:PORT of server.admin")
      ->capture_default_str();
  command.add_option("--token-file", state.token_file,
                     "file with the admin token: STATE_DIR/admin-token (or OUTCROP_ADMIN_TOKEN)");
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("export", "NFS exports of a running server");
  group->require_subcommand(1);

  CLI::App* const adding = group->add_subcommand("add", "export a bucket, or a directory of one");
  add_access_options(*adding, *state);
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
  add_access_options(*listing, *state);
  listing->add_flag("--json", state->as_json, "print what the server says");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const removing = group->add_subcommand("remove", "take an export back");
  add_access_options(*removing, *state);
  removing->add_option("path", state->path, "its path")->required();
  removing->callback([state, &exit_code] { remove(*state, exit_code); });
}

}  // namespace outcrop
