#include <gtest/gtest.h>

#include "storage/meta/tables.h"
#include "storage/ns/record_codec.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

class Objects : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  Objects() { must(ns->create_bucket("b", "")); }
  ~Objects() override { expect_clean(); }

  std::size_t records(meta::Table table) const {
    std::size_t n = 0;
    for (const auto& [key, value] : meta.dump()) {
      n += key[0] == static_cast<char>(table);
    }
    return n;
  }
};

std::string pattern(std::size_t n) {
  std::string out(n, '\0');
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<char>(i * 2654435761u >> 13);
  }
  return out;
}

TEST_F(Objects, PayloadsOfEverySizeClassComeBack) {
  for (const std::size_t size :
       {0ul, 1ul, 2048ul, 2049ul, 131072ul, 131073ul, 135168ul, 135169ul, 1000000ul}) {
    for (const std::uint64_t hint :
         {std::uint64_t{0}, std::uint64_t{size}, std::uint64_t{1}, std::uint64_t{10'000'000}}) {
      const std::string data = pattern(size);
      const auto info = must(put_task("b", "k", data, {}, hint, 7777));
      EXPECT_EQ(info.size, size);
      EXPECT_EQ(get("k").value(), data) << size << " hint " << hint;
    }
  }
  EXPECT_TRUE(remove("k").value());
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
}

