// Sealed files as file clients see them: read where there is a key, never changed, and everything
// else as with other files. And buckets that promise to hold nothing in the clear.
#include <gtest/gtest.h>

#include "tests/support/sealed_fixture.h"

namespace outcrop::ns {
namespace {

using test::same;
using test::sample;

template <class T>
std::optional<Errc> code(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code());
}

struct Ring {
  test::TestKeyRing ring;
};

class SealedFiles : public ::testing::Test, private Ring, protected test::SealedFixture {
 protected:
  SealedFiles() : SealedFixture({.min_part_bytes = 1, .keys = &ring}) {}
  ~SealedFiles() override {
    expect_clean();
    blobs.collect();
  }
  test::TestKeyRing& keys() { return ring; }
  FileId sealed(std::string key, std::string data, std::string envelope = "1") {
    return {root, seal(std::move(key), std::move(data), std::move(envelope)).ino};
  }
  SetAttributes size_of(std::uint64_t size) {
    SetAttributes set;
    set.size = size;
    return set;
  }
};

TEST_F(SealedFiles, AreReadWithTheRing) {
  const std::string plain = sample(300'000);
  const FileId id = sealed("f", plain);
  EXPECT_TRUE(same(read(id), plain));
  for (const std::uint64_t at : {0U, 1U, 65'535U, 65'536U, 100'000U, 262'143U, 299'999U}) {
    for (const std::uint64_t n : {1U, 4'096U, 65'536U, 200'000U}) {
      const ReadResult got = must(fs().read(id, at, n));
      ASSERT_TRUE(same(test::joined(got.data), plain.substr(at, n))) << at << " " << n;
      ASSERT_EQ(got.bytes, plain.substr(at, n).size());
      ASSERT_EQ(got.eof, at + n >= plain.size());
    }
  }
  const ReadResult behind = must(fs().read(id, 300'000, 10));
  EXPECT_EQ(behind.bytes, 0U);
  EXPECT_TRUE(behind.eof);
  EXPECT_EQ(must(fs().read(id, 1 << 30, 10)).bytes, 0U);
  const std::string few = "few bytes";
  EXPECT_EQ(read(sealed("inline", few)), few);
  EXPECT_EQ(read(sealed("empty", "")), "");
}

TEST_F(SealedFiles, OfManyParts) {
  const std::string a = sample(100'000, 1), b = sample(70'000, 2), c = sample(5, 3);
  const FileId id{root, upload("m", "2", {{1, a}, {5, b}, {6, c}}).ino};
  EXPECT_TRUE(same(read(id), a + b + c));
  EXPECT_TRUE(same(read(id, 99'990, 70'012), (a + b + c).substr(99'990, 70'012)));
}

TEST_F(SealedFiles, AreNotReadWithoutAKey) {
  const FileId clients = sealed("c", sample(5'000), "99");
  EXPECT_EQ(code(run(fs().read(clients, 0, 10))), Errc::access_denied);
  const FileId other = sealed("o", sample(5'000), "1");
  crash();  // this one has no ring
  EXPECT_EQ(code(run(fs().read(other, 0, 10))), Errc::access_denied);
  EXPECT_EQ(must(fs().get_attributes(other)).size, 5'000U);
}

TEST_F(SealedFiles, PlainOnesAskNobody) {
  const FileId id = file("plain", sample(200'000));
  EXPECT_EQ(read(id).size(), 200'000U);
  write(id, 5, "x", true);
  EXPECT_EQ(keys().opened, 0U);
  EXPECT_FALSE(must(fs().get_attributes(id)).fixed);
}

TEST_F(SealedFiles, ShowTheirOwnSizeAndUseWhatTheyTake) {
  const FileId id = sealed("f", sample(100'000));
  const FileAttributes shown = must(fs().get_attributes(id));
  EXPECT_EQ(shown.size, 100'000U);
  EXPECT_EQ(shown.used, 100'056U);
  EXPECT_TRUE(shown.fixed);
  EXPECT_EQ(must(fs().lookup({root, root}, "f")).size, 100'000U);
  const SeekResult hole = must(fs().seek(id, 70'000, false));
  EXPECT_EQ(hole.offset, 100'000U);
  EXPECT_EQ(must(fs().seek(id, 99'999, true)).offset, 99'999U);
  EXPECT_EQ(code(run(fs().seek(id, 100'000, true))), Errc::not_found);
}

TEST_F(SealedFiles, BytesDoNotChange) {
  const std::string plain = sample(100'000);
  const FileId id = sealed("f", plain), other = file("plain", sample(5'000));
  EXPECT_EQ(code(try_write(id, 0, "x")), Errc::access_denied);
  EXPECT_EQ(code(try_write(id, 100'000, "x", true)), Errc::access_denied);
  for (const std::uint64_t size : {0U, 5U, 200'000U}) {
    EXPECT_EQ(code(run(fs().set_attributes(id, size_of(size)))), Errc::access_denied);
  }
  EXPECT_EQ(code(run(fs().set_attributes(id, size_of(100'000)))), std::nullopt) << "it has that";
  EXPECT_EQ(code(run(fs().allocate(id, 0, 10))), Errc::access_denied);
  EXPECT_EQ(code(run(fs().allocate(id, 0, 200'000))), Errc::access_denied);
  EXPECT_EQ(code(run(fs().deallocate(id, 0, 10))), Errc::access_denied);
  EXPECT_EQ(code(run(fs().clone(other, 0, id, 0, 10))), Errc::access_denied);
  EXPECT_EQ(code(run(fs().clone(id, 0, other, 0, 10))), Errc::cross_bucket)
      << "clients copy by reading and writing then";
  CreateRequest truncates;
  truncates.attributes.size = 0;
  EXPECT_EQ(code(run(fs().create({root, root}, "f", truncates))), Errc::access_denied);
  EXPECT_TRUE(same(read(id), plain));
  EXPECT_TRUE(same(read(other), sample(5'000)));
  EXPECT_TRUE(same(unseal("f").value(), plain));
}

TEST_F(SealedFiles, NothingThatIsRefusedMakesAVersion) {
  must(ns->put_versioning("b", Versioning::enabled));
  const FileId id = sealed("f", sample(100'000));
  EXPECT_EQ(code(try_write(id, 0, "x")), Errc::access_denied);
  EXPECT_EQ(code(run(fs().set_attributes(id, size_of(5)))), Errc::access_denied);
  EXPECT_EQ(code(run(fs().deallocate(id, 0, 10))), Errc::access_denied);
  EXPECT_EQ(must(ns->list_versions("b", {})).entries.size(), 1U);
}

TEST_F(SealedFiles, EverythingElseWorks) {
  const std::string plain = sample(100'000);
  const FileId id = sealed("f", plain);
  SetAttributes mode;
  mode.mode = 0600;
  mode.mtime_ns = 5;
  EXPECT_EQ(must(fs().set_attributes(id, mode)).mode, 0600U);
  must(fs().set_xattr(id, "user.note", "text", FileSystem::XattrMode::either));
  must(fs().set_xattr(id, "user.s3.content-type", "text/plain", FileSystem::XattrMode::either));
  EXPECT_EQ(stat("f").attributes.envelope, "1");
  EXPECT_EQ(stat("f").attributes.content_type, "text/plain");
  must(fs().link(id, {root, root}, "g"));
  must(fs().rename({root, root}, "f", {root, root}, "h"));
  EXPECT_TRUE(same(read(id), plain));
  EXPECT_TRUE(same(unseal("h").value(), plain));
  must(fs().remove({root, root}, "h", RemoveKind::file));
  EXPECT_TRUE(same(unseal("g").value(), plain));
  const auto hold = must(fs().hold(id));
  must(fs().remove({root, root}, "g", RemoveKind::file));
  EXPECT_TRUE(same(read(id), plain)) << "somebody has it open";
}

TEST_F(SealedFiles, ReadersDoNotMindCompaction) {
  const std::string plain = sample(900'000);
  const FileId id = sealed("f", plain);
  EXPECT_TRUE(same(read(id, 0, 300'000), plain.substr(0, 300'000)));
  blobs.next_segment();
  for (const SegmentId segment : blobs.old_segments()) {
    must(ns->relocate(segment, UINT64_MAX, segment::Purpose::upkeep));
  }
  blobs.collect();
  EXPECT_TRUE(same(read(id, 300'000), plain.substr(300'000)));
}

TEST_F(SealedFiles, ABucketThatHoldsNothingInTheClear) {
  const FileId id = file("plain", sample(5'000));
  write(id, 0, "before");
  must(ns->put_sealing("b", true));
  EXPECT_TRUE(must(ns->get_bucket("b")).sealing);
  const auto refuses = [&] {
    EXPECT_EQ(code(try_write(id, 0, "x")), Errc::access_denied);
    EXPECT_EQ(code(run(fs().set_attributes(id, size_of(6'000)))), Errc::access_denied);
    EXPECT_TRUE(must(fs().get_attributes(id)).fixed);
    EXPECT_EQ(code(run(fs().create({root, root}, "new", {}))), Errc::access_denied);
    EXPECT_EQ(code(run(fs().lookup({root, root}, "new"))), Errc::not_found);
  };
  refuses();
  EXPECT_EQ(read(id, 0, 6), "before") << "what was there stays readable";
  must(fs().commit(id));
  must(fs().make_directory({root, root}, "d", {}));
  must(fs().make_symlink({root, root}, "l", "target", {}));
  must(ns->create_bucket("other", {}));
  const InodeId other = must(ns->get_bucket("other")).root;
  const FileId outside = must(fs().create({other, other}, "f", {})).attributes.id;
  write(outside, 0, "text", true);
  EXPECT_EQ(code(run(fs().clone(outside, 0, id, 0, 4))), Errc::access_denied);
  crash({.keys = &keys()});
  EXPECT_TRUE(must(ns->get_bucket("b")).sealing);
  refuses();
  must(ns->put_versioning("b", Versioning::enabled));
  EXPECT_TRUE(must(ns->get_bucket("b")).sealing);
  refuses();
  must(ns->put_sealing("b", false));
  EXPECT_FALSE(must(ns->get_bucket("b")).sealing);
  EXPECT_EQ(must(ns->get_bucket("b")).versioning, Versioning::enabled);
  write(id, 0, "after.", true);
  EXPECT_EQ(read(id, 0, 6), "after.");
}

TEST_F(SealedFiles, TheNextBucketPromisesNothing) {
  must(ns->create_bucket("c", {}));
  must(ns->put_sealing("c", true));
  must(ns->delete_bucket("c"));
  const InodeId again = must(ns->create_bucket("c", {})).root;
  const FileId id = must(fs().create({again, again}, "f", {})).attributes.id;
  write(id, 0, "text", true);
  EXPECT_EQ(code(run(ns->put_sealing("none", true))), Errc::no_such_bucket);
}

}  // namespace
}  // namespace outcrop::ns
