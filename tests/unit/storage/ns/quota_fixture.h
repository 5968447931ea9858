// A bucket "b" for S3 and file clients; every test ends with a recount of what it holds.
#pragma once
#include <gtest/gtest.h>

#include "storage/ns/tally_record.h"
#include "tests/support/file_fixture.h"

namespace outcrop::ns {

class QuotaTest : public ::testing::Test, protected test::FileFixture {
 protected:
  explicit QuotaTest(unsigned yield_one_in = 0)
      : FileFixture({.min_part_bytes = 100}, yield_one_in) {}
  ~QuotaTest() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
  }

  BucketUsage usage(std::string bucket = "b") { return must(ns->get_usage(bucket)); }
  /// Counts again, too.
  void expect_usage(std::int64_t bytes, std::int64_t objects, std::string bucket = "b") {
    expect_clean();
    const BucketUsage now = usage(std::move(bucket));
    EXPECT_EQ(now.used.bytes, bytes);
    EXPECT_EQ(now.used.objects, objects);
  }
  void limit(std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> objects = {}) {
    must(ns->put_limits("b", {bytes, objects}));
  }
  Result<ObjectInfo> try_put(std::string key, std::string data, PutRequest request = {}) {
    return run(put_task("b", std::move(key), std::move(data), std::move(request)));
  }
  /// What open_write says of a payload of that size.
  Errc ahead(std::string key, WriteOptions options) {
    return code(run(ns->open_write("b", key, std::move(options))));
  }
  Task<PartInfo> part_task(std::string key, std::string id, std::uint32_t n, std::string data) {
    CO_TRY(auto writer, co_await ns->open_write("b", key, 0));
    CO_TRYV(co_await test::write_all(*writer, data, 10'000));
    co_return co_await ns->put_part("b", key, id, n, std::move(writer), "e" + std::to_string(n),
                                    {});
  }
  Result<PartInfo> part(std::string key, std::string id, std::uint32_t n, std::string data) {
    return run(part_task(std::move(key), std::move(id), n, std::move(data)));
  }
  Result<ObjectInfo> complete(std::string key, std::string id, std::uint32_t parts) {
    CompleteRequest request;
    for (std::uint32_t n = 1; n <= parts; ++n) {
      request.parts.push_back({n, "e" + std::to_string(n), {}});
    }
    return run(ns->complete_upload("b", key, id, std::move(request)));
  }
  std::string upload(std::string key) {
    return must(ns->create_upload("b", key, {}, {}, {})).upload_id;
  }
  Result<ObjectInfo> copy(std::string from, std::string to, std::string bucket = "b") {
    CopyRequest request;
    request.source_bucket = "b";
    request.source_key = std::move(from);
    return run(ns->copy(bucket, to, std::move(request)));
  }
  FileId create(std::string name, SetAttributes attributes = {}) {
    return must(fs().create(top(), name, {.attributes = attributes})).attributes.id;
  }
  FileId top() const { return {root, root}; }
  FileAttributes resize(FileId id, std::uint64_t size) {
    SetAttributes set;
    set.size = size;
    return must(fs().set_attributes(id, set));
  }

  template <class T>
  static Errc code(const Result<T>& result) {
    return result ? Errc::internal : result.error().code();
  }
  static std::string bytes(std::size_t n) { return std::string(n, 'q'); }
};

}  // namespace outcrop::ns