TEST_F(Objects, RangesReadWhatTheyName) {
  const std::string data = pattern(1'000'000);
  put("k", data);
  auto reader = must(ns->open_read("b", "k"));
  for (const auto [offset, length] : {std::pair{0ul, 1ul},
                                      {999'999ul, 1ul},
                                      {262'143ul, 2ul},
                                      {500'000ul, 400'000ul},
                                      {10ul, 0ul},
                                      {1'000'000ul, 0ul},
                                      {0ul, 1'000'000ul}}) {
    EXPECT_EQ(must(test::read_range(*reader, {offset, length})), data.substr(offset, length));
  }
}

TEST_F(Objects, AttributesAndChecksumComeBack) {
  const PutRequest request{.attributes = {.content_type = "text/x",
                                          .headers = {{"cache-control", "none"}},
                                          .user_meta = {{"a", "1"}}},
                           .etag = "0123456789abcdef0123456789abcdef",
                           .checksum = {.algorithm = digest::Algorithm::crc32, .value = "abcd"},
                           .conditions = {}};
  const ObjectInfo stored = put("k", "data", request);
  for (int i = 0; i < 2; ++i) {  // from the store, then from the cache
    const ObjectInfo info = must(ns->stat("b", "k"));
    EXPECT_EQ(info.attributes, request.attributes);
    EXPECT_EQ(info.etag, request.etag);
    EXPECT_EQ(info.checksum, request.checksum);
    EXPECT_EQ(info.ino, stored.ino);
    EXPECT_EQ(info.mtime_ns, stored.mtime_ns);
  }
}

TEST_F(Objects, LimitsAreErrors) {
  EXPECT_EQ(run(ns->open_write("none", "k", 0)).error().code(), Errc::no_such_bucket);
  EXPECT_EQ(run(ns->open_write("b", "", 0)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(run(ns->open_write("b", std::string(1025, 'k'), 0)).error().code(), Errc::key_too_long);
  put(std::string(1024, 'k'));
  put(std::string(1024, '/'));
  EXPECT_EQ(get(std::string(1024, '/')).value(), "x");
  PutRequest request;
  constexpr std::size_t kAround = 8;  // counts, lengths, a name of one byte
  request.attributes.user_meta = {{"k", std::string(kMaxAttributeBytes - kAround + 1, 'v')}};
  EXPECT_EQ(run(put_task("b", "k", "x", request)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(get("k").error().code(), Errc::no_such_key);
  request.attributes.user_meta = {{"k", std::string(kMaxAttributeBytes - kAround, 'v')}};
  EXPECT_TRUE(run(put_task("b", "k", "x", request)));
  EXPECT_EQ(must(ns->stat("b", "k")).attributes, request.attributes);
}

TEST_F(Objects, OverwriteReleasesTheOldPayloadButNotUnderAReader) {
  put("k", pattern(300'000));
  auto reader = must(ns->open_read("b", "k"));
  put("k", "new");
  blobs.collect();
  EXPECT_EQ(must(test::read_range(*reader, {0, 300'000})), pattern(300'000));
  reader.reset();
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
  EXPECT_EQ(get("k").value(), "new");
}

TEST_F(Objects, AnAbandonedWriterLeavesNothing) {
  {
    auto writer = must(ns->open_write("b", "k", 0));
    must(test::write_all(*writer, pattern(500'000), 1 << 20));
  }
  EXPECT_EQ(get("k").error().code(), Errc::no_such_key);
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
}

TEST_F(Objects, AFailedCommitLeavesTheOldObject) {
  put("d/k", pattern(5000));
  meta.fail_next_commit(Errc::no_space);
  EXPECT_EQ(run(put_task("b", "d/k", pattern(9000))).error().code(), Errc::no_space);
  EXPECT_EQ(get("d/k").value(), pattern(5000));
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(remove("d/k").error().code(), Errc::read_only);
  EXPECT_EQ(get("d/k").value(), pattern(5000));
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 1u);
}

TEST_F(Objects, ConditionalPutAndDelete) {
  PutRequest create{.attributes = {}, .etag = "e1", .checksum = {}, .conditions = {}};
  create.conditions.if_none_match = "*";
  put("k", "1", create);
  EXPECT_EQ(run(put_task("b", "k", "2", create)).error().code(), Errc::precondition_failed);
  PutRequest replace{.attributes = {}, .etag = "e2", .checksum = {}, .conditions = {}};
  replace.conditions.if_match = "\"e1\"";
  put("k", "2", replace);
  EXPECT_EQ(run(put_task("b", "k", "3", replace)).error().code(), Errc::precondition_failed);
  EXPECT_EQ(run(put_task("b", "absent", "3", replace)).error().code(), Errc::no_such_key);
  Conditions old;
  old.if_match = "e1";
  EXPECT_EQ(remove("k", old).error().code(), Errc::precondition_failed);
  EXPECT_EQ(remove("absent", old).error().code(), Errc::no_such_key);
  EXPECT_EQ(remove("dir/absent", old).error().code(), Errc::no_such_key);
  old.if_match = "e2";
  EXPECT_TRUE(remove("k", old).value());
  EXPECT_FALSE(remove("k").value());
  EXPECT_FALSE(remove("dir/absent").value());
}

TEST_F(Objects, AKeyAndKeysBelowItCoexist) {
  put("a", "file");
  put("a/", "marker");
  put("a/b", "below");
  put("a//b", "empty component");
  put("a/../b", "dots");
  EXPECT_EQ(get("a").value(), "file");
  EXPECT_EQ(get("a/").value(), "marker");
  EXPECT_EQ(get("a/b").value(), "below");
  EXPECT_EQ(get("a//b").value(), "empty component");
  EXPECT_EQ(get("a/../b").value(), "dots");
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "a/", "a/../b", "a//b", "a/b"}));
  EXPECT_TRUE(remove("a/").value());
  EXPECT_EQ(get("a/b").value(), "below");
  EXPECT_EQ(get("a/").error().code(), Errc::no_such_key);
}

TEST_F(Objects, ImplicitDirectoriesGoWithTheirLastKeyInOneCommit) {
  put("a/b/c/d/e");
  put("a/x");
  EXPECT_EQ(records(meta::Table::dirent), 6u);
  const auto commits = meta.commits();
  EXPECT_TRUE(remove("a/b/c/d/e").value());
  EXPECT_EQ(meta.commits(), commits + 1);
  EXPECT_EQ(records(meta::Table::dirent), 2u);  // a/ and a/x
  EXPECT_TRUE(remove("a/x").value());
  EXPECT_EQ(records(meta::Table::dirent), 0u);
  EXPECT_EQ(records(meta::Table::inode), 1u);  // the bucket's root
  put("a/b/c/d/e", "again");
  EXPECT_EQ(get("a/b/c/d/e").value(), "again");
}

TEST_F(Objects, DeepKeysCostOneGetOnceThePathIsKnown) {
  put("1/2/3/4/5/6/7/8/first");
  put("1/2/3/4/5/6/7/8/first");
  const auto before = meta.gets();
  put("1/2/3/4/5/6/7/8/second");
  EXPECT_EQ(meta.gets() - before, 1u);  // the dirent, under its lock
  EXPECT_EQ(get("1/2/3/4/5/6/7/8/second").value(), "x");
  const auto cached = meta.gets();
  EXPECT_EQ(get("1/2/3/4/5/6/7/8/second").value(), "x");
  EXPECT_EQ(meta.gets(), cached);
}

TEST_F(Objects, CopySharesExtents) {
  put("src", pattern(600'000),
      {.attributes = {.content_type = "t", .headers = {}, .user_meta = {}},
       .etag = "e",
       .checksum = {},
       .conditions = {}});
  const std::size_t extents = blobs.extents();
  const ObjectInfo copy = must(ns->copy("b", "d/dst",
                                        {.source_bucket = "b",
                                         .source_key = "src",
                                         .source_conditions = {},
                                         .conditions = {},
                                         .replace = {}}));
  EXPECT_EQ(copy.attributes.content_type, "t");
  EXPECT_EQ(blobs.extents(), extents);
  EXPECT_TRUE(remove("src").value());
  blobs.collect();
  EXPECT_EQ(get("d/dst").value(), pattern(600'000));
  EXPECT_TRUE(remove("d/dst").value());
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
}

TEST_F(Objects, CopyOntoItselfReplacesAttributesInPlace) {
  put("k", pattern(5000), {.attributes = {}, .etag = "e", .checksum = {}, .conditions = {}});
  const ObjectInfo before = must(ns->stat("b", "k"));
  CopyRequest request{
      .source_bucket = "b",
      .source_key = "k",
      .source_conditions = {},
      .conditions = {},
      .replace = ObjectAttributes{.content_type = "new", .headers = {}, .user_meta = {}}};
  const ObjectInfo after = must(ns->copy("b", "k", request));
  EXPECT_EQ(after.ino, before.ino);
  EXPECT_EQ(after.attributes.content_type, "new");
  EXPECT_GT(after.mtime_ns, before.mtime_ns);
  EXPECT_EQ(must(ns->stat("b", "k")).attributes.content_type, "new");
  EXPECT_EQ(get("k").value(), pattern(5000));
  request.source_conditions.if_match = "other";
  EXPECT_EQ(run(ns->copy("b", "k", request)).error().code(), Errc::precondition_failed);
  request.source_key = "absent";
  EXPECT_EQ(run(ns->copy("b", "k", request)).error().code(), Errc::no_such_key);
}

TEST_F(Objects, Buckets) {
  EXPECT_EQ(run(ns->create_bucket("b", "")).error().code(), Errc::bucket_exists);
  must(ns->create_bucket("a", "eu"));
  const auto buckets = must(ns->list_buckets());
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_EQ(buckets[0].name, "a");
  EXPECT_EQ(buckets[0].region, "eu");
  must(put_task("a", "x/y", "z"));
  EXPECT_EQ(run(ns->delete_bucket("a")).error().code(), Errc::bucket_not_empty);
  must(ns->remove("a", "x/y", {}));
  const UploadInfo upload = must(ns->create_upload("a", "k", {}, {}, {}));
  auto writer = must(ns->open_write("a", "k", 0));
  must(test::write_all(*writer, pattern(200'000), 5000));
  must(ns->put_part("a", "k", upload.upload_id, 1, std::move(writer), "e", {}));
  must(ns->delete_bucket("a"));
  EXPECT_EQ(run(ns->get_bucket("a")).error().code(), Errc::no_such_bucket);
  EXPECT_EQ(run(ns->stat("a", "x/y")).error().code(), Errc::no_such_bucket);
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
  must(ns->create_bucket("a", ""));
  EXPECT_EQ(run(ns->stat("a", "x/y")).error().code(), Errc::no_such_key);
}

TEST_F(Objects, InodeNumbersAreNeverReusedAcrossBoots) {
  const InodeId first = put("k1").ino;
  auto second_boot = make_namespace(meta, blobs, clock, random, {});
  must(second_boot->open());
  auto writer = must(second_boot->open_write("b", "k2", 0));
  const InodeId second = must(second_boot->put("b", "k2", std::move(writer), {})).ino;
  EXPECT_GE(second, first + (1 << 19));
}

TEST(ObjectSpace, AFullStoreStillDeletes) {
  std::uint64_t free_files = 1;
  NamespaceConfig config;
  config.space = [&] { return FileSystemSpace{1 << 20, 1 << 20, 1000, free_files}; };
  test::NamespaceFixture f(config);
  f.must(f.ns->create_bucket("b", ""));
  f.put("k", "value");
  const InodeId root = f.must(f.ns->get_bucket("b")).root;
  FileSystem& fs = f.ns->files();
  const FileId file = f.must(fs.lookup({root, root}, "k")).id;
  free_files = 0;
  const auto refused = [](const auto& result) {
    return !result && result.error().code() == Errc::no_space;
  };
  EXPECT_TRUE(refused(f.run(f.put_task("b", "l", "value"))));
  EXPECT_TRUE(refused(f.run(f.put_task("b", "k", "value"))));
  EXPECT_TRUE(refused(f.run(f.ns->create_bucket("c", ""))));
  EXPECT_TRUE(refused(f.run(fs.make_directory({root, root}, "d", {}))));
  EXPECT_TRUE(refused(f.run(fs.link(file, {root, root}, "l"))));
  EXPECT_TRUE(refused(f.run(fs.set_xattr(file, "user.x", "v", FileSystem::XattrMode::either))));
  EXPECT_EQ(f.get("k").value(), "value");
  f.must(f.ns->rename("b", "k", "m"));
  EXPECT_TRUE(f.remove("m").value());
  free_files = 1;
  f.put("k", "value");
}

}  // namespace
}  // namespace outcrop::ns
