// Appending: what comes goes behind what is there, once, whatever the two are made of.
#include <gtest/gtest.h>

#include <set>

#include "storage/digest/digest.h"
#include "storage/ns/keys.h"
#include "tests/support/file_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

using digest::Algorithm;
using digest::ChecksumType;
using digest::Digest;

std::string pattern(std::size_t size, char salt = 'a') {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>(salt + i % 23);
  }
  return out;
}

std::string sum(Algorithm algorithm, std::string_view data) {
  return Digest::of(algorithm, as_bytes(data));
}

class Append : public ::testing::Test, protected test::FileFixture {
 protected:
  Append() : FileFixture({.object_cache_bytes = 1 << 20}) {}
  ~Append() override {
    expect_clean();
    blobs.collect();
  }

  static PutRequest at(std::uint64_t offset, Algorithm algorithm = {}, std::string_view data = {}) {
    PutRequest out;
    out.append_at = offset;
    if (algorithm != Algorithm::none) {
      out.checksum = {algorithm, ChecksumType::full_object, sum(algorithm, data)};
    }
    return out;
  }
  Result<ObjectInfo> append(const std::string& key, std::string data, PutRequest request) {
    return run(put_task("b", key, std::move(data), std::move(request)));
  }
  Errc refused(const std::string& key, std::string data, PutRequest request) {
    const auto result = append(key, std::move(data), std::move(request));
    return result ? Errc::internal : result.error().code();
  }
  void expect(const std::string& key, const std::string& content) {
    EXPECT_TRUE(test::same(get(key).value(), content));
    const auto entries = list({.prefix = key, .delimiter = {}, .start_after = {}}).entries;
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].size, content.size());
    EXPECT_EQ(entries[0].etag, stat(key).etag);
  }
};

