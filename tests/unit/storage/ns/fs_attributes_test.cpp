// Attributes, change attributes and times, extended attributes, open files.
#include "tests/unit/storage/ns/fs_fixture.h"

namespace outcrop::ns {
namespace {

class FsAttributes : public test::FileTest {};

TEST_F(FsAttributes, WhatS3MadeHasDefaults) {
  put("d/f", "12345");
  const FileAttributes f = at("d/f");
  EXPECT_EQ(f.mode, 0644u);
  EXPECT_EQ(f.uid, kNoOwner);
  EXPECT_EQ(f.links, 1u);
  EXPECT_EQ(f.size, 5u);
  EXPECT_EQ(f.used, 5u);
  EXPECT_EQ(f.mtime_ns, must(ns->stat("b", "d/f")).mtime_ns);
  EXPECT_EQ(f.ctime_ns, f.mtime_ns);
  EXPECT_EQ(at("d").mode, 0755u);
}

TEST_F(FsAttributes, FieldsOfAPutAreWhatFileClientsSee) {
  PutRequest request{.attributes = {}, .etag = "e", .checksum = {}, .conditions = {}};
  request.file = {.mode = 04750, .uid = 1000, .gid = {}, .mtime_ns = -5};
  put("f", "data", request);
  EXPECT_EQ(at("f").mode, 0750u);  // no set-id by S3
  EXPECT_EQ(at("f").uid, 1000u);
  EXPECT_EQ(at("f").gid, kNoOwner);
  EXPECT_EQ(at("f").mtime_ns, -5);
  // Last-Modified stays when it was stored, or an overwrite with an old file were never noticed.
  ObjectInfo info = must(ns->stat("b", "f"));
  EXPECT_GT(info.mtime_ns, 0);
  EXPECT_EQ(list({}).entries[0].mtime_ns, info.mtime_ns);
  const FileFields want{.mode = 0750, .uid = 1000, .gid = {}, .mtime_ns = -5};
  EXPECT_EQ(info.file, want);
  // A change of the bytes ends the mtime that was given, a change of the mode does not.
  SetAttributes set;
  set.mode = 0600;
  must(fs().set_attributes(at("f").id, set));
  EXPECT_EQ(at("f").mtime_ns, -5);
  EXPECT_EQ(must(ns->stat("b", "f")).file->mode, 0600u);
  must(fs().write(at("f").id, 0, {Buffer::copy_of(as_bytes("DATA"))}, true));
  EXPECT_GT(at("f").mtime_ns, 0);
  EXPECT_EQ(at("f").mode, 0600u);
  // One without is as ever.
  put("f", "data");
  EXPECT_FALSE(must(ns->stat("b", "f")).file);
  EXPECT_EQ(at("f").mode, 0644u);
}

TEST_F(FsAttributes, FieldsOfACopyReplaceOrFollow) {
  PutRequest request{.attributes = {}, .etag = "e", .checksum = {}, .conditions = {}};
  request.file.mode = 0600;
  request.file.mtime_ns = 7;
  put("f", "data", request);
  CopyRequest copy{.source_bucket = "b",
                   .source_key = "f",
                   .source_conditions = {},
                   .conditions = {},
                   .replace = ObjectAttributes{}};
  copy.file.gid = 9;
  must(ns->copy("b", "g", copy));
  EXPECT_EQ(at("g").mode, 0644u);
  EXPECT_EQ(at("g").gid, 9u);
  const FileId before = at("f").id;
  must(ns->copy("b", "f", copy));  // in place: the same file
  EXPECT_EQ(at("f").id, before);
  EXPECT_EQ(at("f").mode, 0600u);
  EXPECT_EQ(at("f").gid, 9u);
  EXPECT_NE(at("f").mtime_ns, 7);
  copy.replace.reset();
  must(ns->copy("b", "h", copy));
  EXPECT_EQ(at("h").mode, 0600u);
}

TEST_F(FsAttributes, ACopyKeepsSetIdOnlyInPlace) {
  put("f", "data");
  SetAttributes set;
  set.mode = 04755;
  must(fs().set_attributes(at("f").id, set));
  CopyRequest copy{.source_bucket = "b",
                   .source_key = "f",
                   .source_conditions = {},
                   .conditions = {},
                   .replace = ObjectAttributes{}};
  copy.file.uid = 7;
  must(ns->copy("b", "f", copy));
  EXPECT_EQ(at("f").mode, 04755u);
  copy.replace.reset();
  must(ns->copy("b", "f", copy));
  EXPECT_EQ(at("f").mode, 04755u);
  must(ns->copy("b", "g", copy));
  EXPECT_EQ(at("g").mode, 0755u);
}

TEST_F(FsAttributes, FieldsOfAnUpload) {
  const auto upload = must(ns->create_upload("b", "m", {}, {}, {}));
  auto writer = must(ns->open_write("b", "m", 4));
  const MutBytes room = must(writer->buffer());
  std::ranges::copy(as_bytes("data"), room.begin());
  must(writer->advance(4));
  must(ns->put_part("b", "m", upload.upload_id, 1, std::move(writer), std::string(32, 'a'), {}));
  CompleteRequest complete;
  complete.parts = {{.number = 1, .etag = std::string(32, 'a'), .checksum = {}}};
  complete.file.uid = 12;
  must(ns->complete_upload("b", "m", upload.upload_id, complete));
  EXPECT_EQ(at("m").uid, 12u);
}

TEST_F(FsAttributes, SetChangesWhatIsGivenAndMovesTheChange) {
  put("f", "data",
      {.attributes = {.content_type = "t", .headers = {}, .user_meta = {}},
       .etag = "e",
       .checksum = {},
       .conditions = {}});
  const FileAttributes before = at("f");
  SetAttributes set;
  set.mode = 0107777;
  set.gid = 5;
  set.atime_ns = 7;
  const FileAttributes after = must(fs().set_attributes(before.id, set));
  EXPECT_EQ(after.mode, 07777u);
  EXPECT_EQ(after.gid, 5u);
  EXPECT_EQ(after.uid, kNoOwner);
  EXPECT_EQ(after.atime_ns, 7);
  EXPECT_EQ(after.mtime_ns, before.mtime_ns);
  EXPECT_GT(after.ctime_ns, before.ctime_ns);
  EXPECT_GT(after.change, before.change);
  EXPECT_EQ(after.btime_ns, before.btime_ns);
  EXPECT_EQ(must(ns->stat("b", "f")).etag, "e");
  EXPECT_EQ(get("f").value(), "data");

  set = {};
  set.mtime_ns = 1'000'000'000;
  must(fs().set_attributes(before.id, set, after.ctime_ns));
  EXPECT_EQ(must(ns->stat("b", "f")).mtime_ns, 1'000'000'000);
  EXPECT_EQ(list({}).entries[0].mtime_ns, 1'000'000'000);
  EXPECT_EQ(code(run(fs().set_attributes(before.id, set, after.ctime_ns))),
            Errc::precondition_failed);
  const std::uint64_t change = change_of(before.id);
  must(fs().set_attributes(before.id, {}));
  EXPECT_EQ(change_of(before.id), change);

  // A copy by S3 is an object of its own, with the owner and permissions that metadata carries.
  must(ns->copy("b", "g",
                {.source_bucket = "b",
                 .source_key = "f",
                 .source_conditions = {},
                 .conditions = {},
                 .replace = {}}));
  EXPECT_EQ(at("g").mode, 0777u);
  EXPECT_EQ(at("g").gid, 5u);
  EXPECT_EQ(at("g").mtime_ns, 1'000'000'000);
  EXPECT_NE(must(ns->stat("b", "g")).mtime_ns, 1'000'000'000);
  // In place it changes attributes only, and is seen.
  must(ns->copy(
      "b", "f",
      {.source_bucket = "b",
       .source_key = "f",
       .source_conditions = {},
       .conditions = {},
       .replace = ObjectAttributes{.content_type = "new", .headers = {}, .user_meta = {}}}));
  EXPECT_EQ(at("f").id, before.id);
  EXPECT_EQ(at("f").mode, 07777u);
  EXPECT_GT(at("f").change, change);

  EXPECT_EQ(
      code(run(fs().set_attributes(
          root, {.mode = {}, .uid = {}, .gid = {}, .size = 0, .atime_ns = {}, .mtime_ns = {}}))),
      Errc::is_directory);
}

TEST_F(FsAttributes, EveryChangeOfADirectoryMovesItsChangeAndCtime) {
  const FileId d = mkdir(root, "d").id;
  FileAttributes last = must(fs().get_attributes(d));
  const auto moved = [&](const char* what) {
    const FileAttributes now = must(fs().get_attributes(d));
    EXPECT_GT(now.change, last.change) << what;
    EXPECT_GT(now.ctime_ns, last.ctime_ns) << what;
    EXPECT_GT(now.mtime_ns, last.mtime_ns) << what;
    last = now;
  };
  const auto still = [&](const char* what) {
    EXPECT_EQ(must(fs().get_attributes(d)).change, last.change) << what;
  };
  put("d/f");
  moved("put");
  put("d/f");
  moved("put over");
  put("d/s/g");
  moved("implicit directory");
  put("d/s/h");
  still("below");
  must(ns->copy("b", "d/c",
                {.source_bucket = "b",
                 .source_key = "d/f",
                 .source_conditions = {},
                 .conditions = {},
                 .replace = {}}));
  moved("copy");
  must(ns->rename("b", "d/c", "d/e"));
  moved("rename within");
  must(ns->rename("b", "d/e", "e"));
  moved("rename away");
  EXPECT_TRUE(remove("d/s/g").value());
  still("below");
  EXPECT_TRUE(remove("d/s/h").value());
  moved("implicit directory pruned");
  EXPECT_TRUE(remove("d/f").value());
  moved("delete");
}

TEST_F(FsAttributes, DirectoryTimesAreWrittenBackAndSurviveARestart) {
  const FileId d = mkdir(root, "d").id;
  put("d/f");
  put("i/f");
  const FileId i = at("i").id;
  const FileAttributes before = must(fs().get_attributes(d));
  const FileAttributes implicit = must(fs().get_attributes(i));
  const std::uint64_t boot = fs().boot_id();
  must(fs().flush_idle(INT64_MAX));
  const auto commits = meta.commits();
  must(fs().flush_idle(INT64_MAX));
  EXPECT_EQ(meta.commits(), commits);  // nothing is left to write
  EXPECT_EQ(must(fs().get_attributes(d)).change, before.change);

  ns = make_namespace(meta, blobs, clock, random);
  must(ns->open());
  const FileAttributes after = must(fs().get_attributes(d));
  EXPECT_EQ(after.mtime_ns, before.mtime_ns);
  EXPECT_EQ(must(fs().get_attributes(i)).mtime_ns, implicit.mtime_ns);
  EXPECT_GT(after.change, before.change);
  EXPECT_GT(after.ctime_ns, before.ctime_ns);
  EXPECT_NE(fs().boot_id(), boot);
  EXPECT_EQ(code(run(fs().get_attributes({root.root + 7, d.ino}))), Errc::stale);

  SetAttributes set;
  set.mtime_ns = 12;
  EXPECT_EQ(must(fs().set_attributes(d, set)).mtime_ns, 12);
  EXPECT_EQ(must(fs().get_attributes(d)).mtime_ns, 12);
}

TEST_F(FsAttributes, ExtendedAttributes) {
  put("f", "data");
  const FileId f = at("f").id;
  const FileId d = mkdir(root, "d").id;
  using Mode = FileSystem::XattrMode;
  for (const FileId id : {f, d}) {
    EXPECT_EQ(code(run(fs().get_xattr(id, "user.a"))), Errc::no_xattr);
    EXPECT_EQ(code(run(fs().remove_xattr(id, "user.a"))), Errc::no_xattr);
    EXPECT_EQ(code(run(fs().set_xattr(id, "user.a", "1", Mode::replace))), Errc::no_xattr);
    const std::uint64_t change = change_of(id);
    const FileAttributes set = must(fs().set_xattr(id, "user.a", "1", Mode::create));
    EXPECT_GT(change_of(id), change);
    EXPECT_EQ(set.id, id);
    EXPECT_EQ(code(run(fs().set_xattr(id, "user.a", "2", Mode::create))), Errc::already_exists);
    must(fs().set_xattr(id, "user.a", std::string("\0\n", 2), Mode::replace));
    must(fs().set_xattr(id, "user.empty", "", Mode::either));
    EXPECT_EQ(must(fs().get_xattr(id, "user.a")), std::string("\0\n", 2));
    EXPECT_EQ(must(fs().get_xattr(id, "user.empty")), "");
    EXPECT_EQ(must(fs().list_xattrs(id)), (std::vector<std::string>{"user.a", "user.empty"}));
    must(fs().remove_xattr(id, "user.empty"));
    expect_clean();
    for (const char* bad : {"a", "user.", "trusted.a", "system.x", "user.s3.", "user.s3.x",
                            "user.s3.meta.", "user.s3.meta.A", "user.s3.meta.a b"}) {
      EXPECT_EQ(code(run(fs().set_xattr(id, bad, "v", Mode::either))), Errc::invalid_argument)
          << bad;
    }
    EXPECT_EQ(code(run(fs().set_xattr(id, "user." + std::string(251, 'n'), "v", Mode::either))),
              Errc::name_too_long);
  }
  must(fs().link(f, root, "g"));
  EXPECT_EQ(must(fs().list_xattrs(f)), (std::vector<std::string>{"user.a"}));
  EXPECT_TRUE(unlink(root, "g"));

  const std::string most(kMaxXattrBytes - 2 * std::string("user.a").size() - 2, 'm');
  must(fs().set_xattr(f, "user.b", most, Mode::either));
  EXPECT_EQ(code(run(fs().set_xattr(f, "user.b", most + "m", Mode::either))), Errc::no_space);
  EXPECT_EQ(code(run(fs().set_xattr(f, "user.c", std::string(kMaxXattrValueBytes + 1, 'x'),
                                    Mode::either))),
            Errc::entity_too_large);
  EXPECT_EQ(get("f").value(), "data");
  EXPECT_TRUE(remove("f").value());  // with them
  EXPECT_TRUE(unlink(root, "d"));
  for (const auto& [key, value] : meta.dump()) {
    EXPECT_NE(key[0], 'a');
  }
}

TEST_F(FsAttributes, S3MetadataIsExtendedAttributes) {
  put("f", "data",
      {.attributes = {.content_type = "text/x", .headers = {}, .user_meta = {{"k", "v"}}},
       .etag = "e",
       .checksum = {},
       .conditions = {}});
  const FileId f = at("f").id;
  using Mode = FileSystem::XattrMode;
  EXPECT_EQ(must(fs().list_xattrs(f)),
            (std::vector<std::string>{"user.s3.content-type", "user.s3.meta.k"}));
  EXPECT_EQ(must(fs().get_xattr(f, "user.s3.meta.k")), "v");
  EXPECT_EQ(must(fs().get_xattr(f, "user.s3.content-type")), "text/x");
  must(fs().set_xattr(f, "user.s3.meta.k", "w", Mode::replace));
  must(fs().set_xattr(f, "user.s3.meta.n", "new", Mode::create));
  must(fs().set_xattr(f, "user.s3.content-type", "a/b", Mode::either));
  const ObjectInfo info = must(ns->stat("b", "f"));
  EXPECT_EQ(info.attributes.content_type, "a/b");
  EXPECT_EQ(info.attributes.user_meta, (StringPairs{{"k", "w"}, {"n", "new"}}));
  EXPECT_EQ(info.etag, "e");
  for (const char* bad : {"a\r\nb", "\x7f", "\x01"}) {
    EXPECT_EQ(code(run(fs().set_xattr(f, "user.s3.meta.k", bad, Mode::either))),
              Errc::invalid_argument);
  }
  EXPECT_EQ(code(run(fs().set_xattr(f, "user.s3.meta.k", std::string(2048, 'v'), Mode::either))),
            Errc::entity_too_large);
  must(fs().remove_xattr(f, "user.s3.meta.n"));
  must(fs().remove_xattr(f, "user.s3.content-type"));
  EXPECT_EQ(code(run(fs().remove_xattr(f, "user.s3.content-type"))), Errc::no_xattr);
  EXPECT_EQ(must(ns->stat("b", "f")).attributes.content_type, "");
  EXPECT_EQ(must(fs().list_xattrs(f)), (std::vector<std::string>{"user.s3.meta.k"}));
  const FileId d = mkdir(root, "d").id;
  EXPECT_EQ(code(run(fs().set_xattr(d, "user.s3.meta.k", "v", Mode::either))),
            Errc::invalid_argument);
}

TEST_F(FsAttributes, AnOpenFileOutlivesItsName) {
  put("f", "old");
  put("g", "gone");
  const FileId f = at("f").id;
  const FileId g = at("g").id;
  OpenHoldPtr one = must(fs().hold(f));
  OpenHoldPtr two = must(fs().hold(f));
  const OpenHoldPtr other = must(fs().hold(g));
  put("f", "new");
  EXPECT_TRUE(remove("g").value());
  expect_clean();
  EXPECT_EQ(get("f").value(), "new");
  EXPECT_EQ(must(fs().get_attributes(f)).links, 0u);
  EXPECT_EQ(must(fs().get_attributes(f)).size, 3u);
  EXPECT_EQ(code(run(fs().link(f, root, "again"))), Errc::stale);
  must(fs().reap_orphans());  // held ones stay
  one.reset();
  must(fs().flush_idle(INT64_MAX));
  EXPECT_FALSE(gone(f));
  two.reset();
  must(fs().flush_idle(INT64_MAX));
  EXPECT_TRUE(gone(f));
  EXPECT_FALSE(gone(g));
  EXPECT_EQ(code(run(fs().hold(f))), Errc::stale);
}

TEST_F(FsAttributes, OrphansOfACrashAreReaped) {
  put("d/f", std::string(5000, 'x'));
  const FileId f = at("d/f").id;
  const OpenHoldPtr open = must(fs().hold(f));
  EXPECT_TRUE(unlink(at("d").id, "f"));
  ns = make_namespace(meta, blobs, clock, random);
  must(ns->open());
  expect_clean();
  const OpenHoldPtr reclaimed = must(fs().hold(f));  // in the grace period
  must(fs().reap_orphans());
  EXPECT_EQ(must(fs().get_attributes(f)).links, 0u);
  ns = make_namespace(meta, blobs, clock, random);
  must(ns->open());
  must(fs().reap_orphans());
  EXPECT_TRUE(gone(f));
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0u);
}

TEST_F(FsAttributes, SpaceIsWhatTheEngineSays) {
  NamespaceConfig config;
  config.space = [] {
    return FileSystemSpace{.total_bytes = 9, .free_bytes = 4, .files = 2, .free_files = 1};
  };
  ns = make_namespace(meta, blobs, clock, random, config);
  must(ns->open());
  const FileSystemSpace space = must(fs().space(root.root));
  EXPECT_EQ(space.total_bytes, 9u);
  EXPECT_EQ(space.free_bytes, 4u);
}

}  // namespace
}  // namespace outcrop::ns
