#include "tests/linear/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <unordered_set>

namespace outcrop::linear {
namespace {

/// The object after `event`, or nothing if it cannot have happened in this state.
std::optional<Value> step(Value state, const Event& event) {
  const bool holds = [&] {
    switch (event.kind) {
      case Kind::read:
        return state == event.value;
      case Kind::put_if_absent:
        return state == kAbsent;
      case Kind::put_if_match:
      case Kind::remove_if_match:
        return state == event.expected;
      case Kind::differs:
        return state != event.expected;
      case Kind::put:
      case Kind::remove:
        return true;
    }
    return false;
  }();
  const bool changes = event.kind != Kind::read && event.kind != Kind::differs;
  const Value after = !changes ? state
                      : event.kind == Kind::remove || event.kind == Kind::remove_if_match
                          ? kAbsent
                          : event.value;
  switch (event.outcome) {
    case Outcome::done:
      return holds ? std::optional(after) : std::nullopt;
    case Outcome::refused:
      return holds ? std::nullopt : std::optional(state);
    case Outcome::unknown:
      return holds ? after : state;
  }
  return std::nullopt;
}

/// What is linearized, as the sum of a random number for each event, and the state after it.
struct Configuration {
  std::uint64_t low, high;
  Value state;
  bool operator==(const Configuration&) const = default;
};
struct HashConfiguration {
  std::size_t operator()(const Configuration& c) const {
    return c.low ^ (c.state * 0x9e3779b97f4a7c15ULL);
  }
};

class Search {
 public:
  Search(const History& history, std::size_t most) : x_history(history), x_most(most) {
    const std::size_t n = history.size();
    std::mt19937_64 random(n);
    for (std::size_t i = 0; i < n; ++i) {
      x_tags.push_back({random(), random()});
    }
    // Entries: 2 * event for its call, 2 * event + 1 for its return; a call before a return that
    // bears the same time.
    std::vector<std::size_t> entries(2 * n);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = i;
    }
    const auto key = [&](std::size_t entry) {
      const Event& event = history[entry / 2];
      return std::pair(is_call(entry) ? event.call_ns : event.return_ns, entry % 2);
    };
    std::ranges::sort(entries, {}, key);
    x_head = 2 * n;
    x_next.resize(2 * n + 1);
    x_before.resize(2 * n + 1);
    std::size_t last = x_head;
    for (const std::size_t entry : entries) {
      link(last, entry);
      last = entry;
    }
    link(last, x_head);
  }

  Check run() {
    Check out;
    std::unordered_set<Configuration, HashConfiguration> seen;
    Configuration at{0, 0, kAbsent};
    std::vector<std::pair<std::size_t, Configuration>> stack;  // the event, and where it began
    for (std::size_t entry = x_next[x_head]; x_next[x_head] != x_head;) {
      const std::size_t event = entry / 2;
      if (is_call(entry)) {
        if (const auto state = step(at.state, x_history[event])) {
          const Configuration after{at.low ^ x_tags[event][0], at.high ^ x_tags[event][1], *state};
          if (seen.insert(after).second) {
            stack.emplace_back(event, at);
            at = after;
            lift(event);
            entry = x_next[x_head];
            continue;
          }
        }
        entry = x_next[entry];
        continue;
      }
      // Somebody got an answer, and nothing of what was under way explains it.
      if (stack.size() >= out.order.size()) {
        out.order.clear();
        for (const auto& [done, from] : stack) {
          out.order.push_back(done);
        }
        out.stuck = event;
      }
      if (stack.empty() || seen.size() > x_most) {
        out.verdict = stack.empty() ? Verdict::violation : Verdict::undecided;
        out.tried = seen.size();
        return out;
      }
      const auto [undone, from] = stack.back();
      stack.pop_back();
      at = from;
      unlift(undone);
      entry = x_next[2 * undone];
    }
    return {.tried = seen.size()};
  }

 private:
  static bool is_call(std::size_t entry) { return entry % 2 == 0; }
  void link(std::size_t from, std::size_t to) {
    x_next[from] = to;
    x_before[to] = from;
  }
  void lift(std::size_t event) {
    for (const std::size_t entry : {2 * event, 2 * event + 1}) {
      x_next[x_before[entry]] = x_next[entry];
      x_before[x_next[entry]] = x_before[entry];
    }
  }
  void unlift(std::size_t event) {
    for (const std::size_t entry : {2 * event + 1, 2 * event}) {
      x_next[x_before[entry]] = entry;
      x_before[x_next[entry]] = entry;
    }
  }

  const History& x_history;
  const std::size_t x_most;
  std::vector<std::array<std::uint64_t, 2>> x_tags;
  std::size_t x_head = 0;  // of the list of entries, a ring
  std::vector<std::size_t> x_next, x_before;
};

}  // namespace

std::string to_text(const Event& event) {
  constexpr std::array kKinds{
      "read", "put", "put if absent", "put if match", "remove", "remove if match", "differs"};
  constexpr std::array kOutcomes{"done", "refused", "unknown"};
  std::string out = fmt::format("client {:2} {} to {}: {}", event.client, event.call_ns,
                                event.return_ns == kNever ? "?" : std::to_string(event.return_ns),
                                kKinds[static_cast<std::size_t>(event.kind)]);
  if (event.kind != Kind::remove && event.kind != Kind::remove_if_match) {
    out += fmt::format(" value {}", event.value);
  }
  if (event.expected != kAbsent) {
    out += fmt::format(" expected {}", event.expected);
  }
  return out + fmt::format(", {}", kOutcomes[static_cast<std::size_t>(event.outcome)]);
}

Check check(const History& history, std::size_t most) { return Search(history, most).run(); }

}  // namespace outcrop::linear
