#include "tools/fsck_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "tools/fsck/print.h"
#include "tools/fsck/run.h"

namespace outcrop {
namespace {

constexpr const char* kFooter =
    "\nExamples\n"
    "  Before a box is shipped back to work:\n"
    "    outcrop fsck --config /etc/outcrop/outcrop.toml\n"
    "  The metadata alone, for a program:\n"
    "    outcrop fsck --config outcrop.toml --metadata-only --json\n"
    "The server must not run. Nothing is written to the drives: journals are replayed in a copy "
    "in\n"
    "the scratch directory, which is removed at the end. Exit code: 0 clean (there may be notes),\n"
    "1 problems, 2 the check could not run to its end.\n";

constexpr std::uint64_t kLeastMemory = 32 << 20;
constexpr auto kRedraw = std::chrono::milliseconds(200);

std::atomic<bool> g_interrupted{false};

struct State {
  std::string config, memory = "256MiB";
  tools::FsckOptions options;
  bool json = false, verbose = false;
};

/// One line on the terminal that changes.
class ProgressLine {
 public:
  explicit ProgressLine(bool shown) : x_shown(shown) {}
  void show(std::string_view phase, std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!x_shown || (phase == x_phase && now - x_drawn < kRedraw)) {
      return;
    }
    x_phase = phase;
    x_drawn = now;
    const std::string of = total > 0 ? fmt::format(" of about {}", total) : std::string();
    fmt::print(stderr, "\r\033[K{}{}", phase,
               done > 0 ? fmt::format(": {}{}", done, of) : std::string("..."));
    std::fflush(stderr);
  }
  ~ProgressLine() {
    if (!x_phase.empty()) {
      fmt::print(stderr, "\r\033[K");
    }
  }
  ProgressLine(const ProgressLine&) = delete;

 private:
  const bool x_shown;
  std::string x_phase;
  std::chrono::steady_clock::time_point x_drawn;
};

/// What goes wrong for a person.
std::string text_of(const Error& error) {
  if (error.code() == Errc::cancelled) {
    return "it was interrupted";
  }
  const bool plain = error.code() == Errc::config || error.code() == Errc::already_exists;
  return plain ? std::string(error.detail()) : error.describe();
}

Result<void> check_store(State& state, check::Report& report) {
  const auto memory = server::parse_size(state.memory);
  if (!memory || *memory < kLeastMemory) {
    return fail(Errc::config, "--memory: a size of at least 32MiB, as 256MiB");
  }
  TRY(const server::Config config,
      server::load_config(state.config, server::process_environment()));
  ProgressLine line(!state.json && ::isatty(STDERR_FILENO) == 1);
  state.options.memory_bytes = *memory;
  state.options.progress = [&line](std::string_view phase, std::uint64_t done,
                                   std::uint64_t total) {
    line.show(phase, done, total);
    return !g_interrupted.load();
  };
  return tools::fsck(config, std::move(state.options), report);
}

int run(State& state) {
  log::configure(state.verbose ? log::Level::info : log::Level::off, log::Format::text);
  // The scratch directory must not stay behind.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(signal, [](int) { g_interrupted.store(true); });
  }
  check::Report report;
  const Result<void> done = check_store(state, report);
  const std::string why = done ? std::string() : text_of(done.error());
  const bool nothing = !why.empty() && report.drives.empty() && report.findings.listed().empty();
  if (state.json) {
    fmt::print("{}", tools::fsck_json(report, why));
  } else if (!nothing) {
    fmt::print("{}", tools::fsck_text(report, why));
  }
  if (nothing || (state.json && !why.empty())) {
    fmt::print(stderr, "outcrop fsck: {}\n", why);
  }
  return tools::fsck_exit_code(report, why);
}

}  // namespace

void add_fsck_command(CLI::App& app, int& exit_code) {
  CLI::App* const fsck = app.add_subcommand(
      "fsck", "Check the store of a stopped server: drives, metadata, every byte of payload");
  const auto state = std::make_shared<State>();
  fsck->add_option("--config", state->config, "The configuration of outcropd")->required();
  fsck->add_flag("--metadata-only", state->options.metadata_only, "Do not read the payload");
  fsck->add_option("--scratch", state->options.scratch,
                   "Where to make a temporary folder, on none of the drives (default: TMPDIR or "
                   "/tmp)");
  fsck->add_option("--memory", state->memory, "How much memory to use, about")
      ->capture_default_str();
  fsck->add_flag("--json", state->json, "Print one JSON object");
  fsck->add_flag("--verbose", state->verbose, "Log to stderr what the store says while it is read");
  fsck->footer(kFooter);
  fsck->callback([state, &exit_code] { exit_code = run(*state); });
}

}  // namespace outcrop
