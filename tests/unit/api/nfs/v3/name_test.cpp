// LOOKUP, REMOVE, RMDIR, RENAME, LINK.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

class Name : public Nfs3Test {
 protected:
  Status rename(std::string_view from,
                std::string_view to,
                ns::FileId from_dir,
                ns::FileId to_dir) {
    const Args args = Args().fh(handle(from_dir)).text(from).fh(handle(to_dir)).text(to);
    last = call(kRename, args);
    from_wcc = read_wcc(last.in);
    to_wcc = read_wcc(last.in);
    EXPECT_TRUE(last.in.done());
    return last.nfs();
  }
  Status rename(std::string_view from, std::string_view to) {
    return rename(from, to, {root, root}, {root, root});
  }
  Status link(ns::FileId file, std::string_view name) {
    last = call(kLink, Args().fh(handle(file)).fh(root_handle()).text(name));
    return last.nfs();
  }
  bool there(std::string_view name) {
    return run_on(io, files.lookup({root, root}, name)).has_value();
  }
  void root_is(std::uint32_t bits, std::uint32_t uid = 1000) {
    ns::SetAttributes set = mode(bits);
    set.uid = set.gid = uid;
    must(files.set_attributes({root, root}, set));
  }
  Reply last;
  WccData from_wcc, to_wcc;
};

TEST_F(Name, Lookup) {
  const ns::FileId file = make_file("f", "abc");
  Reply reply = call(kLookup, Args().fh(root_handle()).text("f"));
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_EQ(reply.in.string(64), handle(file));
  EXPECT_EQ(read_post_op(reply.in)->size, 3U);
  EXPECT_EQ(read_post_op(reply.in)->fileid, root);
  EXPECT_TRUE(reply.in.done());
  Reply absent = call(kLookup, Args().fh(root_handle()).text("g"));
  EXPECT_EQ(absent.nfs(), Status::noent);
  EXPECT_EQ(read_post_op(absent.in)->fileid, root);
  EXPECT_TRUE(absent.in.done());
}

TEST_F(Name, LookupOfDots) {
  const ns::FileId d = make_directory("d");
  const ns::FileId e = make_directory("e", 1000, 0755, d.ino);
  const auto go = [&](ns::FileId from, std::string_view name) {
    Reply reply = call(kLookup, Args().fh(handle(from)).text(name));
    EXPECT_EQ(reply.nfs(), Status::ok);
    return std::string(reply.in.string(64));
  };
  EXPECT_EQ(go(e, "."), handle(e));
  EXPECT_EQ(go(e, ".."), handle(d));
  EXPECT_EQ(go(d, ".."), root_handle());
  EXPECT_EQ(go({root, root}, ".."), root_handle()) << "the bucket is where it ends";
}

TEST_F(Name, LookupRefusals) {
  EXPECT_EQ(on_name(kLookup, ""), Status::acces);
  EXPECT_EQ(on_name(kLookup, "a/b"), Status::acces);
  EXPECT_EQ(on_name(kLookup, std::string(256, 'x')), Status::nametoolong);
  EXPECT_EQ(on_name(kLookup, std::string(255, 'x')), Status::noent);
  const ns::FileId file = make_file("f");
  Reply reply = call(kLookup, Args().fh(handle(file)).text("x"));
  EXPECT_EQ(reply.nfs(), Status::notdir);
  EXPECT_EQ(read_post_op(reply.in)->fileid, file.ino);
  root_is(0600);
  EXPECT_EQ(on_name(kLookup, "f"), Status::acces);
}

