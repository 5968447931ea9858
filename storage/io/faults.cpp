// The plan: which call is struck by what.
#include "storage/io/faults.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace outcrop::io {
namespace {

constexpr std::array<std::string_view, kPathClasses> kClassNames{
    "superblock", "epoch",    "lock",    "journal", "segment", "spare",
    "table",      "manifest", "options", "mirror",  "root"};
constexpr std::array<std::string_view, 12> kStepNames{
    "read",     "create", "write",  "truncate", "punch",       "sync",
    "prewrite", "rename", "remove", "make_dir", "remove_tree", "sync_dir"};
constexpr std::array<std::string_view, 7> kKindNames{"error",       "short_count", "delay", "flip",
                                                     "misdirected", "lost",        "torn"};

bool under(std::string_view path, std::string_view dir) {
  return path.starts_with(dir) && (path.size() == dir.size() || path[dir.size()] == '/');
}

bool matches(const FaultRule& rule, const SimStepInfo& call, PathClass where, bool transfer) {
  return (!rule.transfer || *rule.transfer == transfer) &&
         (!rule.drive || *rule.drive == call.drive) && (!rule.step || *rule.step == call.step) &&
         (!rule.where || *rule.where == where) &&
         call.path.find(rule.path_part) != std::string_view::npos;
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names,
                                    std::string_view name) {
  const auto at = std::ranges::find(names, name);
  return at == names.end() ? std::nullopt : std::optional<std::size_t>(at - names.begin());
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional<T>(value) : std::nullopt;
}

template <class T, class U>
bool take(std::optional<T> value, U& out) {
  if (value) {
    out = static_cast<U>(*value);
  }
  return value.has_value();
}

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto index = index_of(names, name);
  return index ? std::optional(static_cast<Enum>(*index)) : std::nullopt;
}

std::optional<int> error_named(std::string_view name) {
  return name == "EIO"      ? std::optional(EIO)
         : name == "ENOSPC" ? std::optional(ENOSPC)
         : name == "EINTR"  ? std::optional(EINTR)
                            : std::nullopt;
}

bool take_member(std::string_view name, std::string_view value, FaultRule& rule) {
  if (name == "drive") {
    return take(number<unsigned>(value), rule.drive.emplace());
  }
  if (name == "step") {
    return take(named<SimStep>(kStepNames, value), rule.step.emplace());
  }
  if (name == "where") {
    return take(named<PathClass>(kClassNames, value), rule.where.emplace());
  }
  if (name == "path") {
    rule.path_part = value;
    return true;
  }
  if (name == "kind") {
    return take(named<FaultKind>(kKindNames, value), rule.kind);
  }
  if (name == "error") {
    return take(error_named(value), rule.error_number);
  }
  if (name == "nth") {
    return take(number<std::uint64_t>(value), rule.nth) && rule.nth > 0;
  }
  if (name == "times") {
    return take(value == "always" ? std::optional(kAlways) : number<std::uint64_t>(value),
                rule.times);
  }
  if (name == "probability") {
    return take(number<double>(value), rule.probability) && rule.probability >= 0 &&
           rule.probability <= 1;
  }
  return name == "delay_ms" && take(number<unsigned>(value), rule.delay_ms);
}

}  // namespace

std::string_view to_string(PathClass where) { return kClassNames[static_cast<unsigned>(where)]; }
std::string_view to_string(SimStep step) { return kStepNames[static_cast<unsigned>(step)]; }
std::string_view to_string(FaultKind kind) { return kKindNames[static_cast<unsigned>(kind)]; }

PathClass path_class(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, PathClass>, 3> kFolders{
      {{"journal", PathClass::journal},
       {"segments", PathClass::segment},
       {"spare", PathClass::spare}}};
  for (const auto& [folder, where] : kFolders) {
    if (under(path, folder)) {
      return where;
    }
  }
  if (path.starts_with("superblock")) {
    return PathClass::superblock;
  }
  if (path.starts_with("epoch")) {
    return PathClass::epoch;
  }
  if (path == "lock") {
    return PathClass::lock;
  }
  if (!under(path, "meta")) {
    return PathClass::root;
  }
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".sst")) {
    return PathClass::table;
  }
  if (name.starts_with("OPTIONS")) {
    return PathClass::options;
  }
  const bool manifest =
      name.starts_with("MANIFEST") || name.starts_with("CURRENT") || name.ends_with(".dbtmp");
  return manifest ? PathClass::manifest : PathClass::mirror;
}

