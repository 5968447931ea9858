// Limits: what is refused and what never is, for objects and for files.
#include "tests/unit/storage/ns/quota_fixture.h"

namespace outcrop::ns {
namespace {

constexpr Errc kOver = Errc::quota_exceeded;

class Quota : public QuotaTest {
 protected:
  Errc create_code(std::string name) { return code(run(fs().create(top(), name, {}))); }
};

TEST_F(Quota, AtTheLimitAndOneAbove) {
  limit(100, 2);
  put("a", bytes(60));
  EXPECT_EQ(code(try_put("b", bytes(41))), kOver);
  put("b", bytes(40));
  const auto objects = try_put("c", "");
  ASSERT_EQ(code(objects), kOver);
  EXPECT_EQ(objects.error().detail(), kObjectsQuota);
  expect_usage(100, 2);
  limit(101, 3);
  put("c", bytes(1));
  limit({}, {});
  put("d", bytes(1000));
  expect_usage(1101, 4);
  EXPECT_EQ(code(run(ns->put_limits("none", {1, {}}))), Errc::no_such_bucket);
  EXPECT_EQ(code(run(ns->put_limits("b", {kMaxQuota + 1, {}}))), Errc::invalid_argument);
}

TEST_F(Quota, OverwritesCountTheDifference) {
  limit(100, 1);
  put("a", bytes(90));
  put("a", bytes(100));
  EXPECT_EQ(code(try_put("a", bytes(101))), kOver);
  EXPECT_EQ(get("a").value().size(), 100U);
  put("a", bytes(1));
  expect_usage(1, 1);
}

// A bucket above a limit that was lowered takes what makes it no larger.
TEST_F(Quota, ALoweredLimit) {
  put("a", bytes(90));
  put("b", bytes(10));
  const std::string id = upload("m");
  ASSERT_TRUE(part("m", id, 1, bytes(300)));
  limit(50, 2);
  EXPECT_EQ(code(try_put("a", bytes(91))), kOver);
  put("a", bytes(80));
  must(ns->set_tags("b", "a", {{"k", "v"}}, {}));
  must(ns->rename("b", "a", "c"));
  EXPECT_EQ(code(complete("m", id, 1)), kOver);  // one object more
  ASSERT_TRUE(remove("c"));
  ASSERT_TRUE(complete("m", id, 1));
  expect_usage(310, 2);
  ASSERT_TRUE(remove("m"));
  ASSERT_TRUE(remove("b"));
  put("x", bytes(50));
  expect_usage(50, 1);
}

TEST_F(Quota, EveryWayToGrow) {
  put("a", bytes(60));
  const std::string id = upload("m");
  limit(100);
  EXPECT_EQ(code(copy("a", "b")), kOver);
  EXPECT_EQ(code(part("m", id, 1, bytes(41))), kOver);
  ASSERT_TRUE(part("m", id, 1, bytes(40)));
  EXPECT_EQ(code(part("m", id, 2, bytes(1))), kOver);
  ASSERT_TRUE(part("m", id, 1, bytes(30)));
  const auto source = must(ns->open_read("b", "a"));
  EXPECT_EQ(code(run(ns->copy_part("b", "m", id, 2, *source, {0, 11}, "", {}))), kOver);
  PutRequest more;
  more.append_at = 60;
  EXPECT_EQ(code(try_put("a", bytes(11), more)), kOver);
  must(put_task("b", "a", bytes(10), more));
  expect_usage(100, 1);
  must(ns->create_bucket("c", ""));
  must(ns->put_limits("c", {69, {}}));
  EXPECT_EQ(code(copy("a", "a", "c")), kOver);  // the limit of where it comes to
}

TEST_F(Quota, Versions) {
  must(ns->put_versioning("b", Versioning::enabled));
  put("k", bytes(60));
  limit(100, 2);
  EXPECT_EQ(code(try_put("k", bytes(60))), kOver);
  put("k", bytes(40));
  EXPECT_EQ(code(run(ns->rename("b", "k", "l"))), kOver);
  must(ns->remove_version("b", "k", {}, {}));  // a marker is no object
  must(ns->remove_version("b", "none", {}, {}));
  expect_usage(100, 2);
}

// The delete of an open file keeps a copy as the version: it works all the same.
TEST_F(Quota, DeletesAlwaysWork) {
  must(ns->put_versioning("b", Versioning::enabled));
  const FileId id = file("f", bytes(100));
  const FileId other = file("g", bytes(10));
  const OpenHoldPtr hold = must(fs().hold(id));
  const OpenHoldPtr second = must(fs().hold(other));
  limit(50, 1);
  must(fs().remove(top(), "f", RemoveKind::file));
  must(ns->remove_version("b", "g", {}, {}));
  expect_usage(220, 4);
}

TEST_F(Quota, JudgedBeforeThePayload) {
  put("a", bytes(60));
  const std::string id = upload("m");
  ASSERT_TRUE(part("m", id, 1, bytes(30)));
  limit(100, 1);
  const auto fine = Errc::internal;
  EXPECT_EQ(ahead("a", {.size_hint = 70}), fine);
  EXPECT_EQ(ahead("a", {.size_hint = 71}), kOver);
  EXPECT_EQ(ahead("a", {.size_hint = 10, .append = true}), fine);
  EXPECT_EQ(ahead("a", {.size_hint = 11, .append = true}), kOver);
  EXPECT_EQ(ahead("b", {.size_hint = 0}), kOver);
  EXPECT_EQ(ahead("m", {.size_hint = 40, .part = 1, .upload_id = id}), fine);
  EXPECT_EQ(ahead("m", {.size_hint = 41, .part = 1, .upload_id = id}), kOver);
  EXPECT_EQ(ahead("m", {.size_hint = 11, .part = 2, .upload_id = id}), kOver);
  EXPECT_EQ(ahead("m", {.size_hint = 11, .part = 2, .upload_id = "none"}), kOver);
  must(ns->put_versioning("b", Versioning::enabled));
  EXPECT_EQ(ahead("a", {.size_hint = 1}), kOver);
}

TEST_F(Quota, UnstableWritesAreReserved) {
  const FileId a = create("a");
  const FileId b = create("b");
  limit(10'000);
  write(a, 0, bytes(6000));
  EXPECT_EQ(usage().reserved, 6000U);
  EXPECT_EQ(code(try_write(b, 0, bytes(4001))), kOver);
  write(b, 0, bytes(4000));
  EXPECT_EQ(code(try_put("c", bytes(1))), kOver);
  limit(100);  // what was taken is stored
  commit(a);
  commit(b);
  EXPECT_EQ(usage().reserved, 0U);
  expect_usage(10'000, 2);
  EXPECT_EQ(code(try_write(a, 6000, bytes(1))), kOver);
}

// Only what neither the record nor memory has is new.
TEST_F(Quota, RewritesTakeNothing) {
  const FileId id = create("f");
  limit(10'000);
  write(id, 0, bytes(10'000));
  write(id, 500, bytes(9000));
  EXPECT_EQ(usage().reserved, 10'000U);
  commit(id);
  write(id, 0, bytes(10'000));
  write(id, 9000, bytes(1000), true);
  EXPECT_EQ(code(try_write(id, 9999, bytes(2))), kOver);
  must(fs().deallocate(id, 2000, 1000));
  EXPECT_EQ(code(try_write(id, 1999, bytes(501), true)), Errc::internal);
  write(id, 50'000, bytes(500), true);  // half of the hole is left
  EXPECT_EQ(code(try_write(id, 60'000, bytes(1))), kOver);
  commit(id);
  expect_usage(10'000, 1);
}

TEST_F(Quota, TruncatedWritesGiveTheirRoomBack) {
  const FileId id = create("f");
  limit(10'000);
  write(id, 0, bytes(10'000));
  resize(id, 0);
  EXPECT_EQ(usage().reserved, 0U);
  write(id, 0, bytes(10'000));
  must(fs().remove(top(), "f", RemoveKind::file));
  EXPECT_EQ(usage().reserved, 0U);
  expect_usage(0, 0);
}

TEST_F(Quota, SmallWritesNeedNoMoreThanTheFile) {
  const FileId id = create("f");
  limit(1000);
  for (int i = 0; i < 100; ++i) {
    write(id, static_cast<std::uint64_t>(i) * 10, bytes(10));
  }
  EXPECT_EQ(code(try_write(id, 1000, bytes(1))), kOver);
  commit(id);
  expect_usage(1000, 1);
}

TEST_F(Quota, FlushesThatFailKeepTheirReservation) {
  const FileId id = create("f");
  limit(10'000);
  write(id, 0, bytes(6000));
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(code(run(fs().commit(id))), Errc::io_error);
  EXPECT_EQ(usage().reserved, 6000U);
  EXPECT_EQ(code(try_put("c", bytes(4001))), kOver);
  commit(id);
  EXPECT_EQ(usage().reserved, 0U);
}

TEST_F(Quota, OfFilesWhatTakesRoomIsRefused) {
  const FileId id = file("f", bytes(5000));
  limit(6000, 3);
  EXPECT_EQ(code(run(fs().clone(id, 0, create("g"), 0, 1001))), kOver);
  must(fs().clone(id, 0, create("h"), 0, 1000));
  EXPECT_EQ(create_code("i"), kOver);
  EXPECT_EQ(code(run(fs().allocate(id, 5000, 1))), kOver);
  resize(id, 100'000);  // a hole
  const FileId small = must(fs().lookup(top(), "g")).id;
  SetAttributes set;
  set.size = 100;
  EXPECT_EQ(code(run(fs().set_attributes(small, set))), kOver);  // small files have no holes
  must(fs().make_directory(top(), "d", {}));
  must(fs().make_symlink(top(), "s", "f", {}));
  must(fs().link(id, top(), "l"));
  for (const char* name : {"f", "l", "g", "h"}) {
    must(fs().remove(top(), name, RemoveKind::file));
  }
  expect_usage(0, 0);
}

TEST_F(Quota, AVersionThatAWriteMakes) {
  must(ns->put_versioning("b", Versioning::enabled));
  const FileId id = file("f", bytes(5000));
  limit(9999, 2);
  EXPECT_EQ(code(try_write(id, 0, bytes(1))), kOver);
  limit(10'000, 1);
  EXPECT_EQ(code(try_write(id, 0, bytes(1))), kOver);
  limit(10'000, 2);
  write(id, 0, bytes(1), true);
  EXPECT_EQ(code(try_write(id, 5000, bytes(1))), kOver);
  expect_usage(10'000, 2);
}

TEST_F(Quota, TheSpaceOfAFileSystem) {
  const FileSystemSpace all = must(fs().space(root));
  put("a", bytes(3000));
  const FileId id = create("f");
  limit(10'000, 5);
  write(id, 0, bytes(500));
  FileSystemSpace space = must(fs().space(root));
  EXPECT_EQ(space.total_bytes, 10'000U);
  EXPECT_EQ(space.free_bytes, 6500U);
  EXPECT_EQ(space.files, 5U);
  EXPECT_EQ(space.free_files, 3U);
  limit(100, 1);
  space = must(fs().space(root));
  EXPECT_EQ(space.total_bytes, 100U);
  EXPECT_EQ(space.free_bytes, 0U);
  EXPECT_EQ(space.free_files, 0U);
  limit({}, {});
  EXPECT_EQ(must(fs().space(root)).total_bytes, all.total_bytes);
}

}  // namespace
}  // namespace outcrop::ns