TEST_F(Name, Remove) {
  make_file("f");
  make_directory("d");
  Reply reply = call(kRemove, Args().fh(root_handle()).text("f"));
  EXPECT_EQ(reply.nfs(), Status::ok);
  const WccData wcc = read_wcc(reply.in);
  EXPECT_TRUE(wcc.before && wcc.after);
  EXPECT_TRUE(reply.in.done());
  EXPECT_FALSE(there("f"));
  EXPECT_EQ(on_name(kRemove, "f"), Status::noent);
  EXPECT_EQ(on_name(kRemove, "d"), Status::isdir);
  EXPECT_EQ(on_name(kRemove, "."), Status::inval);
  EXPECT_EQ(on_name(kRemove, ".."), Status::inval);
  EXPECT_EQ(on_name(kRemove, ""), Status::acces);
}

TEST_F(Name, Rmdir) {
  make_file("f");
  const ns::FileId d = make_directory("d");
  make_directory("e", 1000, 0755, d.ino);
  EXPECT_EQ(on_name(kRmdir, "d"), Status::notempty);
  EXPECT_EQ(on_name(kRmdir, "f"), Status::notdir);
  EXPECT_EQ(on_name(kRmdir, "."), Status::inval);
  EXPECT_EQ(on_name(kRmdir, ".."), Status::exist);
  must(files.remove(d, "e", ns::RemoveKind::directory));
  EXPECT_EQ(on_name(kRmdir, "d"), Status::ok);
  EXPECT_FALSE(there("d"));
  Reply gone = call(kGetattr, Args().fh(handle(d)));
  EXPECT_EQ(gone.nfs(), Status::stale);
}

TEST_F(Name, WhoMayRemove) {
  make_file("theirs", {}, 5, 0000);
  make_file("mine");
  root_is(01777, 5);
  EXPECT_EQ(on_name(kRemove, "theirs"), Status::acces) << "sticky";
  EXPECT_EQ(on_name(kRemove, "mine"), Status::ok);
  EXPECT_EQ(on_name(kRemove, "absent"), Status::noent);
  root_is(0777, 5);
  EXPECT_EQ(on_name(kRemove, "theirs"), Status::ok) << "the file's own mode does not matter";
  make_file("more");
  for (const std::uint32_t bits : {0755U, 0776U}) {
    root_is(bits, 5);
    EXPECT_EQ(on_name(kRemove, "more"), Status::acces) << std::oct << bits;
  }
}

TEST_F(Name, Rename) {
  const ns::FileId a = make_file("a");
  const ns::FileId d = make_directory("d");
  EXPECT_EQ(rename("a", "b"), Status::ok);
  EXPECT_TRUE(from_wcc.before && to_wcc.before);
  EXPECT_EQ(rename("b", "c", {root, root}, d), Status::ok);
  EXPECT_TRUE(from_wcc.before && to_wcc.before);
  EXPECT_EQ(from_wcc.after->fileid, root);
  EXPECT_EQ(to_wcc.after->fileid, d.ino);
  EXPECT_EQ(must(files.lookup(d, "c")).id, a);
  make_file("x", "new");
  make_file("y", "old");
  EXPECT_EQ(rename("x", "y"), Status::ok);
  EXPECT_EQ(content(must(files.lookup({root, root}, "y")).id), "new");
}

TEST_F(Name, RenameRefusals) {
  make_file("f");
  const ns::FileId d = make_directory("d");
  make_directory("sub", 1000, 0755, d.ino);
  make_directory("e");
  EXPECT_EQ(rename("absent", "x"), Status::noent);
  EXPECT_TRUE(from_wcc.after && to_wcc.after && !from_wcc.before);
  EXPECT_EQ(rename("f", "d"), Status::exist);
  EXPECT_EQ(rename("d", "f"), Status::exist);
  EXPECT_EQ(rename("e", "d"), Status::notempty);
  EXPECT_EQ(rename("d", "below", {root, root}, d), Status::inval);
  for (const char* dot : {".", ".."}) {
    EXPECT_EQ(rename(dot, "x"), Status::inval);
    EXPECT_EQ(rename("f", dot), Status::inval);
  }
  EXPECT_EQ(rename("f", ""), Status::acces);
  EXPECT_EQ(rename("f", std::string(256, 'x')), Status::nametoolong);
  EXPECT_EQ(rename("f", ".s3~x"), Status::inval);
  EXPECT_EQ(rename("f", "x", {root, root}, must(files.lookup({root, root}, "f")).id),
            Status::notdir);
}

