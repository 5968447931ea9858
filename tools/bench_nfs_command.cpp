#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/bench/nfs/run_nfs.h"
#include "tools/bench/options.h"
#include "tools/bench_command.h"

namespace outcrop {
namespace {

using namespace bench;

constexpr const char* kFooter =
    "\nExamples\n"
    "  What a GETATTR costs a server on this machine:\n"
    "    outcrop bench nfs --export /datasets --mix getattr=100 --depth 32 \\\n"
    "        --server-pid $(pidof outcropd)\n"
    "  Reads of 1 MiB over NFSv4.1, as JSON:\n"
    "    outcrop bench nfs --export /datasets --version 4.1 --size 1MiB --mix read=100 --json\n"
    "The directory outcrop-bench is made in the export. A write is an unstable WRITE and its\n"
    "COMMIT, a create is made and removed again, a readdir reads the whole directory. Rates "
    "depend\n"
    "on what else the machine does: compare the CPU figures, and pin both programs (taskset) for\n"
    "rates.\n";

struct State {
  NfsOptions options;
  std::string version = "3";
  std::string size = "4KiB";
  std::string file_size = "0";
  std::string mix = "getattr=100";
  CLI::Option* duration = nullptr;
};

Result<void> complete(State& state) {
  NfsOptions& o = state.options;
  TRY(o.session, parse_nfs_version(state.version));
  TRY(o.size, parse_size(state.size));
  TRY(o.file_size, parse_size(state.file_size));
  TRY(o.mix, parse_nfs_mix(state.mix));
  // A count alone means "as long as it takes", but not for ever.
  if (o.ops > 0 && state.duration->count() == 0) {
    o.duration_s = 3600;
  }
  return check(o);
}

int run(State& state) {
  if (const Result<void> completed = complete(state); !completed) {
    fmt::print(stderr, "outcrop bench nfs: {}\n", completed.error().detail());
    return 2;
  }
  const Result<Report> report = run_nfs(state.options);
  if (!report) {
    const Error& error = report.error();
    fmt::print(stderr, "outcrop bench nfs: {}\n",
               error.detail().empty() ? error.describe() : std::string(error.detail()));
    return 1;
  }
  fmt::print("{}", state.options.json ? to_json(*report, nfs_parameters(state.options))
                                      : to_text(*report, nfs_heading(state.options)));
  return report->errors.empty() ? 0 : 3;
}

void add_options(CLI::App& nfs, State& s) {
  NfsOptions& o = s.options;
  nfs.add_option("--host", o.host, "Name or address of the server")->capture_default_str();
  nfs.add_option("--port", o.port, "Its port")->capture_default_str();
  nfs.add_option("--mount-port", o.mount_port,
                 "Port of the MOUNT protocol (NFSv3; default: the same)");
  nfs.add_option("--export", o.export_path, "Path of the export")->required();
  nfs.add_option("--version", s.version, "3 or 4.1")->capture_default_str();
  nfs.add_option("--uid", o.uid, "User to act as (AUTH_SYS)")->capture_default_str();
  nfs.add_option("--gid", o.gid, "Group to act as")->capture_default_str();
  nfs.add_option("--size", s.size, "Bytes of a read or write, at most 1 MiB")
      ->capture_default_str();
  nfs.add_option("--mix", s.mix, "Percentages: getattr=,lookup=,read=,write=,create=,readdir=")
      ->capture_default_str();
  nfs.add_flag("--stable", o.stable, "A write is one WRITE with FILE_SYNC, without a COMMIT");
  nfs.add_option("--files", o.files, "Files that operations choose from")->capture_default_str();
  nfs.add_option("--file-size", s.file_size, "Their size (default: one transfer)");
  nfs.add_option("--connections", o.connections, "TCP connections; of 4.1 each has a session")
      ->capture_default_str();
  nfs.add_option("--depth", o.depth, "Calls under way per connection, at most 64")
      ->capture_default_str();
  nfs.add_option("--threads", o.threads, "Threads of this client")->capture_default_str();
  s.duration = nfs.add_option("--duration", o.duration_s,
                              "Seconds to measure (with --ops: at most, default 3600)")
                   ->capture_default_str();
  nfs.add_option("--ops", o.ops, "Stop after so many operations; 0: when the duration is over")
      ->capture_default_str();
  nfs.add_option("--timeout", o.timeout_s, "Seconds after which a connection is given up")
      ->capture_default_str();
  nfs.add_flag("--clean", o.clean, "Remove the files afterwards");
  nfs.add_option("--server-pid", o.server_pid,
                 "Also report the CPU time and memory of this process on this machine");
  nfs.add_flag("--json", o.json, "Print one JSON object");
}

}  // namespace

void add_bench_nfs_command(CLI::App& bench, int& exit_code) {
  CLI::App* const nfs = bench.add_subcommand(
      "nfs", "Load any NFS server and print rates, latencies, errors and CPU cost");
  const auto state = std::make_shared<State>();
  add_options(*nfs, *state);
  nfs->footer(kFooter);
  nfs->callback([state, &exit_code] { exit_code = run(*state); });
}

}  // namespace outcrop
