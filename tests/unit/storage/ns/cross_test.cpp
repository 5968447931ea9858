// What one protocol does as the other one sees it, where the cross-protocol model test (or somebody
// else) once found them to disagree.
#include "tests/unit/storage/ns/fs_fixture.h"

namespace outcrop::ns {
namespace {

class Cross : public test::FileTest {
 protected:
  ObjectInfo stat(const std::string& key) { return must(ns->stat("b", key)); }
  void write(FileId id, std::uint64_t offset, std::string_view data) {
    must(fs().write(id, offset, {Buffer::copy_of(as_bytes(data))}, false));
  }
  FileAttributes set_size(FileId id, std::uint64_t size) {
    SetAttributes set;
    set.size = size;
    return must(fs().set_attributes(id, set));
  }
};

TEST_F(Cross, TheSizeThatItHasIsNoChangeOfContent) {
  const digest::Checksum checksum{.algorithm = digest::Algorithm::crc32, .value = "abcd"};
  put("f", "12345",
      {.attributes = {}, .etag = std::string(32, 'a'), .checksum = checksum, .conditions = {}});
  const FileAttributes before = at("f");
  const FileAttributes after = set_size(before.id, 5);
  EXPECT_GT(after.mtime_ns, before.mtime_ns);
  EXPECT_GT(after.ctime_ns, before.ctime_ns);
  EXPECT_GT(after.change, before.change);
  EXPECT_EQ(stat("f").etag, std::string(32, 'a'));
  EXPECT_EQ(stat("f").checksum, checksum);
  EXPECT_EQ(stat("f").mtime_ns, after.mtime_ns);
  CreateRequest again;
  again.attributes.size = 5;
  create(root, "f", again);
  EXPECT_EQ(stat("f").etag, std::string(32, 'a'));
  set_size(before.id, 4);
  EXPECT_NE(stat("f").etag, std::string(32, 'a'));
  EXPECT_EQ(stat("f").checksum, digest::Checksum{});
}

TEST_F(Cross, AnEtagThatWasShownStaysUntilTheContentChanges) {
  const FileId f = create(root, "f").id;
  write(f, 0, "0123456789");
  const std::string written = list({}).entries[0].etag;
  SetAttributes mode;
  mode.mode = 0600;
  must(fs().set_attributes(f, mode));
  EXPECT_EQ(list({}).entries[0].etag, written);
  EXPECT_EQ(stat("f").etag, written);  // stores the bytes
  EXPECT_EQ(list({}).entries[0].etag, written);

  write(f, 0, "abc");
  set_size(f, 5);  // some of it still waits
  const std::string cut = list({}).entries[0].etag;
  EXPECT_NE(cut, written);
  EXPECT_EQ(stat("f").etag, cut);
  EXPECT_EQ(get("f").value(), "abc34");
  write(f, 0, "x");
  EXPECT_NE(stat("f").etag, cut);
}

TEST_F(Cross, WhatWaitsInMemoryBringsNoOlderTimesBack) {
  const FileId f = create(root, "f").id;
  write(f, 0, "0123456789");
  std::int64_t last = must(fs().get_attributes(f)).mtime_ns;
  const auto expect_later = [&](const FileAttributes& now) {
    EXPECT_GT(now.mtime_ns, last);
    EXPECT_EQ(list({}).entries[0].mtime_ns, now.mtime_ns);
    last = now.mtime_ns;
  };
  expect_later(must(fs().allocate(f, 50, 50)));
  expect_later(set_size(f, 5));
  expect_later(set_size(f, 20));
  EXPECT_EQ(must(fs().commit(f)).mtime_ns, last);
  EXPECT_EQ(stat("f").mtime_ns, last);
}

TEST_F(Cross, RenamesByS3AreSeenByFileClients) {
  put("d/f", "1");
  const FileAttributes d = at("d"), f = at("d/f");
  must(ns->rename("b", "d/f", "d/g"));
  const FileAttributes g = at("d/g");
  EXPECT_EQ(g.id, f.id);
  EXPECT_EQ(g.mtime_ns, f.mtime_ns);
  EXPECT_GT(g.ctime_ns, f.ctime_ns);
  EXPECT_GT(g.change, f.change);
  const FileAttributes then = at("d");
  EXPECT_GT(then.change, d.change);
  must(ns->rename("b", "d/", "e/"));
  const FileAttributes e = at("e");
  EXPECT_EQ(e.id, d.id);
  EXPECT_EQ(e.mtime_ns, then.mtime_ns);
  EXPECT_GT(e.ctime_ns, then.ctime_ns);
  EXPECT_GT(e.change, then.change);
}

TEST_F(Cross, ACopyOntoAnotherNameOfAFileLeavesTheSourceAlone) {
  const std::string data(5000, 'x');
  put("a", data);
  const FileId a = at("a").id;
  must(fs().link(a, root, "b"));
  CopyRequest request{
      .source_bucket = "b",
      .source_key = "a",
      .source_conditions = {},
      .conditions = {},
      .replace = ObjectAttributes{.content_type = "new", .headers = {}, .user_meta = {}}};
  EXPECT_NE(must(ns->copy("b", "b", request)).ino, a.ino);
  EXPECT_EQ(stat("a").attributes.content_type, "");
  EXPECT_EQ(stat("b").attributes.content_type, "new");
  EXPECT_EQ(at("a").links, 1u);
  EXPECT_EQ(get("b").value(), data);
  expect_clean();
}

TEST_F(Cross, TagsStayWhileTheFileChangesAndMoves) {
  const StringPairs tags{{"team", "red"}, {"empty", ""}};
  const std::string etag = put("f", std::string(5000, 'x')).etag;
  const FileAttributes before = at("f");
  const ObjectInfo tagged = must(ns->set_tags("b", "f", tags, {}));
  EXPECT_EQ(tagged.attributes.tags, tags);
  EXPECT_EQ(tagged.etag, etag);
  EXPECT_EQ(tagged.mtime_ns, stat("f").mtime_ns);
  EXPECT_EQ(tagged.ino, before.id.ino);
  EXPECT_GT(at("f").change, before.change);
  EXPECT_EQ(at("f").mtime_ns, before.mtime_ns);
  write(at("f").id, 100, "yy");
  EXPECT_EQ(stat("f").attributes.tags, tags);
  must(ns->rename("b", "f", "d/g"));
  EXPECT_EQ(stat("d/g").attributes.tags, tags);
  must(ns->rename("b", "d/", "e/"));
  EXPECT_EQ(stat("e/g").attributes.tags, tags);
  EXPECT_EQ(get("e/g").value().size(), 5000u);
  CopyRequest copy{.source_bucket = "b",
                   .source_key = "e/g",
                   .source_conditions = {},
                   .conditions = {},
                   .replace = ObjectAttributes{}};
  EXPECT_EQ(must(ns->copy("b", "h", copy)).attributes.tags, tags);
  copy.tags = StringPairs{{"x", "y"}};
  EXPECT_EQ(must(ns->copy("b", "h", copy)).attributes.tags, *copy.tags);
  EXPECT_EQ(must(ns->set_tags("b", "h", {}, {})).attributes.tags, StringPairs{});
  EXPECT_EQ(code(run(ns->set_tags("b", "absent", {}, {}))), Errc::no_such_key);
  EXPECT_EQ(code(run(ns->set_tags("b", "e", {}, {}))), Errc::no_such_key);  // a directory
  // On the condition that they are still those that somebody has seen.
  must(ns->set_tags("b", "e/g", tags, tags));
  EXPECT_EQ(code(run(ns->set_tags("b", "e/g", {}, StringPairs{}))), Errc::conflict);
  EXPECT_EQ(code(run(ns->set_tags("b", "absent", {}, tags))), Errc::no_such_key);
  copy.source_tags = StringPairs{{"team", "blue"}};
  EXPECT_EQ(code(run(ns->copy("b", "h", copy))), Errc::conflict);
  EXPECT_EQ(code(run(ns->rename("b", "e/g", "e/h", copy.source_tags))), Errc::conflict);
  EXPECT_EQ(code(run(ns->rename("b", "e/g", "e/g", copy.source_tags))), Errc::conflict);
  EXPECT_EQ(code(run(ns->rename("b", "e/", "g/", tags))), Errc::invalid_argument);
  EXPECT_EQ(stat("e/g").attributes.tags, tags);
  EXPECT_EQ(stat("h").attributes.tags, StringPairs{});
  copy.source_tags = tags;
  EXPECT_EQ(must(ns->copy("b", "h2", copy)).attributes.tags, *copy.tags);
  must(ns->rename("b", "e/g", "e/h", tags));
  EXPECT_EQ(stat("e/h").attributes.tags, tags);
  Conditions seen;
  seen.tags = StringPairs{{"team", "blue"}};
  EXPECT_EQ(code(run(ns->remove("b", "e/h", seen))), Errc::conflict);
  EXPECT_EQ(stat("e/h").attributes.tags, tags);
  seen.tags = tags;
  EXPECT_TRUE(must(ns->remove("b", "e/h", seen)));
  EXPECT_FALSE(must(ns->remove("b", "e/h", seen)));
  EXPECT_EQ(code(run(ns->set_tags("c", "h", {}, {}))), Errc::no_such_bucket);
  expect_clean();
}

TEST_F(Cross, AnObjectThatAFileClientWroteToIsNoUploadsResultAnyMore) {
  const std::string id = must(ns->create_upload("b", "f", {}, {}, {})).upload_id;
  auto payload = must(ns->open_write("b", "f", 5));
  must(outcrop::test::write_all(*payload, "12345", 5));
  const PartInfo part =
      must(ns->put_part("b", "f", id, 1, std::move(payload), std::string(32, 'a'), {}));
  const CompleteRequest request{
      .parts = {{1, part.etag, {}}}, .conditions = {}, .object_size = {}, .checksum = {}};
  const ObjectInfo made = must(ns->complete_upload("b", "f", id, request));
  EXPECT_EQ(must(ns->complete_upload("b", "f", id, request)).etag, made.etag);
  write(at("f").id, 0, "x");  // not stored yet
  EXPECT_EQ(code(run(ns->complete_upload("b", "f", id, request))), Errc::no_such_upload);
}

TEST_F(Cross, AReaderGoesOnBehindTheLastOfSeveralNames) {
  const FileId f = create(root, "x").id;
  const FileId d = mkdir(root, "d").id;
  must(fs().link(f, d, "b"));
  create(d, "c");
  const DirectoryPage first = must(fs().read_directory(d, 0, 1, 1000));
  EXPECT_NE(first.entries[0].cookie, f.ino);
  EXPECT_TRUE(unlink(root, "x"));  // "b" is its only name now
  const DirectoryPage rest = must(fs().read_directory(d, first.entries[0].cookie, 5, 1000));
  ASSERT_EQ(rest.entries.size(), 1u);
  EXPECT_EQ(rest.entries[0].name, "c");
}

TEST_F(Cross, AnOrphanOfACrashThatIsOpenedAgainGoesWithThat) {
  const FileId f = create(root, "f").id;
  OpenHoldPtr open = must(fs().hold(f));
  EXPECT_TRUE(unlink(root, "f"));
  ns = make_namespace(meta, blobs, clock, random);
  must(ns->open());
  OpenHoldPtr reclaimed = must(fs().hold(f));
  must(fs().reap_orphans());
  EXPECT_FALSE(gone(f));
  reclaimed.reset();
  must(fs().flush_idle(0));
  EXPECT_TRUE(gone(f));
}

// A copy keeps the file's mtime beside S3's; what changes the file changes both.
TEST_F(Cross, TheSizeThatACopyHasMovesItsMtime) {
  put("f", "data");
  SetAttributes old;
  old.mtime_ns = 1'000'000'000;
  must(fs().set_attributes(at("f").id, old));
  CopyRequest copy;
  copy.source_bucket = "b";
  copy.source_key = "f";
  must(ns->copy("b", "g", copy));
  EXPECT_EQ(at("g").mtime_ns, 1'000'000'000);
  SetAttributes same;
  same.size = 4;
  must(fs().set_attributes(at("g").id, same));
  EXPECT_GT(at("g").mtime_ns, 1'000'000'000);
  EXPECT_EQ(at("g").mtime_ns, stat("g").mtime_ns);
}

}  // namespace
}  // namespace outcrop::ns