TEST_F(Name, WhoMayRename) {
  const ns::FileId d = make_directory("d");
  make_directory("theirs", 5, 0755);
  make_file("file of theirs", {}, 5, 0644);
  EXPECT_EQ(rename("theirs", "x", {root, root}, d), Status::acces) << "its .. changes";
  EXPECT_EQ(rename("theirs", "still theirs"), Status::ok);
  EXPECT_EQ(rename("file of theirs", "x", {root, root}, d), Status::ok);
  const ns::FileId sticky = make_directory("sticky", 5, 01777);
  must(files.create(sticky, "old", {}));
  make_file("mine");
  EXPECT_EQ(rename("mine", "old", {root, root}, sticky), Status::acces) << "replaces another's";
  EXPECT_EQ(rename("mine", "new", {root, root}, sticky), Status::ok);
  EXPECT_EQ(rename("old", "x", sticky, {root, root}), Status::acces);
  EXPECT_EQ(rename("new", "x", sticky, {root, root}), Status::ok);
  const ns::FileId closed = make_directory("closed", 5, 0755);
  EXPECT_EQ(rename("x", "x", {root, root}, closed), Status::acces);
}

TEST_F(Name, Link) {
  const ns::FileId file = make_file("f");
  ASSERT_EQ(link(file, "g"), Status::ok);
  EXPECT_EQ(read_post_op(last.in)->links, 2U);
  const WccData wcc = read_wcc(last.in);
  EXPECT_TRUE(wcc.before && wcc.after);
  EXPECT_TRUE(last.in.done());
  EXPECT_EQ(lookup("g"), handle(file));
  EXPECT_EQ(link(file, "g"), Status::exist);
  EXPECT_EQ(read_post_op(last.in)->links, 2U);
  EXPECT_EQ(link(file, "."), Status::exist);
  EXPECT_EQ(link(file, ""), Status::acces);
  EXPECT_EQ(link(make_directory("d"), "x"), Status::isdir);
  files.fail_next("link", Errc::too_many_links);
  EXPECT_EQ(link(file, "h"), Status::mlink);
  root_is(0555);
  EXPECT_EQ(link(file, "h"), Status::acces);
}

TEST_F(Name, BetweenBucketsAndExports) {
  const InodeId other = files.add_bucket("other");
  const ExportPtr second = add_export("/other", "other");
  const ExportPtr same = add_export("/same", "b");
  ns::SetAttributes open_to_all = mode(0777);
  must(files.set_attributes({other, other}, open_to_all));
  const ns::FileId file = make_file("f");
  for (const std::string& there :
       {handle({other, other}, second->id), handle({root, root}, same->id)}) {
    EXPECT_EQ(call(kRename, Args().fh(root_handle()).text("f").fh(there).text("f")).nfs(),
              Status::xdev);
    EXPECT_EQ(call(kLink, Args().fh(handle(file)).fh(there).text("f")).nfs(), Status::xdev);
  }
}

TEST_F(Name, BothHandlesOfRenameAreChecked) {
  make_file("f");
  std::string forged = root_handle();
  forged.back() ^= 1;
  const Args from = Args().fh(forged).text("f").fh(root_handle()).text("g");
  Reply reply = call(kRename, from);
  EXPECT_EQ(reply.nfs(), Status::badhandle);
  EXPECT_FALSE(read_wcc(reply.in).after);
  EXPECT_TRUE(read_wcc(reply.in).after);
  const Args to = Args().fh(root_handle()).text("f").fh(forged).text("g");
  EXPECT_EQ(call(kRename, to).nfs(), Status::badhandle);
  EXPECT_TRUE(there("f"));
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
