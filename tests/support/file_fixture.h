// Files of the file view over the in-memory stores, by key of the bucket "b".
#pragma once
#include <algorithm>
#include <string>

#include "tests/support/namespace_fixture.h"

namespace outcrop::test {

inline std::string joined(const std::vector<Buffer>& buffers) {
  std::string out;
  for (const Buffer& buffer : buffers) {
    out.append(as_text(buffer.view()));
  }
  return out;
}

/// Compares contents that are too long to be printed.
inline testing::AssertionResult same(const std::string& got, const std::string& expected) {
  if (got == expected) {
    return testing::AssertionSuccess();
  }
  const auto at = std::ranges::mismatch(got, expected).in1 - got.begin();
  return testing::AssertionFailure()
         << got.size() << " bytes instead of " << expected.size() << ", first difference at " << at;
}

struct FileFixture : NamespaceFixture {
  explicit FileFixture(ns::NamespaceConfig config = {}, unsigned yield_one_in = 0)
      : NamespaceFixture(config, yield_one_in) {
    root = must(ns->create_bucket("b", {})).root;
  }

  ns::FileSystem& fs() { return ns->files(); }
  ns::FileId file(const std::string& key, const std::string& content = {}) {
    return {root, put(key, content).ino};
  }
  Result<ns::WriteResult> try_write(ns::FileId id,
                                    std::uint64_t offset,
                                    std::string_view data,
                                    bool stable = false) {
    return run(fs().write(id, offset, {Buffer::copy_of(as_bytes(data))}, stable));
  }
  ns::WriteResult write(ns::FileId id,
                        std::uint64_t offset,
                        std::string_view data,
                        bool stable = false) {
    return must(fs().write(id, offset, {Buffer::copy_of(as_bytes(data))}, stable));
  }
  /// In as many requests as it takes.
  Task<std::string> read_task(ns::FileId id, std::uint64_t offset, std::uint64_t n) {
    std::string out;
    for (bool eof = false; !eof && out.size() < n;) {
      CO_TRY(const ns::ReadResult part,
             co_await ns->files().read(id, offset + out.size(), n - out.size()));
      const std::string bytes = joined(part.data);
      EXPECT_EQ(bytes.size(), part.bytes);
      out += bytes;
      eof = part.eof;
    }
    co_return out;
  }
  std::string read(ns::FileId id, std::uint64_t offset = 0, std::uint64_t n = UINT64_MAX) {
    return must(read_task(id, offset, n));
  }
  ns::FileAttributes commit(ns::FileId id) { return must(fs().commit(id)); }
  ns::ObjectInfo stat(const std::string& key) { return must(ns->stat("b", key)); }
  /// A new process over the same stores: what was only in memory is gone.
  void crash(ns::NamespaceConfig config = {}) {
    ns.reset();
    ns = ns::make_namespace(meta, blobs, clock, random, config);
    must(ns->open());
  }

  InodeId root = 0;
};

}  // namespace outcrop::test
