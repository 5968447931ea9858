#include "tools/selftest/checklist.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace outcrop::selftest {
namespace {

constexpr std::size_t kShown = 200;  // bytes of a value in a message

/// On one line, not too long, and nothing that a terminal or JSON would not take.
std::string shown(std::string_view value) {
  std::string out;
  for (const char c : value.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 ? ' ' : byte < 0x7f ? c : '?');
  }
  return value.size() > kShown ? fmt::format("{}... ({} bytes)", out, value.size()) : out;
}

std::string text_of(const Error& error) {
  return error.detail().empty() ? error.describe() : std::string(error.detail());
}

}  // namespace

std::unexpected<Error> differs(std::string_view what,
                               std::string_view expected,
                               std::string_view got) {
  return fail(Errc::conflict,
              fmt::format("{}: expected {}, got {}", what, shown(expected), shown(got)));
}

Result<void> expect(std::string_view what, const Reply& reply, int status, std::string_view code) {
  if (reply.status == status && (code.empty() || reply.code() == code)) {
    return ok();
  }
  return differs(what, code.empty() ? std::to_string(status) : fmt::format("{} {}", status, code),
                 reply.text());
}

Result<void> expect_equal(std::string_view what, std::string_view expected, std::string_view got) {
  return expected == got ? ok() : Result<void>(differs(what, expected, got));
}

void Checklist::add(Outcome outcome) {
  x_tell(outcome);
  x_outcomes.push_back(std::move(outcome));
}

Async<bool> Checklist::run(std::string name, Task<> check) {
  if (x_stopper.stopped() || !x_skip.empty()) {
    add({std::move(name), Verdict::skipped, x_skip.empty() ? x_stopper.why() : x_skip});
    co_return false;
  }
  co_return co_await run_always(std::move(name), std::move(check));
}

Async<bool> Checklist::run_always(std::string name, Task<> check) {
  const auto began = std::chrono::steady_clock::now();
  const Result<void> done = co_await std::move(check);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  add({std::move(name), done ? Verdict::pass : Verdict::fail, done ? "" : text_of(done.error()),
       took.count()});
  co_return done.has_value();
}

std::size_t Checklist::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(x_outcomes, verdict, &Outcome::verdict));
}

}  // namespace outcrop::selftest
