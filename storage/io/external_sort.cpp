#include "storage/io/external_sort.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace outcrop::io {
namespace {

constexpr std::size_t kMaxRuns = 64;  ///< open at once; more are merged into one
constexpr std::size_t kReadBytes = 256 << 10, kWriteBytes = 1 << 20;
constexpr std::size_t kLengths = 2 * sizeof(std::uint32_t);

void append_record(std::string& out, std::string_view key, std::string_view value) {
  const std::array<std::uint32_t, 2> lengths{static_cast<std::uint32_t>(key.size()),
                                             static_cast<std::uint32_t>(value.size())};
  out.append(reinterpret_cast<const char*>(lengths.data()), kLengths);
  out.append(key).append(value);
}

/// Writes a file from its start on.
class Output {
 public:
  explicit Output(std::unique_ptr<File> file) : x_file(std::move(file)) {}
  Result<void> add(std::string_view key, std::string_view value) {
    append_record(x_waiting, key, value);
    return x_waiting.size() >= kWriteBytes ? flush() : ok();
  }
  Result<void> flush() {
    TRYV(x_file->write_sync(x_size, as_bytes(x_waiting)));
    x_size += x_waiting.size();
    x_waiting.clear();
    return ok();
  }

 private:
  std::unique_ptr<File> x_file;
  std::string x_waiting;
  std::uint64_t x_size = 0;
};

}  // namespace

/// Reads a sorted file. `next` first.
class ExternalSort::Run {
 public:
  Run(Disk& scratch, std::string name) : x_scratch(scratch), x_name(std::move(name)) {}
  ~Run() {
    x_file.reset();
    (void)x_scratch.remove(x_name);  // the whole scratch directory goes after it
  }
  Run(const Run&) = delete;

  Result<void> open() {
    TRY(x_file, x_scratch.open(x_name, Access::read, Cache::buffered));
    TRY(const bool any, next());
    x_any = any;
    return ok();
  }
  bool any() const { return x_any; }
  std::string_view key() const { return std::string_view(x_bytes).substr(x_at, x_key); }
  std::string_view value() const { return std::string_view(x_bytes).substr(x_at + x_key, x_value); }

  Result<bool> next() {
    x_at += x_key + x_value;
    x_key = x_value = 0;
    TRY(const bool more, have(kLengths));
    x_any = more;
    if (!more) {
      return false;
    }
    std::array<std::uint32_t, 2> lengths{};
    std::memcpy(lengths.data(), x_bytes.data() + x_at, kLengths);
    const std::size_t size = std::size_t{lengths[0]} + lengths[1];
    TRY(const bool whole, have(kLengths + size));
    if (!whole) {
      return fail(Errc::corrupt, "a sorted run ends early");
    }
    x_at += kLengths;
    x_key = lengths[0];
    x_value = lengths[1];
    return true;
  }

 private:
  /// False at the end of the file.
  Result<bool> have(std::size_t bytes) {
    if (x_bytes.size() - x_at >= bytes) {
      return true;
    }
    x_bytes.erase(0, x_at);
    x_at = 0;
    const std::size_t before = x_bytes.size(), want = std::max(bytes - before, kReadBytes);
    x_bytes.resize(before + want);
    const auto got =
        x_file->read_sync(x_offset, std::as_writable_bytes(std::span(x_bytes).subspan(before)));
    x_bytes.resize(before + (got ? *got : 0));
    if (!got) {
      return fail(got.error());
    }
    x_offset += *got;
    return x_bytes.size() >= bytes;
  }

  Disk& x_scratch;
  const std::string x_name;
  std::unique_ptr<File> x_file;
  std::string x_bytes;
  std::uint64_t x_offset = 0;  ///< behind x_bytes
  std::size_t x_at = 0, x_key = 0, x_value = 0;
  bool x_any = false;
};

ExternalSort::ExternalSort(Disk* scratch, std::string name, std::size_t memory_bytes)
    : x_scratch(scratch), x_name(std::move(name)), x_memory_bytes(memory_bytes) {}

ExternalSort::~ExternalSort() = default;

std::string_view ExternalSort::key_of(const Entry& e) const {
  return std::string_view(x_bytes).substr(e.at, e.key);
}
std::string_view ExternalSort::value_of(const Entry& e) const {
  return std::string_view(x_bytes).substr(e.at + e.key, e.value);
}
std::string ExternalSort::run_name(std::uint64_t number) const {
  return x_name + "-" + std::to_string(number);
}

Result<void> ExternalSort::add(std::string_view key, std::string_view value) {
  x_entries.push_back({x_bytes.size(), static_cast<std::uint32_t>(key.size()),
                       static_cast<std::uint32_t>(value.size())});
  x_bytes.append(key).append(value);
  const std::size_t used = x_bytes.size() + x_entries.size() * sizeof(Entry);
  return x_scratch != nullptr && used >= x_memory_bytes ? spill() : ok();
}

void ExternalSort::sort_memory() {
  std::ranges::sort(x_entries, [this](const Entry& a, const Entry& b) {
    const int by_key = key_of(a).compare(key_of(b));
    return by_key != 0 ? by_key < 0 : value_of(a) < value_of(b);
  });
}

Result<void> ExternalSort::spill() {
  sort_memory();
  const std::string name = run_name(x_next_name++);
  TRY(auto file, x_scratch->open(name, Access::create, Cache::buffered));
  auto run = std::make_unique<Run>(*x_scratch, name);
  Output out(std::move(file));
  for (const Entry& e : x_entries) {
    TRYV(out.add(key_of(e), value_of(e)));
  }
  TRYV(out.flush());
  TRYV(run->open());
  x_runs.push_back(std::move(run));
  x_entries.clear();
  x_bytes.clear();
  return x_runs.size() == kMaxRuns ? merge_runs() : ok();
}

Result<ExternalSort::Run*> ExternalSort::least_run() {
  Run* least = nullptr;
  for (const std::unique_ptr<Run>& run : x_runs) {
    if (run->any() && (least == nullptr || std::pair(run->key(), run->value()) <
                                               std::pair(least->key(), least->value()))) {
      least = run.get();
    }
  }
  return least;
}

Result<void> ExternalSort::merge_runs() {
  const std::string name = run_name(x_next_name++);
  TRY(auto file, x_scratch->open(name, Access::create, Cache::buffered));
  auto merged = std::make_unique<Run>(*x_scratch, name);
  Output out(std::move(file));
  for (;;) {
    TRY(Run* const least, least_run());
    if (least == nullptr) {
      break;
    }
    TRYV(out.add(least->key(), least->value()));
    TRY([[maybe_unused]] const bool more, least->next());
  }
  TRYV(out.flush());
  TRYV(merged->open());
  x_runs.clear();
  x_runs.push_back(std::move(merged));
  return ok();
}

Result<void> ExternalSort::finish() {
  if (!x_runs.empty() && !x_entries.empty()) {
    return spill();
  }
  sort_memory();
  return ok();
}

Result<bool> ExternalSort::next() {
  if (x_runs.empty()) {
    if (x_at == x_entries.size()) {
      return false;
    }
    const Entry& e = x_entries[x_at++];
    x_key = key_of(e);
    x_value = value_of(e);
    return true;
  }
  if (x_current != nullptr) {
    TRY([[maybe_unused]] const bool more, x_current->next());
  }
  TRY(x_current, least_run());
  if (x_current == nullptr) {
    return false;
  }
  x_key = x_current->key();
  x_value = x_current->value();
  return true;
}

}  // namespace outcrop::io
