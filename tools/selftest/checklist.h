// Runs checks one after the other and says how each of them went.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/async.h"
#include "tools/selftest/http_client.h"

namespace outcrop::selftest {

enum class Verdict : std::uint8_t { pass, fail, skipped };

struct Outcome {
  std::string name;
  Verdict verdict = Verdict::pass;
  std::string why{};  ///< what was expected and what came; of skipped ones: why
  double seconds = 0;
};

/// The error of a check: "what: expected E, got G".
std::unexpected<Error> differs(std::string_view what,
                               std::string_view expected,
                               std::string_view got);
/// An error unless the answer has this status, and this code if one is given.
Result<void> expect(std::string_view what,
                    const Reply& reply,
                    int status,
                    std::string_view code = {});
Result<void> expect_equal(std::string_view what, std::string_view expected, std::string_view got);

class Checklist {
 public:
  /// `tell` is called with each outcome as it comes.
  Checklist(Stopper& stopper, std::function<void(const Outcome&)> tell)
      : x_stopper(stopper), x_tell(std::move(tell)) {}

  /// Skipped once the stopper has stopped, or skip_rest() was called. Whether it passed.
  Async<bool> run(std::string name, Task<> check);
  void skip_rest(std::string why) { x_skip = std::move(why); }
  /// Also when the others are skipped.
  Async<bool> run_always(std::string name, Task<> check);

  const std::vector<Outcome>& outcomes() const { return x_outcomes; }
  std::size_t count(Verdict verdict) const;

 private:
  void add(Outcome outcome);

  Stopper& x_stopper;
  std::function<void(const Outcome&)> x_tell;
  std::string x_skip;
  std::vector<Outcome> x_outcomes;
};

}  // namespace outcrop::selftest
