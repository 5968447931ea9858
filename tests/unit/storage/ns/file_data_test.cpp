// Data of files: what is written is read back, in memory and stored; S3 sees it; failures lose
// nothing.
#include <gtest/gtest.h>

#include "storage/ns/inode_record.h"
#include "storage/segment/blob_store.h"
#include "tests/support/file_fixture.h"

namespace outcrop::ns {
namespace {

struct FileDataTest : testing::Test, test::FileFixture {};

std::string pattern(std::size_t n, char first = 'a') {
  std::string out(n, '\0');
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<char>(first + i * 7 % 23);
  }
  return out;
}

TEST_F(FileDataTest, WrittenBytesAreReadBeforeAndAfterCommit) {
  const FileId id = file("f");
  const std::uint64_t commits = meta.commits();
  const WriteResult result = write(id, 0, "hello");
  EXPECT_FALSE(result.stable);
  EXPECT_EQ(result.attributes.size, 5U);
  EXPECT_TRUE(test::same(read(id), "hello"));
  EXPECT_EQ(meta.commits(), commits);
  const FileAttributes committed = commit(id);
  EXPECT_EQ(committed.size, 5U);
  EXPECT_EQ(committed.change, result.attributes.change);  // a flush is no change
  EXPECT_EQ(committed.mtime_ns, result.attributes.mtime_ns);
  EXPECT_TRUE(test::same(read(id), "hello"));
  EXPECT_TRUE(test::same(get("f").value(), "hello"));
  expect_clean();
}

TEST_F(FileDataTest, UncommittedBytesDoNotSurviveCommittedOnesDo) {
  const FileId id = file("f", "0123456789");
  write(id, 2, "AB");
  commit(id);
  write(id, 4, "xyz");
  crash();
  EXPECT_TRUE(test::same(read(id), "01AB456789"));
  EXPECT_TRUE(write(id, 4, "xyz", true).stable);
  crash();
  EXPECT_TRUE(test::same(read(id), "01ABxyz789"));
  expect_clean();
}

TEST_F(FileDataTest, EveryPlaceThatContentCanLive) {
  // In the record, in a small record of a segment, striped; each written over by each.
  const std::size_t sizes[] = {100,    kInlineMax, kInlineMax + 1, 50'000, segment::kSmallMax + 1,
                               700'000};
  int n = 0;
  for (const std::size_t before : sizes) {
    for (const std::size_t after : sizes) {
      for (const std::size_t offset : {std::size_t{0}, before / 2, before, before + 5000}) {
        const FileId id = file("f" + std::to_string(n++), pattern(before));
        std::string model = pattern(before);
        model.resize(std::max(before, offset + after));
        model.replace(offset, after, pattern(after, 'A'));
        write(id, offset, pattern(after, 'A'));
        EXPECT_TRUE(test::same(read(id), model));
        commit(id);
        ASSERT_TRUE(test::same(read(id), model)) << before << " " << after << " " << offset;
      }
    }
  }
  expect_clean();
}

TEST_F(FileDataTest, SmallFilesStayInTheirRecord) {
  const FileId id = file("f");
  write(id, 0, pattern(1000));
  write(id, 1500, "end", true);
  EXPECT_EQ(blobs.extents(), 0U);
  EXPECT_TRUE(test::same(read(id), pattern(1000) + std::string(500, '\0') + "end"));
  write(id, 0, pattern(5000), true);
  EXPECT_EQ(blobs.extents(), 1U);
  EXPECT_TRUE(test::same(read(id), pattern(5000)));
  expect_clean();
}

TEST_F(FileDataTest, ReadsEndAtTheEnd) {
  const FileId id = file("f", pattern(10));
  ReadResult r = must(fs().read(id, 0, 5));
  EXPECT_FALSE(r.eof);
  r = must(fs().read(id, 5, 5));
  EXPECT_TRUE(r.eof);
  EXPECT_EQ(r.bytes, 5U);
  r = must(fs().read(id, 10, 5));
  EXPECT_TRUE(r.eof);
  EXPECT_EQ(r.bytes, 0U);
  EXPECT_EQ(must(fs().read(id, kMaxObjectBytes + 1, 5)).bytes, 0U);
  write(id, (2 << 20) - 1, "x");
  r = must(fs().read(id, 0, 8 << 20));
  EXPECT_EQ(r.bytes, kMaxWriteBytes);
  EXPECT_FALSE(r.eof);
  EXPECT_TRUE(
      test::same(test::joined(r.data), pattern(10) + std::string(kMaxWriteBytes - 10, '\0')));
}

TEST_F(FileDataTest, RefusedRequestsChangeNothing) {
  const FileId id = file("f", "abc");
  const Errc large = try_write(id, 0, std::string(kMaxWriteBytes + 1, 'x')).error().code();
  EXPECT_EQ(large, Errc::invalid_argument);
  EXPECT_EQ(try_write(id, kMaxObjectBytes, "x").error().code(), Errc::entity_too_large);
  EXPECT_EQ(try_write({root, id.ino + 1000}, 0, "x").error().code(), Errc::stale);
  EXPECT_EQ(try_write({root, root}, 0, "x").error().code(), Errc::is_directory);
  EXPECT_EQ(run(fs().read({root, root}, 0, 1)).error().code(), Errc::is_directory);
  EXPECT_EQ(write(id, 1, "").attributes.size, 3U);
  EXPECT_TRUE(test::same(read(id), "abc"));
}

TEST_F(FileDataTest, S3SeesWritesAtOnce) {
  const FileId id = file("dir/f", "0123456789");
  const ObjectInfo before = stat("dir/f");
  write(id, 8, "ABCDEF");
  ListPage page = list({});
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].size, 14U);
  const std::string etag = page.entries[0].etag;
  EXPECT_NE(etag, before.etag);
  EXPECT_TRUE(etag.ends_with("-0"));
  EXPECT_TRUE(test::same(get("dir/f").value(), "01234567ABCDEF"));
  EXPECT_EQ(stat("dir/f").etag, etag);
  EXPECT_EQ(list({}).entries[0].etag, etag);
  EXPECT_GT(stat("dir/f").mtime_ns, before.mtime_ns);
  write(id, 0, "x");
  EXPECT_EQ(stat("dir/f").size, 14U);
  EXPECT_NE(stat("dir/f").etag, etag);
  write(id, 1, "y");
  CopyRequest copy;
  copy.source_bucket = "b";
  copy.source_key = "dir/f";
  must(ns->copy("b", "copy", copy));
  EXPECT_TRUE(test::same(get("copy").value(), "xy234567ABCDEF"));
  expect_clean();
}