// In the record, in a small segment, in stripes: each before each, and at the edges of what rides
// with a transaction.
TEST_F(Append, BytesOfEverySizeBehindEverySize) {
  const std::size_t sizes[] = {0,       1,       2047,    2048,    2049,   5000,
                               126'976, 129'000, 131'072, 131'073, 300'000};
  std::set<std::string> etags;
  for (const std::size_t first : sizes) {
    for (const std::size_t second : sizes) {
      const std::string key = std::to_string(first) + "+" + std::to_string(second);
      std::string content = pattern(first);
      const InodeId ino = put(key, content).ino;
      for (const char salt : {'A', 'Q'}) {
        const std::string more = pattern(second, salt);
        const auto info = append(key, more, at(content.size()));
        ASSERT_TRUE(info) << key << info.error().describe();
        content += more;
        EXPECT_EQ(info->ino, ino);
        EXPECT_EQ(info->size, content.size());
        EXPECT_TRUE(etags.insert(info->etag).second) << info->etag;
        expect(key, content);
      }
    }
  }
  crash();
  EXPECT_TRUE(test::same(get("300000+1").value(), pattern(300'000) + "AQ"));
}

TEST_F(Append, OnlyAtTheEnd) {
  EXPECT_EQ(refused("k", "x", at(1)), Errc::range_not_satisfiable);
  EXPECT_FALSE(get("k").has_value());
  PutRequest first = at(0);
  first.attributes.content_type = "text/log";
  first.attributes.user_meta = {{"a", "b"}};
  first.etag = std::string(32, 'e');
  const auto made = append("k", "one", first);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->etag, first.etag);
  for (const std::uint64_t wrong : {0, 2, 4}) {
    EXPECT_EQ(refused("k", "x", at(wrong)), Errc::range_not_satisfiable);
  }
  EXPECT_EQ(refused("k", "x", first), Errc::range_not_satisfiable);
  expect("k", "one");
  const auto more = append("k", " two", at(3));
  ASSERT_TRUE(more);
  EXPECT_EQ(more->attributes, first.attributes);
  EXPECT_NE(more->etag, made->etag);
  expect("k", "one two");
  EXPECT_EQ(refused("no/such/directory", "x", at(7)), Errc::range_not_satisfiable);
}

TEST_F(Append, ConditionsHold) {
  const std::string etag = put("k", "one").etag;
  PutRequest request = at(3);
  request.conditions.if_match = "other";
  EXPECT_EQ(refused("k", "x", request), Errc::precondition_failed);
  request.conditions.if_match = etag;
  EXPECT_TRUE(append("k", "x", request));
  EXPECT_EQ(refused("k", "x", request), Errc::precondition_failed);
  PutRequest absent = at(0);
  absent.conditions.if_none_match = "*";
  EXPECT_EQ(refused("k", "x", absent), Errc::precondition_failed);
  EXPECT_TRUE(append("l", "x", absent));
  PutRequest present = at(0);
  present.conditions.if_match = "*";
  EXPECT_EQ(refused("m", "x", present), Errc::no_such_key);
  // What only makes sense for an object that is made must not come to one that is there by then.
  PutRequest with_meta = at(0);
  with_meta.attributes.user_meta = {{"a", "b"}};
  put("empty", "");
  EXPECT_EQ(refused("empty", "x", with_meta), Errc::conflict);
}

TEST_F(Append, CrcsAreOfTheWholeObject) {
  for (const Algorithm algorithm : {Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme}) {
    const std::string key(digest::name(algorithm));
    std::string content;
    for (const std::string piece : {"", "one", " two", " three"}) {
      const auto info = append(key, piece, at(content.size(), algorithm, piece));
      ASSERT_TRUE(info) << info.error().describe();
      content += piece;
      EXPECT_EQ(info->checksum.type, ChecksumType::full_object);
      EXPECT_EQ(info->checksum.value, sum(algorithm, content));
      EXPECT_TRUE(info->parts.empty());
    }
    EXPECT_EQ(refused(key, "x", at(content.size())), Errc::conflict);
    EXPECT_EQ(refused(key, "x", at(content.size(), Algorithm::sha1, "x")), Errc::conflict);
    expect(key, content);
  }
  // An object without one gets none: the bytes that it has were never summed.
  put("none", "old");
  const auto info = append("none", "x", at(3, Algorithm::crc32, "x"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->checksum, digest::Checksum{});
}

TEST_F(Append, HashesAreOfThePartsHashes) {
  for (const Algorithm algorithm : {Algorithm::sha256, Algorithm::md5, Algorithm::xxhash128}) {
    const std::string key(digest::name(algorithm));
    ASSERT_TRUE(append(key, "one", at(0, algorithm, "one")));
    EXPECT_EQ(stat(key).checksum.value, sum(algorithm, "one"));
    EXPECT_TRUE(stat(key).parts.empty());
    ASSERT_TRUE(append(key, "two", at(3, algorithm, "two")));
    ASSERT_TRUE(append(key, "three", at(6, algorithm, "three")));
    const ObjectInfo info = stat(key);
    EXPECT_EQ(info.checksum.type, ChecksumType::composite);
    EXPECT_EQ(info.checksum.value, sum(algorithm, sum(algorithm, "one") + sum(algorithm, "two") +
                                                      sum(algorithm, "three")));
    const std::vector<PartSummary> parts = {{1, 3, sum(algorithm, "one")},
                                            {2, 3, sum(algorithm, "two")},
                                            {3, 5, sum(algorithm, "three")}};
    EXPECT_EQ(info.parts, parts);
  }
}

TEST_F(Append, AnObjectWithPartsGetsAnother) {
  const UploadInfo upload = must(ns->create_upload("b", "k", {}, {}, {}));
  for (const std::uint32_t number : {1u, kMaxParts}) {
    auto writer = must(ns->open_write("b", "k", 0));
    must(test::write_all(*writer, number == 1 ? pattern(kMinPartBytes) : "end", 1 << 20));
    must(ns->put_part("b", "k", upload.upload_id, number, std::move(writer), {}, {}));
  }
  const auto parts = must(ns->list_parts("b", "k", upload.upload_id, 0, 10)).parts;
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_NE(parts[0].etag, parts[1].etag);
  EXPECT_EQ(parts[0].etag.size(), 34u);
  CompleteRequest request;
  request.parts = {{1, parts[0].etag, {}}};
  must(ns->complete_upload("b", "k", upload.upload_id, request));
  const auto info = append("k", "more", at(kMinPartBytes));
  ASSERT_TRUE(info) << info.error().describe();
  const std::vector<PartSummary> expected = {{1, kMinPartBytes, {}}, {2, 4, {}}};
  EXPECT_EQ(info->parts, expected);

  const UploadInfo full = must(ns->create_upload("b", "full", {}, {}, {}));
  auto writer = must(ns->open_write("b", "full", 0));
  must(test::write_all(*writer, "end", 3));
  const std::string etag =
      must(ns->put_part("b", "full", full.upload_id, kMaxParts, std::move(writer), {}, {})).etag;
  request.parts = {{kMaxParts, etag, {}}};
  must(ns->complete_upload("b", "full", full.upload_id, request));
  EXPECT_EQ(refused("full", "x", at(3)), Errc::invalid_part);
  expect("full", "end");
}

TEST_F(Append, InABucketWithVersionsWhatItWasStays) {
  put("k", "old");
  must(ns->put_versioning("b", Versioning::enabled));
  std::vector<std::string> contents = {"old"};
  for (const std::size_t size : {4u, 3000u, 200'000u}) {
    const std::string more = pattern(size);
    const auto info = append("k", more, at(contents.back().size()));
    ASSERT_TRUE(info) << info.error().describe();
    contents.push_back(contents.back() + more);
    EXPECT_FALSE(info->version_id.empty());
  }
  const auto versions = must(ns->list_versions("b", {})).entries;
  ASSERT_EQ(versions.size(), contents.size());
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const std::string& content = contents[contents.size() - 1 - i];
    EXPECT_EQ(versions[i].latest, i == 0);
    EXPECT_EQ(versions[i].entry.size, content.size());
    auto reader = must(ns->open_read("b", "k", versions[i].version_id));
    EXPECT_TRUE(test::same(must(test::read_range(*reader, {0, content.size()})), content));
  }
  ASSERT_TRUE(remove("k").value());
  EXPECT_EQ(refused("k", "x", at(contents.back().size())), Errc::range_not_satisfiable);
  EXPECT_TRUE(append("k", "new", at(0)));
  expect("k", "new");
  EXPECT_EQ(must(ns->list_versions("b", {})).entries.size(), contents.size() + 2);
}

TEST_F(Append, SuspendedVersionsAreReplaced) {
  must(ns->put_versioning("b", Versioning::suspended));
  put("k", "old");
  ASSERT_TRUE(append("k", " more", at(3)));
  expect("k", "old more");
  EXPECT_EQ(must(ns->list_versions("b", {})).entries.size(), 1u);
}

TEST_F(Append, FileClientsSeeOneChangeOfTheSameFile) {
  const FileId id = file("dir/f", "old");
  const auto before = must(fs().get_attributes(id));
  write(id, 3, " dirty");
  EXPECT_EQ(refused("dir/f", "x", at(3)), Errc::range_not_satisfiable);
  const auto reader = must(ns->open_read("b", "dir/f"));
  ASSERT_TRUE(append("dir/f", pattern(3000), at(9)));
  EXPECT_TRUE(test::same(read(id), "old dirty" + pattern(3000)));
  const auto after = must(fs().get_attributes(id));
  EXPECT_GT(after.change, before.change);
  EXPECT_EQ(after.size, 3009u);
  // Who had it open before goes on with what it was.
  EXPECT_EQ(must(test::read_range(*reader, {0, 9})), "old dirty");
  write(id, 3009, "!");
  ASSERT_TRUE(append("dir/f", "end", at(3010)));
  expect("dir/f", "old dirty" + pattern(3000) + "!end");
}

TEST_F(Append, AFailedCommitChangesNothing) {
  put("k", pattern(3000));
  const std::string etag = stat("k").etag;
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(refused("k", pattern(4000), at(3000)), Errc::io_error);
  crash();
  expect("k", pattern(3000));
  EXPECT_EQ(stat("k").etag, etag);
}

TEST_F(Append, ManySmallOnesBecomeLargePieces) {
  NamespaceConfig config;
  config.fragmented_pieces = 20;
  crash(config);
  std::string content;
  for (int i = 0; i < 400; ++i) {
    const std::string more = pattern(2500, static_cast<char>('0' + i % 40));
    ASSERT_TRUE(append("k", more, at(content.size())));
    content += more;
  }
  expect("k", content);
  const std::string etag = stat("k").etag;
  must(fs().flush_idle(0));
  blobs.collect();
  EXPECT_LT(blobs.extents(), 8U * config.fragmented_pieces);
  expect("k", content);
  EXPECT_EQ(stat("k").etag, etag);
}

class AppendRace : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  AppendRace() : NamespaceFixture({.object_cache_bytes = 1 << 20}, 3) {
    must(ns->create_bucket("b", ""));
  }
};

// Whoever is told that it was done finds its bytes where it put them; of those who wanted the same
// place one was.
TEST_F(AppendRace, OneWinnerPerOffset) {
  constexpr unsigned kThreads = 3, kTasks = 3;
  for (const bool versions : {false, true}) {
    const std::string key = versions ? "v" : "k";
    if (versions) {
      must(ns->put_versioning("b", Versioning::enabled));
    }
    std::atomic<int> won{0};
    const auto body = [&](unsigned task) -> Task<> {
      for (int i = 0; i < 25; ++i) {
        const auto seen = co_await ns->stat("b", key);
        PutRequest request;
        request.append_at = seen ? seen->size : 0;
        const std::string record = std::string(task % 2 == 0 ? 9 : 2499, 'a' + task) + "\n";
        const auto done = co_await put_task("b", key, record, request);
        if (!done && done.error().code() != Errc::range_not_satisfiable) {
          co_return fail(done.error());
        }
        if (!done) {
          continue;
        }
        ++won;
        EXPECT_EQ(done->size, *request.append_at + record.size());
        CO_TRY(auto reader, co_await ns->open_read("b", key));
        CO_TRY(const std::string mine,
               co_await test::read_range(*reader, {*request.append_at, record.size()}));
        EXPECT_EQ(mine, record);
      }
      co_return ok();
    };
    test::run_race(kThreads, kTasks, body);
    const std::string all = get(key).value();
    EXPECT_EQ(std::ranges::count(all, '\n'), won);
    EXPECT_GT(won, 0);
    if (versions) {
      EXPECT_EQ(must(ns->list_versions("b", {.prefix = "v"})).entries.size(),
                static_cast<std::size_t>(won));
    }
    expect_clean();
  }
}

TEST_F(Append, NotWhereVersionsAreLocked) {
  must(ns->create_bucket("locked", {}, true));
  must(put_task("locked", "k", "one", at(0)));
  const auto refused = run(put_task("locked", "k", "two", at(3)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::not_implemented);
  EXPECT_EQ(must(ns->stat("locked", "k")).size, 3u);
}

}  // namespace
}  // namespace outcrop::ns
