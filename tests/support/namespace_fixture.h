// A namespace over the in-memory stores, with calls that run to completion: for tests that look at
// one operation after the other.
#pragma once
#include <memory>
#include <string>

#include "storage/base/async.h"
#include "storage/ns/check.h"
#include "storage/ns/make_namespace.h"
#include "tests/support/mem_blob_store.h"
#include "tests/support/ticking_clock.h"

namespace outcrop::test {

/// Writes `data` in pieces of at most `step` bytes.
inline Task<> write_all(ns::ObjectWriter& writer, std::string_view data, std::size_t step) {
  while (!data.empty()) {
    CO_TRY(const MutBytes room, co_await writer.buffer());
    const std::size_t n = std::min({room.size(), data.size(), step});
    std::memcpy(room.data(), data.data(), n);
    CO_TRYV(co_await writer.advance(n));
    data.remove_prefix(n);
  }
  co_return ok();
}

inline Task<std::string> read_range(ns::ObjectReader& reader, ns::ByteRange range) {
  reader.seek(range);
  std::string out;
  for (;;) {
    CO_TRY(const auto slices, co_await reader.next());
    if (slices.empty()) {
      co_return out;
    }
    for (const Buffer& slice : slices) {
      out.append(as_text(slice.view()));
    }
  }
}

struct NamespaceFixture {
  explicit NamespaceFixture(ns::NamespaceConfig config = {},
                            unsigned yield_one_in = 0,
                            std::uint64_t extent_bytes = 256 << 10)
      : meta(yield_one_in),
        blobs(meta, extent_bytes),
        ns(ns::make_namespace(meta, blobs, clock, random, config)) {
    must(ns->open());
  }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_on(io, std::move(task));
  }
  /// For calls that cannot fail in the test's history.
  template <class T>
  T must(Task<T> task) {
    Result<T> result = run(std::move(task));
    if (!result) {
      ADD_FAILURE() << result.error().describe();
    }
    return std::move(result).value();
  }

  Task<ns::ObjectInfo> put_task(std::string bucket,
                                std::string key,
                                std::string data,
                                ns::PutRequest request = {},
                                std::uint64_t hint = 0,
                                std::size_t step = 1 << 20) {
    CO_TRY(auto writer, co_await ns->open_write(bucket, key, hint));
    CO_TRYV(co_await write_all(*writer, data, step));
    co_return co_await ns->put(bucket, key, std::move(writer), std::move(request));
  }
  Task<std::string> get_task(std::string bucket, std::string key) {
    CO_TRY(auto reader, co_await ns->open_read(bucket, key));
    co_return co_await read_range(*reader, {0, reader->info().size});
  }
  ns::ObjectInfo put(std::string key, std::string data = "x", ns::PutRequest request = {}) {
    return must(put_task("b", std::move(key), std::move(data), std::move(request)));
  }
  Result<std::string> get(std::string key) { return run(get_task("b", std::move(key))); }
  Result<bool> remove(std::string key, ns::Conditions conditions = {}) {
    return run(ns->remove("b", key, std::move(conditions)));
  }
  ns::ListPage list(ns::ListRequest request) { return must(ns->list("b", std::move(request))); }
  std::vector<std::string> names(ns::ListRequest request = {}) {
    std::vector<std::string> out;
    for (const auto& entry : list(std::move(request)).entries) {
      out.push_back(entry.key);
    }
    return out;
  }
  void expect_clean() {
    const ns::TreeReport report = must(ns::check_tree(meta));
    EXPECT_TRUE(report.clean());
    for (const ns::TreeProblem& problem : report.problems) {
      ADD_FAILURE() << problem.text();
    }
  }

  asio::io_context io{1};
  TickingClock clock;
  SeededRandom random{1};
  MemMetaStore meta;
  MemBlobStore blobs;
  std::unique_ptr<ns::TreeNamespace> ns;
};

}  // namespace outcrop::test
