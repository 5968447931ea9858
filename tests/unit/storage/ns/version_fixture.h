// A bucket "b" with versions over the in-memory stores, for S3 and for file clients.
#pragma once
#include <gtest/gtest.h>

#include "tests/support/file_fixture.h"

namespace outcrop::ns {

class VersionTest : public ::testing::Test, protected test::FileFixture {
 protected:
  VersionTest() { set(Versioning::enabled); }
  ~VersionTest() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
  }

  void set(Versioning state) { must(ns->put_versioning("b", state)); }
  Result<std::string> get_version(std::string key, std::string id) {
    return run(get_version_task(std::move(key), std::move(id)));
  }
  Task<std::string> get_version_task(std::string key, std::string id) {
    CO_TRY(auto reader, co_await ns->open_read("b", key, id));
    EXPECT_EQ(reader->info().version_id, id);
    co_return co_await test::read_range(*reader, {0, reader->info().size});
  }
  Deletion erase(std::string key, std::string id = {}) {
    return must(ns->remove_version("b", key, id, {}));
  }
  /// "key" for a version with data, "key!" for a marker; '*' behind the latest.
  std::vector<std::string> versions(VersionListRequest request = {}) {
    std::vector<std::string> out;
    for (const VersionEntry& e : must(ns->list_versions("b", std::move(request))).entries) {
      std::string line = e.entry.key;
      line += e.marker            ? "!"
              : e.entry.is_prefix ? ""
                                  : "=" + get_version(line, e.version_id).value();
      out.push_back(line + (e.latest ? "*" : ""));
    }
    return out;
  }
  FileId top{root, root};

  template <class T>
  static Errc code(const Result<T>& result) {
    return result ? Errc::internal : result.error().code();
  }
};

using Lines = std::vector<std::string>;

}  // namespace outcrop::ns
