#include "tests/support/mem_meta_store.h"

#include "storage/base/assert.h"
#include "storage/base/async.h"

namespace outcrop::test {
namespace {
constexpr std::uint64_t kLatest = ~std::uint64_t{0};
}  // namespace

class MemMetaStore::View final : public meta::Snapshot {
 public:
  View(MemMetaStore& store, std::uint64_t sequence) : x_store(store), x_sequence(sequence) {}
  ~View() override { x_store.drop_view(x_sequence); }
  std::uint64_t sequence() const { return x_sequence; }
  static std::uint64_t of(const meta::SnapshotPtr& at) {
    return at ? static_cast<const View&>(*at).sequence() : kLatest;
  }

 private:
  MemMetaStore& x_store;
  const std::uint64_t x_sequence;
};

MemMetaStore::~MemMetaStore() { OUTCROP_ASSERT(x_views.empty() && x_in_flight.empty()); }

Async<void> MemMetaStore::yield() {
  if (x_yield_one_in == 0) {
    co_return;
  }
  std::uint64_t h = x_calls.fetch_add(1) * 0x9e3779b97f4a7c15;
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9;
  if ((h >> 32) % x_yield_one_in == 0) {
    co_await asio::post(co_await asio::this_coro::executor, use_async);
  }
}

Task<> MemMetaStore::commit(meta::Batch batch) {
  if (x_hook) {
    x_hook(batch);
  }
  if (const Errc code = x_fail.exchange(Errc::internal); code != Errc::internal) {
    co_return fail(code);
  }
  std::size_t bytes = 0;
  for (const auto& [key, value] : batch.mutations) {
    bytes += key.size() + (value ? value->size() : 0);
    if (value && value->size() > meta::kMaxValueBytes) {
      co_return fail(Errc::entity_too_large);
    }
  }
  if (bytes > meta::kMaxBatchBytes) {
    co_return fail(Errc::entity_too_large);
  }
  ++x_commits;
  begin(batch);
  co_await yield();
  apply(batch);
  co_await yield();
  co_return ok();
}

void MemMetaStore::begin(const meta::Batch& batch) {
  const std::unique_lock lock(x_mutex);
  std::set<std::string_view> own;
  for (const auto& m : batch.mutations) {
    OUTCROP_ASSERT(own.insert(m.key).second && "a batch names each key once");
    OUTCROP_ASSERT(x_in_flight.insert(m.key).second && "overlapping transactions on one key");
  }
}

void MemMetaStore::apply(const meta::Batch& batch) {
  const std::unique_lock lock(x_mutex);
  ++x_sequence;
  for (const auto& m : batch.mutations) {
    Versions& versions = x_records[m.key];
    versions.push_back({x_sequence, m.value});
    trim(versions);
    if (versions.size() == 1 && !versions[0].value) {
      x_records.erase(m.key);
    } else if (!m.value) {
      x_erased.insert(m.key);
    }
    x_in_flight.erase(m.key);
  }
}

const std::optional<std::string>& MemMetaStore::at_sequence(const Versions& versions,
                                                            std::uint64_t sequence) {
  static const std::optional<std::string> kAbsent;
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    if (it->sequence <= sequence) {
      return it->value;
    }
  }
  return kAbsent;
}

// Drops what no view can see: all but the newest version at or below the oldest view.
void MemMetaStore::trim(Versions& versions) const {
  const std::uint64_t oldest = x_views.empty() ? kLatest : *x_views.begin();
  std::size_t keep = 0;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (versions[i].sequence <= oldest) {
      keep = i;
    }
  }
  versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(keep));
}

meta::SnapshotPtr MemMetaStore::snapshot() {
  const std::unique_lock lock(x_mutex);
  x_views.insert(x_sequence);
  return std::make_shared<View>(*this, x_sequence);
}

void MemMetaStore::drop_view(std::uint64_t sequence) {
  const std::unique_lock lock(x_mutex);
  x_views.erase(x_views.find(sequence));
  if (!x_views.empty()) {
    return;
  }
  for (const std::string& key : x_erased) {
    if (const auto it = x_records.find(key); it != x_records.end()) {
      trim(it->second);
      if (!it->second.back().value) {
        x_records.erase(it);
      }
    }
  }
  x_erased.clear();
}

Task<std::optional<std::string>> MemMetaStore::get(std::string_view key, meta::SnapshotPtr at) {
  ++x_gets;
  co_await yield();
  std::optional<std::string> value;
  {
    const std::shared_lock lock(x_mutex);
    if (const auto it = x_records.find(key); it != x_records.end()) {
      value = at_sequence(it->second, View::of(at));
    }
  }
  co_await yield();
  co_return value;
}

Task<meta::ScanPage> MemMetaStore::scan(meta::ScanRequest request, meta::SnapshotPtr at) {
  ++x_scans;
  co_await yield();
  if (at != nullptr && x_scans_to_fail > 0) {
    --x_scans_to_fail;
    co_return fail(x_scan_error.load());
  }
  const std::uint64_t sequence = View::of(at);
  meta::ScanPage page;
  std::size_t bytes = 0;
  const std::shared_lock lock(x_mutex);
  for (auto it = x_records.lower_bound(request.lower); it != x_records.end(); ++it) {
    if (!request.upper.empty() && it->first >= request.upper) {
      break;
    }
    const auto& value = at_sequence(it->second, sequence);
    if (!value) {
      continue;
    }
    if (page.entries.size() == request.limit || bytes > request.max_bytes) {
      page.more = true;
      break;
    }
    bytes += it->first.size() + value->size();
    page.entries.push_back({it->first, request.keys_only ? std::string() : *value});
  }
  co_return page;
}

std::map<std::string, std::string> MemMetaStore::dump() const {
  const std::shared_lock lock(x_mutex);
  std::map<std::string, std::string> out;
  for (const auto& [key, versions] : x_records) {
    if (versions.back().value) {
      out.emplace(key, *versions.back().value);
    }
  }
  return out;
}

}  // namespace outcrop::test
