#include "tools/bench_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "storage/digest/digest.h"
#include "tools/bench/run.h"
#include "tools/s3_options.h"

namespace outcrop {
namespace {

using namespace bench;

constexpr const char* kFooter =
    "\nExamples\n"
    "  Small GETs of a server on this machine, with its CPU cost per operation:\n"
    "    outcrop bench s3 --endpoint http://127.0.0.1:9000 --size 4KiB --concurrency 64 \\\n"
    "        --mix get=100 --server-pid $(pidof outcropd)\n"
    "  Uploads of 16 MiB in parts of 8 MiB, as JSON:\n"
    "    outcrop bench s3 --endpoint https://s3.example.com --size 16MiB --multipart \\\n"
    "        --part-size 8MiB --mix put=100 --duration 30 --json\n"
    "Credentials come from --access-key and --secret-key, or from AWS_ACCESS_KEY_ID,\n"
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. Rates depend on what else the machine does: "
    "compare\n"
    "the CPU figures, and pin both programs (taskset) for rates.\n";

/// The texts that need parsing beyond what CLI11 does.
struct Texts {
  std::string endpoint = "http://127.0.0.1:9000";
  std::string size = "4KiB";
  std::string part_size = "8MiB";
  std::string range_size = "0";
  std::string mix = "get=100";
  std::string checksum;
};

struct State {
  Options options;
  Texts texts;
  bool no_prepare = false;
  CLI::Option* duration = nullptr;
};

/// "CRC32, CRC32C, ..."
std::string checksum_names() {
  std::string out;
  for (const digest::Algorithm algorithm : digest::kAlgorithms) {
    out += (out.empty() ? "" : ", ") + std::string(digest::name(algorithm));
  }
  return out;
}

Result<void> complete(State& state) {
  Options& o = state.options;
  TRY(o.endpoint, parse_endpoint(state.texts.endpoint));
  TRY(o.size, parse_size(state.texts.size));
  TRY(o.part_size, parse_size(state.texts.part_size));
  TRY(o.range_size, parse_size(state.texts.range_size));
  TRY(o.mix, parse_mix(state.texts.mix));
  if (!state.texts.checksum.empty()) {
    const auto algorithm = digest::parse_name(state.texts.checksum);
    if (!algorithm) {
      return fail(Errc::config,
                  "--checksum: '" + state.texts.checksum + "' is none of " + checksum_names());
    }
    o.checksum = *algorithm;
  }
  o.prepare = !state.no_prepare;
  // A count alone means "as long as it takes", but not for ever.
  if (o.ops > 0 && state.duration->count() == 0) {
    o.duration_s = 3600;
  }
  return check(o);
}

int run(State& state) {
  if (const Result<void> completed = complete(state); !completed) {
    fmt::print(stderr, "outcrop bench s3: {}\n", completed.error().detail());
    return 2;
  }
  const Result<Report> report = run_s3(state.options);
  if (!report) {
    const Error& error = report.error();
    fmt::print(stderr, "outcrop bench s3: {}\n",
               error.detail().empty() ? error.describe() : std::string(error.detail()));
    return 1;
  }
  const bool json = state.options.json;
  fmt::print("{}", json ? to_json(*report, s3_parameters(state.options))
                        : to_text(*report, s3_heading(state.options)));
  return report->errors.empty() ? 0 : 3;
}

void add_connection_options(CLI::App& s3, State& s) {
  Options& o = s.options;
  add_s3_options(s3, s.texts.endpoint, o);
  s3.add_option("--timeout", o.timeout_s, "Seconds after which an operation counts as failed")
      ->capture_default_str();
}

void add_load_options(CLI::App& s3, State& s) {
  Options& o = s.options;
  s3.add_option("--bucket", o.bucket, "Bucket; created when it is not there")
      ->capture_default_str();
  s3.add_option("--prefix", o.prefix, "Prefix of all keys")->capture_default_str();
  s3.add_option("--size", s.texts.size, "Size of an object: 4KiB, 16MiB, ...")
      ->capture_default_str();
  s3.add_option(
        "--mix", s.texts.mix,
        "Percentages: put=,get=,head=,list=,delete=. A put makes a new key; get, head and list "
        "use the key set; a delete takes what its connection uploaded before, uploading "
        "something unmeasured when there is nothing")
      ->capture_default_str();
  s3.add_option("--concurrency", o.concurrency, "Connections, each with one operation at a time")
      ->capture_default_str();
  s3.add_option("--threads", o.threads, "Threads of this client")->capture_default_str();
  s.duration = s3.add_option("--duration", o.duration_s,
                             "Seconds to measure (with --ops: at most, default 3600)")
                   ->capture_default_str();
  s3.add_option("--ops", o.ops, "Stop after so many operations; 0: when the duration is over")
      ->capture_default_str();
  s3.add_option("--objects", o.objects, "Size of the key set, uploaded before the measurement")
      ->capture_default_str();
  s3.add_flag("--no-prepare", s.no_prepare,
              "The key set is there from an earlier run with --size and --objects");
  s3.add_flag("--clean", o.clean, "Delete the key set and all uploads afterwards");
  s3.add_flag("--multipart", o.multipart,
              "A put is a multipart upload, its parts one after the other");
  s3.add_option("--part-size", s.texts.part_size, "Size of a part")->capture_default_str();
  s3.add_option("--range-size", s.texts.range_size,
                "A get reads so many bytes at a random place; 0: all")
      ->capture_default_str();
  s3.add_option("--list-keys", o.list_keys, "Keys per page of a list")->capture_default_str();
  s3.add_flag("--sign-payload", o.sign_payload,
              "Put the SHA-256 of the body into the signature, as SDKs do over http (default: "
              "UNSIGNED-PAYLOAD)");
  s3.add_option("--checksum", s.texts.checksum,
                "Send x-amz-checksum-NAME with uploads: " + checksum_names());
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* const group = app.add_subcommand("bench", "Measure a server");
  group->require_subcommand(1);
  CLI::App* const s3 = group->add_subcommand(
      "s3", "Load any S3 endpoint and print rates, latencies, errors and CPU cost");
  const auto state = std::make_shared<State>();
  add_connection_options(*s3, *state);
  add_load_options(*s3, *state);
  s3->add_option("--server-pid", state->options.server_pid,
                 "Also report the CPU time and memory of this process on this machine");
  s3->add_flag("--json", state->options.json, "Print one JSON object");
  s3->footer(kFooter);
  s3->callback([state, &exit_code] { exit_code = run(*state); });
  add_bench_nfs_command(*group, exit_code);
}

}  // namespace outcrop