TEST_F(FileDataTest, S3MetadataStaysChecksumsGo) {
  PutRequest request;
  request.attributes = {.content_type = "text/x", .headers = {}, .user_meta = {{"k", "v"}}};
  request.etag = std::string(32, 'a');
  request.checksum = {.algorithm = digest::Algorithm::crc32,
                      .type = digest::ChecksumType::full_object,
                      .value = "abcd"};
  const InodeId ino = put("f", "content", request).ino;
  write({root, ino}, 0, "C");
  const ObjectInfo info = stat("f");
  EXPECT_EQ(info.attributes, request.attributes);
  EXPECT_EQ(info.checksum.algorithm, digest::Algorithm::none);
  EXPECT_EQ(info.etag.size(), 34U);
  EXPECT_EQ(info.ino, ino);
}

TEST_F(FileDataTest, ConditionsSeeTheNewContent) {
  const FileId id = file("f", "old");
  const std::string etag = stat("f").etag;
  write(id, 0, "new");
  Conditions stale;
  stale.if_match = etag;
  EXPECT_EQ(remove("f", stale).error().code(), Errc::precondition_failed);
  write(id, 0, "neW");
  PutRequest request;
  request.conditions.if_match = etag;
  EXPECT_EQ(run(put_task("b", "f", "x", request)).error().code(), Errc::precondition_failed);
  EXPECT_TRUE(test::same(get("f").value(), "neW"));
}

TEST_F(FileDataTest, PutAndDeleteDropWhatTheyReplace) {
  const FileId id = file("f", "old");
  write(id, 0, pattern(1000));
  const FileId other = file("f", "replaced");
  EXPECT_TRUE(test::same(get("f").value(), "replaced"));
  EXPECT_EQ(try_write(id, 0, "x").error().code(), Errc::stale);
  write(other, 0, "R");
  ASSERT_TRUE(remove("f").value());
  EXPECT_EQ(run(fs().read(other, 0, 10)).error().code(), Errc::stale);
  must(fs().flush_idle(INT64_MAX));
  expect_clean();
}

TEST_F(FileDataTest, FailedFlushKeepsTheBytesAndSaysSo) {
  const FileId id = file("f", "0123456789");
  write(id, 0, "AB");
  for (int i = 0; i < 2; ++i) {
    meta.fail_next_commit(Errc::no_space);
    EXPECT_EQ(run(fs().commit(id)).error().code(), Errc::no_space);
    EXPECT_TRUE(test::same(read(id), "AB23456789"));
  }
  meta.fail_next_commit(Errc::no_space);
  EXPECT_EQ(try_write(id, 2, "CD", true).error().code(), Errc::no_space);
  EXPECT_TRUE(test::same(read(id), "ABCD456789"));
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(get("f").error().code(), Errc::io_error);
  commit(id);
  crash();
  EXPECT_TRUE(test::same(read(id), "ABCD456789"));
  expect_clean();
}

