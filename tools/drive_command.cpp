#include "tools/drive_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <thread>

#include "tools/admin_command.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using tools::number_of;
using tools::text_of;

constexpr auto kWatchInterval = std::chrono::seconds(1);

struct State {
  tools::AdminOptions options;
  bool as_json = false;
  std::string drive, path;
  bool cancel = false, wait = false;
};

std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    value /= 1024;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 120) {
    return fmt::format("{} s", seconds);
  }
  return seconds < 7200 ? fmt::format("{} min", seconds / 60)
                        : fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

const json::object& object_at(const json::object& o, std::string_view name) {
  static const json::object kNone;
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_object() ? v->get_object() : kNone;
}

std::vector<json::object> drives_of(const json::object& status) {
  std::vector<json::object> out;
  const json::value* const v = status.if_contains("drives");
  if (v != nullptr && v->is_array()) {
    for (const json::value& item : v->get_array()) {
      if (item.is_object()) {
        out.push_back(item.get_object());
      }
    }
  }
  return out;
}

bool flag_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_bool() && v->get_bool();
}

std::optional<json::object> get_status(State& state, int& exit_code) {
  const auto body = tools::ask(state.options, exit_code, "GET", "/v1/drives");
  return body ? tools::parse_answer(*body, exit_code) : std::nullopt;
}

/// By slot, path or uuid.
std::optional<json::object> find_drive(State& state, int& exit_code) {
  const auto status = get_status(state, exit_code);
  if (!status) {
    return std::nullopt;
  }
  for (json::object& d : drives_of(*status)) {
    if (std::to_string(number_of(d, "slot")) == state.drive || text_of(d, "path") == state.drive ||
        text_of(d, "uuid") == state.drive) {
      return std::move(d);
    }
  }
  fmt::print(stderr, "outcrop: {}: no such drive; see outcrop drive list\n", state.drive);
  exit_code = tools::kRefused;
  return std::nullopt;
}

std::string target_of(const json::object& drive) {
  return fmt::format("/v1/drives/{}", number_of(drive, "slot"));
}

void print_drives(const json::object& status) {
  fmt::print("{:<4} {:<9} {:<28} {:>10} {:>10} {:>7}  {}\n", "SLOT", "STATE", "PATH", "SIZE",
             "FREE", "SHARDS", "SAFE TO PULL");
  for (const json::object& d : drives_of(status)) {
    const std::string path = text_of(d, "path");
    fmt::print("{:<4} {:<9} {:<28} {:>10} {:>10} {:>7}  {}, because {}\n", number_of(d, "slot"),
               text_of(d, "state"), path.empty() ? text_of(d, "uuid").substr(0, 8) : path,
               size_text(number_of(d, "size_bytes")), size_text(number_of(d, "free_bytes")),
               number_of(d, "shards"), flag_of(d, "safe_to_pull") ? "yes" : "no",
               text_of(d, "reason"));
  }
}

std::string progress_text(const json::object& repair) {
  const std::uint64_t left = number_of(repair, "bytes_left");
  const std::uint64_t done = number_of(repair, "bytes_done");
  const json::value* const eta = repair.if_contains("seconds_left");
  const bool known = eta != nullptr && eta->is_number();
  return fmt::format(
      "{:3.0f} %, {} of {}, {}/s, {}", done + left == 0 ? 100.0 : 100.0 * done / (done + left),
      size_text(done), size_text(done + left), size_text(number_of(repair, "bytes_per_second")),
      known ? duration_text(number_of(repair, "seconds_left")) + " left" : "time left unknown");
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
    fmt::print("blocked: {} segments have no other drive to go to: add one (outcrop drive add)\n",
               n);
  }
  if (flag_of(repair, "running")) {
    fmt::print("repair: {}\n", progress_text(repair));
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
  const auto body = tools::ask(state.options, exit_code, "GET", "/v1/drives");
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
  } else if (const auto status = tools::parse_answer(*body, exit_code)) {
    print_drives(*status);
  }
}

/// Until repair has nothing more to do. One line that changes on a terminal, else one line a turn
/// that says something new.
void watch(State& state, int& exit_code) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::string last;
  for (;;) {
    const auto status = get_status(state, exit_code);
    if (!status) {
      return;
    }
    const json::object& repair = object_at(*status, "repair");
    const bool busy = flag_of(repair, "running") || number_of(repair, "bytes_left") > 0;
    std::string line = busy ? "repair: " + progress_text(repair) : "repair: nothing left to do";
    if (line != last) {
      fmt::print("{}{:<78}{}", terminal ? "\r" : "", line, terminal && busy ? "" : "\n");
      std::fflush(stdout);
      last = std::move(line);
    }
    if (!busy) {
      return;
    }
    std::this_thread::sleep_for(kWatchInterval);
  }
}

void status(State& state, int& exit_code) {
  const auto body = tools::ask(state.options, exit_code, "GET", "/v1/drives");
  if (!body || state.as_json) {
    fmt::print("{}", body.value_or(""));
    return;
  }
  if (const auto answer = tools::parse_answer(*body, exit_code)) {
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
         replaces ? "added; what the old drive held is being rebuilt: outcrop drive status --watch"
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

}  // namespace

void add_drive_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("drive", "drives of a running server, and repair");
  group->require_subcommand(1);
  constexpr const char* kWhich = "slot number, path or uuid";
  constexpr const char* kWatch = "show progress until repair is done";

  CLI::App* const listing =
      add_action(*group, state, "list", "all drives, and which may be pulled");
  listing->callback([state, &exit_code] { list(*state, exit_code); });

  CLI::App* const showing =
      add_action(*group, state, "status", "drives, redundancy, repair, scrub");
  showing->add_flag("--watch", state->wait, kWatch);
  showing->callback([state, &exit_code] { status(*state, exit_code); });

  CLI::App* const adding = add_action(*group, state, "add", "use a new, empty drive");
  adding->add_option("path", state->path, "where it is mounted")->required();
  adding->add_flag("--watch", state->wait, kWatch);
  adding->callback([state, &exit_code] { add(*state, exit_code, std::nullopt); });

  CLI::App* const replacing =
      add_action(*group, state, "replace", "use a new drive in place of a failed or old one");
  replacing->add_option("drive", state->drive, kWhich)->required();
  replacing->add_option("path", state->path, "where the new one is mounted")->required();
  replacing->add_flag("--watch", state->wait, kWatch);
  replacing->callback([state, &exit_code] { replace(*state, exit_code); });

  CLI::App* const draining = add_action(*group, state, "drain", "move everything off a drive");
  draining->add_option("drive", state->drive, kWhich)->required();
  draining->add_flag("--cancel", state->cancel, "let it take new data again");
  draining->add_flag("--watch", state->wait, kWatch);
  draining->callback([state, &exit_code] { drain(*state, exit_code); });

  CLI::App* const removing = add_action(*group, state, "remove", "forget a drained drive");
  removing->add_option("drive", state->drive, kWhich)->required();
  removing->callback([state, &exit_code] { remove(*state, exit_code); });
}

}  // namespace outcrop
