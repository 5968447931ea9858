#include "tools/drive_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <thread>

#include "storage/base/size_text.h"
#include "tools/admin/command.h"
#include "tools/admin/drive_status.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::flag_of;
using tools::number_of;
using tools::object_at;
using tools::progress_text;
using tools::text_of;

constexpr auto kWatchInterval = std::chrono::seconds(1);

struct State {
  tools::AdminOptions options;
  bool as_json = false;
  std::string drive, path;
  bool cancel = false, wait = false;
};

std::optional<json::object> get_status(State& state, int& exit_code) {
  return tools::show(state.options, false, exit_code, "/v1/drives");
}

std::optional<json::object> find_drive(State& state, int& exit_code) {
  const auto status = get_status(state, exit_code);
  if (!status) {
    return std::nullopt;
  }
  Result<json::object> found = tools::find_drive(*status, state.drive);
  if (!found) {
    fmt::print(stderr, "outcrop: {}\n", found.error().detail());
    exit_code = tools::kRefused;
    return std::nullopt;
  }
  return *std::move(found);
}

std::string target_of(const json::object& drive) {
  return fmt::format("/v1/drives/{}", number_of(drive, "slot"));
}

void print_drives(const json::object& status) {
  fmt::print("{:<4} {:<9} {:<28} {:<8} {:>10} {:>10} {:>7}  {}\n", "SLOT", "STATE", "PATH", "UUID",
             "SIZE", "FREE", "SHARDS", "SAFE TO PULL");
  for (const json::object& d : tools::objects_in(status, "drives")) {
    fmt::print("{:<4} {:<9} {:<28} {:<8} {:>10} {:>10} {:>7}  {}, because {}\n",
               number_of(d, "slot"), text_of(d, "state"), text_of(d, "last_path"),
               text_of(d, "uuid").substr(0, tools::kShortUuid),
               size_text(number_of(d, "size_bytes")), size_text(number_of(d, "free_bytes")),
               number_of(d, "shards"), flag_of(d, "safe_to_pull") ? "yes" : "no",
               text_of(d, "reason"));
  }
}

void print_health(const json::object& status) {
  const json::object& repair = object_at(status, "repair");
  const std::uint64_t degraded = number_of(repair, "degraded"),
                      moving = number_of(repair, "moving");
  fmt::print("store: {}, {} drives may fail when nothing is degraded, epoch {}\n",
             flag_of(status, "writable") ? "writable" : "READ-ONLY", number_of(status, "parity"),
             number_of(status, "epoch"));
  fmt::print("data: {} of {} segments degraded, {} moving", degraded, number_of(repair, "segments"),
             moving);
  if (const std::uint64_t n = number_of(repair, "unreadable")) {
    fmt::print(", {} UNREADABLE without the missing drives", n);
  }
  if (const std::uint64_t n = number_of(repair, "damaged")) {
    fmt::print(", {} DAMAGED beyond parity", n);
  }
  fmt::print("\n");
  if (const std::uint64_t n = number_of(repair, "blocked")) {
    fmt::print("data: {} of them {}\n", n, tools::blocked_text(status));
  }
  if (flag_of(repair, "running")) {
    fmt::print("repair: {}\n", progress_text(repair));
  }
  const json::object& restripe = object_at(status, "restripe");
  if (text_of(restripe, "state") == "running") {
    fmt::print("restripe: {}\n", progress_text(restripe));
  }
  if (const std::string rebalance = tools::rebalance_text(status); !rebalance.empty()) {
    fmt::print("rebalance: {}\n", rebalance);
  }
  const json::object& scrub = object_at(status, "scrub");
  const std::uint64_t period = number_of(scrub, "period_seconds");
  const auto since = static_cast<std::time_t>(number_of(scrub, "all_read_since"));
  std::array<char, 32> date{};
  std::tm parts{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d", gmtime_r(&since, &parts));
  const std::string every = period == 0            ? "off"
                            : period % 86'400 == 0 ? fmt::format("every {} days", period / 86'400)
                                                   : fmt::format("every {} hours", period / 3600);
  fmt::print("scrub: {}, {}\n", every,
             since == 0 ? "not all data has been read yet"
                        : fmt::format("all data read since {}", date.data()));
}

void list(State& state, int& exit_code) {
  if (const auto answer = tools::show(state.options, state.as_json, exit_code, "/v1/drives")) {
    print_drives(*answer);
  }
}