TEST_F(FileDataTest, HolesReadAsZerosAndAreFound) {
  const FileId id = file("f");
  write(id, 100'000, pattern(50'000), true);
  write(id, 300'000, pattern(10));
  EXPECT_EQ(must(fs().seek(id, 0, true)).offset, 100'000U);
  EXPECT_EQ(must(fs().seek(id, 0, false)).offset, 0U);
  EXPECT_EQ(must(fs().seek(id, 120'000, false)).offset, 150'000U);
  EXPECT_EQ(must(fs().seek(id, 150'000, true)).offset, 300'000U);
  const SeekResult last = must(fs().seek(id, 300'005, false));
  EXPECT_EQ(last.offset, 300'010U);
  EXPECT_TRUE(last.eof);
  EXPECT_EQ(run(fs().seek(id, 300'010, true)).error().code(), Errc::not_found);
  EXPECT_EQ(commit(id).used, 50'010U);
  EXPECT_EQ(must(fs().seek(id, 150'000, true)).offset, 300'000U);
  EXPECT_EQ(must(fs().deallocate(id, 110'000, 1000)).size, 300'010U);
  EXPECT_EQ(must(fs().seek(id, 100'000, false)).offset, 110'000U);
  EXPECT_TRUE(test::same(read(id, 109'990, 1020), pattern(50'000).substr(9990, 10) +
                                                      std::string(1000, '\0') +
                                                      pattern(50'000).substr(11'000, 10)));
  expect_clean();
}

TEST_F(FileDataTest, PunchedBytesGoAlsoWhenTheyWereDirty) {
  const FileId id = file("f", pattern(5000));
  write(id, 1000, std::string(3000, 'X'));
  const std::uint64_t change = write(id, 0, "").attributes.change;
  const FileAttributes after = must(fs().deallocate(id, 0, 2000));
  EXPECT_GT(after.change, change);
  EXPECT_TRUE(test::same(
      read(id), std::string(2000, '\0') + std::string(2000, 'X') + pattern(5000).substr(4000)));
  must(fs().deallocate(id, 0, 1 << 30));
  EXPECT_TRUE(test::same(read(id), std::string(5000, '\0')));
  EXPECT_EQ(run(fs().deallocate(id, 0, 0)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(must(fs().deallocate(id, 6000, 5)).size, 5000U);
  expect_clean();
  EXPECT_GT(blobs.collect(), 0U);
}

TEST_F(FileDataTest, AllocateGrowsAndAsksForSpace) {
  const FileId id = file("f", "abc");
  EXPECT_EQ(must(fs().allocate(id, 0, 2)).size, 3U);
  EXPECT_EQ(must(fs().allocate(id, 100, 100'000)).size, 100'100U);
  EXPECT_TRUE(test::same(read(id, 0, 5), std::string("abc\0\0", 5)));
  EXPECT_EQ(stat("f").size, 100'100U);
  EXPECT_EQ(run(fs().allocate(id, kMaxObjectBytes, 1)).error().code(), Errc::entity_too_large);
  NamespaceConfig config;
  config.space = [] { return FileSystemSpace{1000, 500, 10, 10}; };
  crash(config);
  EXPECT_EQ(run(fs().allocate(id, 0, 504)).error().code(), Errc::no_space);
  EXPECT_EQ(must(fs().allocate(id, 0, 503)).size, 100'100U);
  expect_clean();
}

TEST_F(FileDataTest, ClonesShareExtents) {
  const FileId from = file("from", pattern(600'000));
  const FileId to = file("to", pattern(100, 'A'));
  write(from, 10, "dirty");
  const std::size_t extents = blobs.extents();
  EXPECT_EQ(must(fs().clone(from, 5, to, 50, 500'000)), 500'000U);
  std::string model = pattern(600'000);
  model.replace(10, 5, "dirty");
  const std::string expected = pattern(100, 'A').substr(0, 50) + model.substr(5, 500'000);
  EXPECT_TRUE(test::same(read(to), expected));
  EXPECT_LE(blobs.extents(), extents + 2);  // the dirty bytes, the inline ones
  write(from, 0, std::string(600'000, 'Z'), true);
  EXPECT_TRUE(test::same(read(to), expected));
  EXPECT_TRUE(test::same(get("to").value(), expected));
  ASSERT_TRUE(remove("from").value());
  blobs.collect();
  EXPECT_TRUE(test::same(read(to), expected));
  expect_clean();
}

TEST_F(FileDataTest, ClonesWithinAFileAndBetweenBuckets) {
  const FileId id = file("f", pattern(100'000));
  EXPECT_EQ(must(fs().clone(id, 0, id, 200'000, 50'000)), 50'000U);
  EXPECT_TRUE(test::same(read(id, 200'000), pattern(100'000).substr(0, 50'000)));
  EXPECT_EQ(run(fs().clone(id, 0, id, 10, 11)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(must(fs().clone(id, 0, id, 10, 10)), 10U);
  EXPECT_EQ(run(fs().clone(id, 0, id, 300'000, 250'001)).error().code(), Errc::invalid_argument);
  const InodeId other = must(ns->create_bucket("c", {})).root;
  const FileId small{other, must(put_task("c", "s", "tiny")).ino};
  EXPECT_EQ(must(fs().clone(small, 1, id, 0, 0)), 3U);
  EXPECT_TRUE(test::same(read(id, 0, 5), "iny" + pattern(100'000).substr(3, 2)));
  EXPECT_EQ(must(fs().clone(id, 0, small, 0, 0)), 250'000U);
  EXPECT_TRUE(test::same(read(small), read(id)));
  EXPECT_EQ(must(fs().clone(id, 250'000, small, 0, 0)), 0U);
  expect_clean();
}

TEST_F(FileDataTest, LargeFilesFlushThemselvesAndMemoryStaysBounded) {
  NamespaceConfig config;
  config.write_buffer_bytes = 4 << 20;
  crash(config);
  const FileId a = file("a"), b = file("b");
  const std::size_t before = buffer_bytes_in_use();
  std::string model;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const std::string data = pattern(500'000, static_cast<char>('A' + i % 20));
    write(i % 4 == 0 ? b : a, i * 500'000, data);
    EXPECT_LT(buffer_bytes_in_use() - before, 6U << 20);
    if (i % 4 != 0) {
      EXPECT_TRUE(test::same(read(a, i * 500'000, 500'000), data));
    }
  }
  must(fs().flush_idle(INT64_MAX));
  EXPECT_EQ(stat("a").size, 20'000'000U);
  expect_clean();
}

TEST_F(FileDataTest, ManySmallRunsAreFlushedTogether) {
  const FileId id = file("f");
  std::string model(400'000, '\0');
  for (std::uint64_t i = 0; i < 300; ++i) {
    const std::uint64_t at = i * 7919 % 399'000;
    write(id, at, pattern(100 + i % 300, 'a'));
    model.replace(at, 100 + i % 300, pattern(100 + i % 300, 'a'));
  }
  model.resize(write(id, 0, "").attributes.size);
  const std::uint64_t commits = meta.commits();
  commit(id);
  EXPECT_EQ(meta.commits(), commits + 1);
  EXPECT_EQ(blobs.extents(), 1U);
  EXPECT_TRUE(test::same(read(id), model));
  expect_clean();
}

TEST_F(FileDataTest, FragmentedFilesAreRewrittenInLargePieces) {
  NamespaceConfig config;
  config.fragmented_pieces = 64;
  crash(config);
  const FileId id = file("f");
  std::string model(600'000, '\0');
  const auto write_many = [&](std::uint64_t count, std::uint64_t seed) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = (i * 7919 + seed) % 590'000;
      write(id, at, pattern(900, static_cast<char>('A' + i % 9)), true);
      model.replace(at, 900, pattern(900, static_cast<char>('A' + i % 9)));
    }
  };
  write(id, 0, pattern(300'000), true);
  model.replace(0, 300'000, pattern(300'000));
  write_many(100, 0);
  write(id, 599'999, "e", true);
  model.back() = 'e';
  blobs.collect();
  const std::size_t before = blobs.extents();
  EXPECT_GT(before, 60U);
  const ObjectInfo info = stat("f");
  must(fs().flush_idle(0));
  blobs.collect();
  // The holes in the second half keep their pieces apart.
  EXPECT_LT(blobs.extents(), before / 2 + 10);
  EXPECT_TRUE(test::same(read(id), model));
  EXPECT_EQ(stat("f").etag, info.etag);
  EXPECT_EQ(stat("f").mtime_ns, info.mtime_ns);
  // Faster than the passes: the writers do it.
  write(id, 300'000, std::string(299'999, 'm'), true);
  model.replace(300'000, 299'999, std::string(299'999, 'm'));
  write_many(1500, 17);
  blobs.collect();
  EXPECT_LT(blobs.extents(), 9U * config.fragmented_pieces);
  EXPECT_TRUE(test::same(read(id), model));
  EXPECT_EQ(run(fs().flush_idle(0)).has_value(), true);
  expect_clean();
}

TEST_F(FileDataTest, IdleFilesAreFlushedByAge) {
  const FileId old = file("old");
  write(old, 0, "x");
  const std::int64_t now = clock.steady_ns();
  clock.wall_ns();
  const FileId young = file("young");
  write(young, 0, "y");
  must(fs().flush_idle(now));
  crash();
  EXPECT_TRUE(test::same(read(old), "x"));
  EXPECT_TRUE(test::same(read(young), ""));
}

}  // namespace
}  // namespace outcrop::ns