bool silent(FaultKind kind) {
  return kind == FaultKind::flip || kind == FaultKind::misdirected || kind == FaultKind::lost ||
         kind == FaultKind::torn;
}

bool applies(FaultKind kind, SimStep step) {
  switch (kind) {
    case FaultKind::error:
    case FaultKind::delay:
      return true;
    case FaultKind::short_count:
    case FaultKind::flip:
    case FaultKind::misdirected:
      return step == SimStep::read || step == SimStep::write;
    case FaultKind::lost:
      return step == SimStep::write || step == SimStep::sync;
    case FaultKind::torn:
      return step == SimStep::write;
  }
  return false;
}

Result<FaultText> parse_faults(std::string_view text) {
  FaultText out;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    FaultRule rule;
    bool has_member = false;
    for (std::string_view rest = one; !rest.empty();) {
      const std::string_view member = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), member.size() + 1));
      const std::size_t equals = member.find('=');
      const std::string_view name = member.substr(0, equals);
      const std::string_view value =
          equals == std::string_view::npos ? std::string_view{} : member.substr(equals + 1);
      const bool seed = name == "seed";
      if (value.empty() ||
          !(seed ? take(number<std::uint64_t>(value), out.seed) : take_member(name, value, rule))) {
        return fail(Errc::invalid_argument, "no such fault: " + std::string(member));
      }
      has_member |= !seed;
    }
    if (has_member && rule.step && !applies(rule.kind, *rule.step)) {
      return fail(Errc::invalid_argument, "cannot happen to such a call: " + std::string(one));
    }
    if (has_member) {
      out.rules.push_back(std::move(rule));
    }
  }
  return out;
}

std::string describe(const FaultSite& site) {
  return std::string(site.transfer ? "" : "call: ") + std::string(to_string(site.step)) + " of " +
         std::string(to_string(site.where)) + " on drive " + std::to_string(site.drive);
}

void FaultPlan::add(FaultRule rule) {
  const std::lock_guard lock(x_mutex);
  x_rules.push_back({.rule = std::move(rule)});
}

void FaultPlan::clear() {
  const std::lock_guard lock(x_mutex);
  x_rules.clear();
  x_sites.clear();
  x_struck.clear();
  x_strikes = x_retries = 0;
}

void FaultPlan::enable(bool on) {
  const std::lock_guard lock(x_mutex);
  x_enabled = on;
}

std::uint64_t FaultPlan::strikes() const {
  const std::lock_guard lock(x_mutex);
  return x_strikes;
}

std::map<FaultSite, std::uint64_t> FaultPlan::sites() const {
  const std::lock_guard lock(x_mutex);
  return x_sites;
}

std::uint64_t FaultPlan::retries() const {
  const std::lock_guard lock(x_mutex);
  return x_retries;
}

std::optional<FaultPlan::Strike> FaultPlan::decide(const SimStepInfo& call, bool transfer) {
  const std::lock_guard lock(x_mutex);
  if (!x_enabled) {
    return std::nullopt;
  }
  const PathClass where = path_class(call.path);
  const FaultSite site{call.drive, call.step, where, transfer};
  ++x_sites[site];
  if (!x_struck.empty()) {
    x_retries += x_struck.contains({call.drive, call.step, std::string(call.path)});
  }
  for (auto& [rule, seen, struck] : x_rules) {
    const bool possible = transfer ? applies(rule.kind, call.step)
                                   : rule.kind == FaultKind::error || rule.kind == FaultKind::delay;
    if (!possible || !matches(rule, call, where, transfer) || ++seen < rule.nth ||
        struck >= rule.times) {
      continue;
    }
    constexpr double kRange = 18446744073709551616.0;  // 2^64
    if (rule.probability < 1 && static_cast<double>(x_random.next()) >= rule.probability * kRange) {
      continue;
    }
    ++struck;
    ++x_strikes;
    x_struck.emplace(call.drive, call.step, std::string(call.path));
    return Strike{rule.kind, rule.error_number, rule.delay_ms, x_random.next()};
  }
  return std::nullopt;
}

}  // namespace outcrop::io
