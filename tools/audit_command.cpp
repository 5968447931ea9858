#include "tools/audit_command.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdio>

#include "auth/audit/verify.h"

namespace outcrop {
namespace {

namespace json = boost::json;

constexpr int kBroken = 1, kBadArguments = 2;

struct State {
  std::vector<std::string> files;
  std::string known;
  bool as_json = false;
};

/// "SEQ:HASH".
std::optional<audit::Link> parse_link(std::string_view text) {
  audit::Link out;
  const char* const end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out.seq);
  if (ec != std::errc{} || at == end || *at != ':') {
    return std::nullopt;
  }
  out.hash = std::string(at + 1, end);
  return out.hash.size() == audit::kHashDigits ? std::optional(std::move(out)) : std::nullopt;
}

void print_json(const audit::Verdict& v) {
  json::array problems;
  for (const std::string& p : v.problems) {
    problems.emplace_back(p);
  }
  const json::object out = {
      {"intact", v.intact()},   {"lines", v.lines},         {"first_seq", v.first.seq},
      {"last_seq", v.last.seq}, {"last_hash", v.last.hash}, {"dropped", v.dropped},
      {"starts", v.starts},     {"stops", v.stops},         {"suppressed", v.suppressed},
      {"torn", v.torn},         {"problems", problems},     {"unfinished", v.unfinished}};
  fmt::print("{}\n", json::serialize(out));
}

void print_text(const audit::Verdict& v) {
  for (const std::string& p : v.problems) {
    fmt::print("{}\n", p);
  }
  if (v.unfinished) {
    fmt::print("the last line is not finished: the server writes it, or was killed\n");
  }
  if (v.dropped + v.suppressed + v.torn > 0) {
    fmt::print("missing, as the log says itself: {} dropped, {} denials beyond the rate, {} cut\n",
               v.dropped, v.suppressed, v.torn);
  }
  fmt::print("{}: {} lines, {} to {}, {} starts\nlast: {}:{}\n",
             v.intact() ? "intact" : "NOT INTACT", v.lines, v.first.seq, v.last.seq, v.starts,
             v.last.seq, v.last.hash);
}

void verify(const State& state, int& exit_code) {
  std::optional<audit::Link> known;
  if (!state.known.empty()) {
    known = parse_link(state.known);
    if (!known) {
      fmt::print(stderr,
                 "outcrop: --contains takes SEQ:HASH, as the last line of verify says it\n");
      exit_code = kBadArguments;
      return;
    }
  }
  const audit::Verdict verdict =
      audit::verify_chain({state.files.begin(), state.files.end()}, known);
  state.as_json ? print_json(verdict) : print_text(verdict);
  exit_code = verdict.intact() ? 0 : kBroken;
}

}  // namespace

void add_audit_command(CLI::App& app, int& exit_code) {
  auto state = std::make_shared<State>();
  CLI::App* const group = app.add_subcommand("audit", "the audit log");
  group->require_subcommand(1);
  CLI::App* const verifying =
      group->add_subcommand("verify",
                            "check that no line was changed, taken out or put in; what is missing "
                            "at the end shows only with --contains");
  verifying->add_option("files", state->files, "audit.log and audit.log.N, in any order")
      ->required();
  verifying->add_option("--contains", state->known,
                        "SEQ:HASH that was noted earlier: it must be there");
  verifying->add_flag("--json", state->as_json, "print an object");
  verifying->callback([state, &exit_code] { verify(*state, exit_code); });
}

}  // namespace outcrop