/// Until repair has nothing more to do, or cannot go on: kRefused. One line that changes on a
/// terminal, else one line a turn that says something new.
void watch(State& state, int& exit_code) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::string last;
  for (;;) {
    const auto status = get_status(state, exit_code);
    if (!status) {
      return;
    }
    tools::RepairView now = tools::view_repair(*status);
    if (now.line != last) {
      fmt::print("{}{:<78}{}", terminal ? "\r" : "", now.line, terminal && now.busy ? "" : "\n");
      std::fflush(stdout);
      last = std::move(now.line);
    }
    if (!now.busy) {
      exit_code = now.whole ? exit_code : tools::kRefused;
      return;
    }
    std::this_thread::sleep_for(kWatchInterval);
  }
}

void status(State& state, int& exit_code) {
  if (const auto answer = tools::show(state.options, state.as_json, exit_code, "/v1/drives")) {
    print_health(*answer);
    print_drives(*answer);
    if (state.wait) {
      watch(state, exit_code);
    }
  }
}

void finish(State& state,
            int& exit_code,
            const std::optional<std::string>& body,
            std::string text) {
  if (!body) {
    return;
  }
  if (state.as_json) {
    fmt::print("{}", *body);
  } else {
    fmt::print("{}\n", text);
  }
  if (state.wait) {
    watch(state, exit_code);
  }
}

void add(State& state, int& exit_code, std::optional<std::uint64_t> replaces) {
  std::error_code ec;
  json::object wanted = {{"path", std::filesystem::absolute(state.path, ec).string()}};
  if (replaces) {
    wanted.emplace("replaces", *replaces);
  }
  const auto body =
      tools::ask(state.options, exit_code, "POST", "/v1/drives", json::serialize(wanted));
  finish(state, exit_code, body,
         replaces ? "added; put it into storage.drives in place of the old one. What that held is "
                    "being rebuilt: outcrop drive status --watch"
                  : "added; put it into storage.drives, too");
}

void replace(State& state, int& exit_code) {
  if (const auto old = find_drive(state, exit_code)) {
    add(state, exit_code, number_of(*old, "slot"));
  }
}

void drain(State& state, int& exit_code) {
  if (const auto drive = find_drive(state, exit_code)) {
    const auto body = tools::ask(state.options, exit_code, "PATCH", target_of(*drive),
                                 json::serialize(json::object{{"draining", !state.cancel}}));
    finish(state, exit_code, body,
           state.cancel ? "it takes new data again"
                        : "it drains: outcrop drive status says when it may be pulled");
  }
}

void remove(State& state, int& exit_code) {
  if (const auto drive = find_drive(state, exit_code)) {
    const auto body = tools::ask(state.options, exit_code, "DELETE", target_of(*drive));
    finish(state, exit_code, body, "removed; take it off storage.drives");
  }
}

CLI::App* add_action(CLI::App& group,
                     const std::shared_ptr<State>& state,
                     const char* name,
                     const char* help) {
  CLI::App* const command = group.add_subcommand(name, help);
  tools::add_admin_options(*command, state->options);
  command->add_flag("--json", state->as_json, "print what the server says");
  return command;
}

void add_watch(CLI::App& command, const std::shared_ptr<State>& state) {
  command
      .add_flag("--watch", state->wait, "show progress until repair is done; 1 if it cannot go on")
      ->excludes("--json");
}

}  // namespace

void add_drive_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("drive", "drives of a running server, and repair");
  group->require_subcommand(1);
  constexpr const char* kWhich = "slot number, path, or uuid (8 characters or more of it)";

  CLI::App* const listing =
      add_action(*group, state, "list", "all drives, and which may be pulled");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const showing =
      add_action(*group, state, "status", "drives, redundancy, repair, scrub");
  add_watch(*showing, state);
  showing->callback([state, &exit_code] { status(*state, exit_code); });

  CLI::App* const adding = add_action(*group, state, "add", "use a new, empty drive");
  adding->add_option("path", state->path, "where it is mounted")->required();
  add_watch(*adding, state);
  adding->callback([state, &exit_code] { add(*state, exit_code, std::nullopt); });

  CLI::App* const replacing =
      add_action(*group, state, "replace", "use a new drive in place of a failed or old one");
  replacing->add_option("drive", state->drive, kWhich)->required();
  replacing->add_option("path", state->path, "where the new one is mounted")->required();
  add_watch(*replacing, state);
  replacing->callback([state, &exit_code] { replace(*state, exit_code); });

  CLI::App* const draining = add_action(*group, state, "drain", "move everything off a drive");
  draining->add_option("drive", state->drive, kWhich)->required();
  draining->add_flag("--cancel", state->cancel, "let it take new data again");
  add_watch(*draining, state);
  draining->callback([state, &exit_code] { drain(*state, exit_code); });

  CLI::App* const removing = add_action(*group, state, "remove", "forget a drained drive");
  removing->add_option("drive", state->drive, kWhich)->required();
  removing->callback([state, &exit_code] { remove(*state, exit_code); });
}

}  // namespace outcrop
