// Moving what lives out of segments: contents, ETags and references stay right, shared extents stay
// shared, and what nobody uses is not moved.
#include <gtest/gtest.h>

#include "storage/meta/extent_ref.h"
#include "tests/support/file_fixture.h"

namespace outcrop::ns {
namespace {

std::string pattern(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>('a' + (i * (7 + seed) + seed) % 26);
  }
  return out;
}

class RelocateTest : public ::testing::Test, protected test::FileFixture {
 protected:
  ~RelocateTest() override { expect_clean(); }

  /// All that is stored so far moves; returns what that was.
  Relocated relocate_all() {
    Relocated total;
    for (const SegmentId segment : blobs.old_segments()) {
      for (bool finished = false; !finished;) {
        const Relocated moved = must(ns->relocate(segment, 100'000, segment::Purpose::upkeep));
        total.bytes += moved.bytes;
        total.owners += moved.owners;
        total.left_behind += moved.left_behind;
        finished = moved.finished;
      }
    }
    return total;
  }
  /// New payload goes to new segments from here on.
  void seal() { blobs.next_segment(); }
};

TEST_F(RelocateTest, ObjectsKeepWhatTheyAre) {
  std::map<std::string, std::string> objects;
  for (unsigned i = 0; i < 40; ++i) {
    const std::size_t size = i % 4 == 0 ? 700'000 + i : i % 4 == 1 ? 90'000 : 2'100 + i * 10;
    objects["d/" + std::to_string(i)] = pattern(size, i);
  }
  std::map<std::string, ObjectInfo> before;
  for (const auto& [key, content] : objects) {
    put(key, content);
    before[key] = stat(key);
  }
  put("inline", "small");
  seal();
  const std::size_t extents = blobs.extents();
  const Relocated moved = relocate_all();
  EXPECT_GE(moved.owners, objects.size()) << "some lie in several segments";
  EXPECT_EQ(moved.left_behind, 0U);
  EXPECT_EQ(blobs.collect(), extents) << "nothing refers to the old ones";
  for (const auto& [key, content] : objects) {
    ASSERT_TRUE(test::same(get(key).value(), content)) << key;
    const ObjectInfo after = stat(key);
    EXPECT_EQ(after.etag, before[key].etag);
    EXPECT_EQ(after.mtime_ns, before[key].mtime_ns);
    EXPECT_EQ(after.ino, before[key].ino);
  }
  EXPECT_EQ(get("inline").value(), "small");
}

TEST_F(RelocateTest, WhatNobodyUsesIsNotMoved) {
  const FileId id = file("f", pattern(600'000, 1));
  put("gone", pattern(50'000, 2));
  ASSERT_TRUE(remove("gone").value());
  write(id, 100'000, pattern(300'000, 3), true);
  must(fs().deallocate(id, 500'000, 50'000));
  seal();
  EXPECT_EQ(relocate_all().bytes, 550'000U);
  blobs.collect();
  EXPECT_EQ(blobs.bytes(), 550'000U);
  std::string expected = pattern(600'000, 1);
  expected.replace(100'000, 300'000, pattern(300'000, 3));
  expected.replace(500'000, 50'000, std::string(50'000, '\0'));
  EXPECT_TRUE(test::same(read(id), expected));
}

TEST_F(RelocateTest, SharedExtentsStayShared) {
  const FileId from = file("from", pattern(400'000, 1));
  const FileId to = file("to", pattern(100, 2));
  must(fs().clone(from, 1'000, to, 5'000, 200'000));
  must(fs().clone(from, 150'000, to, 300'000, 100'000));
  CopyRequest copy;
  copy.source_bucket = "b";
  copy.source_key = "from";
  must(ns->copy("b", "copy", copy));
  const std::string model = test::joined(must(fs().read(to, 0, 1 << 20)).data);
  seal();
  EXPECT_LE(relocate_all().bytes, 400'100U) << "the shared bytes once";
  blobs.collect();
  EXPECT_TRUE(test::same(read(from), pattern(400'000, 1)));
  EXPECT_TRUE(test::same(get("copy").value(), pattern(400'000, 1)));
  EXPECT_TRUE(test::same(read(to), model));
  ASSERT_TRUE(remove("from").value());
  ASSERT_TRUE(remove("copy").value());
  blobs.collect();
  EXPECT_TRUE(test::same(read(to), model));
}

TEST_F(RelocateTest, PartsOfUploadsMoveWhereTheyMust) {
  const auto upload = must(
      ns->create_upload("b", "m", {}, digest::Algorithm::none, digest::ChecksumType::full_object));
  std::string content;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    auto writer = must(ns->open_write("b", "m", 0));
    const std::string part = pattern(number < 3 ? kMinPartBytes : 300'000, number);
    must(test::write_all(*writer, part, 1 << 20));
    content += part;
    must(ns->put_part("b", "m", upload.upload_id, number, std::move(writer), std::string(32, 'a'),
                      {}));
  }
  must(ns->create_upload("b", "other", {}, digest::Algorithm::none,
                         digest::ChecksumType::full_object));
  const PartList before = must(ns->list_parts("b", "m", upload.upload_id, 0, 100));
  seal();
  const std::size_t extents = blobs.extents();
  unsigned calls = 0;
  std::uint64_t owners = 0;
  for (const SegmentId segment : blobs.old_segments()) {
    PartPosition from;
    for (bool finished = false; !finished; ++calls) {
      const Relocated moved = must(ns->relocate_parts(segment, 1, from, segment::Purpose::upkeep));
      owners += moved.owners;
      finished = moved.finished;
    }
    EXPECT_TRUE(must(ns->relocate(segment, SIZE_MAX, segment::Purpose::upkeep)).left_behind == 0)
        << "nothing is there";
  }
  EXPECT_GE(owners, 3U);
  EXPECT_GE(calls, 3U) << "one part at a time";
  EXPECT_EQ(blobs.collect(), extents);
  const PartList after = must(ns->list_parts("b", "m", upload.upload_id, 0, 100));
  ASSERT_EQ(after.parts.size(), before.parts.size());
  for (std::size_t i = 0; i < after.parts.size(); ++i) {
    EXPECT_EQ(after.parts[i].size, before.parts[i].size);
    EXPECT_EQ(after.parts[i].etag, before.parts[i].etag);
    EXPECT_EQ(after.parts[i].mtime_ns, before.parts[i].mtime_ns) << "it is the same part";
  }
  CompleteRequest request;
  for (const PartInfo& part : before.parts) {
    request.parts.push_back({part.number, part.etag, {}});
  }
  must(ns->complete_upload("b", "m", upload.upload_id, request));
  EXPECT_TRUE(test::same(get("m").value(), content));
}

TEST_F(RelocateTest, PartsOfUploadsStayUntilTheyAreObjects) {
  const auto upload = must(
      ns->create_upload("b", "m", {}, digest::Algorithm::none, digest::ChecksumType::full_object));
  auto writer = must(ns->open_write("b", "m", 0));
  must(test::write_all(*writer, pattern(300'000, 1), 1 << 20));
  const PartInfo part = must(
      ns->put_part("b", "m", upload.upload_id, 1, std::move(writer), std::string(32, 'a'), {}));
  seal();
  const Relocated moved = relocate_all();
  EXPECT_EQ(moved.bytes, 0U);
  EXPECT_GT(moved.left_behind, 0U);
  CompleteRequest request;
  request.parts.push_back({1, part.etag, {}});
  must(ns->complete_upload("b", "m", upload.upload_id, request));
  EXPECT_EQ(relocate_all().bytes, 300'000U);
  blobs.collect();
  EXPECT_TRUE(test::same(get("m").value(), pattern(300'000, 1)));
}

// However much of it there is in front.
TEST_F(RelocateTest, WhatCannotBeReadStaysAndTheRestMoves) {
  for (unsigned i = 0; i < 8; ++i) {
    put("k" + std::to_string(i), pattern(100'000, i));
  }
  seal();
  const SegmentId segment = blobs.old_segments().front();
  blobs.damage(segment, 5);
  const Relocated moved = must(ns->relocate(segment, 150'000, segment::Purpose::upkeep));
  EXPECT_EQ(moved.left_behind, 5U);
  EXPECT_EQ(moved.bytes, 200'000U);
  EXPECT_EQ(must(ns->relocate(segment, UINT64_MAX, segment::Purpose::upkeep)).bytes, 100'000U);
  for (unsigned i = 0; i < 8; ++i) {
    const auto got = get("k" + std::to_string(i));
    ASSERT_EQ(got.has_value(), i >= 5) << i;
    if (got) {
      EXPECT_TRUE(test::same(*got, pattern(100'000, i)));
    }
  }
}

TEST_F(RelocateTest, ReadersGoOnWithWhatTheyPinned) {
  put("k", pattern(500'000, 1));
  auto reader = must(ns->open_read("b", "k"));
  seal();
  EXPECT_EQ(relocate_all().bytes, 500'000U);
  blobs.collect();
  EXPECT_TRUE(test::same(must(test::read_range(*reader, {0, 500'000})), pattern(500'000, 1)));
  reader.reset();
  EXPECT_GT(blobs.collect(), 0U);
}

TEST(ExtentRef, RoundTripAndOldForm) {
  for (const meta::ExtentRef ref : {meta::ExtentRef{5, 5}, meta::ExtentRef{1 << 20, 17}}) {
    EXPECT_EQ(meta::decode_extent_ref(meta::encode(ref)).value(), ref);
  }
  EXPECT_EQ(meta::encode(meta::ExtentRef{5, 5}), "\x05");
  for (const std::string_view bad : {"", "\x05\x05", "\x05\x06", "\x05\x01x", "\x80"}) {
    EXPECT_FALSE(meta::decode_extent_ref(bad)) << bad;
  }
}

}  // namespace
}  // namespace outcrop::ns
