// Names that go and move, and keys that a file system cannot name.
#include "tests/unit/storage/ns/fs_fixture.h"

namespace outcrop::ns {
namespace {

class FsNames : public test::FileTest {};

TEST_F(FsNames, RemoveSaysWhatWasRemoved) {
  const FileId f = create(root, "f").id;
  const FileId d = mkdir(root, "d").id;
  EXPECT_EQ(code(unlink(root, "none")), Errc::not_found);
  EXPECT_EQ(code(unlink(root, "d", RemoveKind::file)), Errc::is_directory);
  EXPECT_EQ(code(unlink(root, "f", RemoveKind::directory)), Errc::not_directory);
  const std::uint64_t before = change_of(root);
  const Removed removed = unlink(root, "f", RemoveKind::file).value();
  EXPECT_EQ(removed.id, f);
  EXPECT_EQ(removed.parent.before, before);
  EXPECT_EQ(removed.parent.after, change_of(root));
  EXPECT_TRUE(gone(f));
  EXPECT_EQ(code(get("f")), Errc::no_such_key);
  EXPECT_EQ(unlink(root, "d", RemoveKind::directory).value().id, d);
  EXPECT_TRUE(gone(d));
  EXPECT_EQ(code(run(fs().create(d, "x", {}))), Errc::stale);
  EXPECT_TRUE(ls(root).empty());
}

TEST_F(FsNames, RmdirTakesTheMarkerAndNothingElse) {
  put("d/");
  put("d/f");
  const FileId d = at("d").id;
  EXPECT_EQ(ls(d), (std::vector<std::string>{"f"}));
  EXPECT_EQ(code(unlink(root, "d")), Errc::not_empty);
  EXPECT_TRUE(unlink(d, "f"));
  EXPECT_EQ(get("d/").value(), "x");
  EXPECT_TRUE(unlink(root, "d"));
  EXPECT_TRUE(gone(d));
  EXPECT_EQ(code(get("d/")), Errc::no_such_key);
  EXPECT_EQ(get("d/").error().code(), Errc::no_such_key);
  put("d/x");  // the caches know that the directory is another one
  EXPECT_NE(at("d").id, d);
  EXPECT_EQ(get("d/x").value(), "x");

  put("e//");  // in "e" only what shows under an alias: still not empty
  EXPECT_EQ(code(unlink(root, "e")), Errc::not_empty);
  EXPECT_EQ(ls(at("e").id), (std::vector<std::string>{".s3~%2F"}));
}

TEST_F(FsNames, AFileThatIsRemovedByAClientLeavesItsDirectory) {
  put("d/e/f");
  const FileId e = at("d/e").id;
  EXPECT_TRUE(unlink(e, "f"));
  EXPECT_EQ(at("d/e").id, e);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(unlink(at("d").id, "e"));
  EXPECT_TRUE(unlink(root, "d"));
}

TEST_F(FsNames, KeysThatAreNoFileNamesShowUnderAliases) {
  const std::string longest(300, 'l');
  put("a", "file");
  put("a/b", "below");
  put("./dot", "1");
  put(".", "2");
  put("..", "3");
  put("//", "4");
  put(".s3~a", "5");
  put(longest, "6");
  put(longest + "/x", "7");
  EXPECT_EQ(at("a").type, FileType::directory);

  std::vector<std::string> shown = ls(root, 2);
  EXPECT_EQ(shown.size(), 9u);
  std::ranges::sort(shown);
  EXPECT_EQ(std::ranges::adjacent_find(shown), shown.end());
  for (const std::string& name : shown) {
    const FileAttributes a = must(fs().lookup(root, name));
    EXPECT_EQ(a.id.root, root.ino) << name;
  }
  const auto content = [&](const std::string& name) {
    const InodeId ino = must(fs().lookup(root, name)).id.ino;
    for (const auto& key : names()) {
      const ObjectInfo info = must(ns->stat("b", key));
      if (info.ino == ino) {
        return get(key).value();
      }
    }
    return std::string();
  };
  EXPECT_EQ(content(".s3~a"), "file");
  EXPECT_EQ(content(".s3~.s3~a"), "5");
  EXPECT_EQ(content(".s3~."), "2");
  EXPECT_EQ(content(".s3~.."), "3");
  EXPECT_EQ(content(alias_of(longest)), "6");
  EXPECT_EQ(ls(must(fs().lookup(root, alias_of("./"))).id), (std::vector<std::string>{"dot"}));
  EXPECT_EQ(ls(must(fs().lookup(root, alias_of(longest + "/"))).id),
            (std::vector<std::string>{"x"}));
  // One spelling each, and only of what needs it.
  for (const char* none : {".s3~b", ".s3~", ".s3~%61", ".s3~a%2F", ".s3~%2e"}) {
    EXPECT_EQ(code(find(root, none)), Errc::not_found) << none;
    EXPECT_EQ(code(unlink(root, none)), Errc::not_found) << none;
  }

  // Not made, but moved and removed.
  EXPECT_EQ(code(run(fs().create(root, ".s3~b", {}))), Errc::invalid_argument);
  EXPECT_EQ(code(move(root, "a", root, ".s3~b")), Errc::invalid_argument);
  EXPECT_EQ(code(move(root, ".s3~a", root, "a")), Errc::already_exists);
  EXPECT_TRUE(move(root, ".s3~a", root, "z"));
  EXPECT_EQ(get("z").value(), "file");
  EXPECT_EQ(get("a/b").value(), "below");
  EXPECT_TRUE(move(root, alias_of(longest), root, "y"));
  EXPECT_EQ(get("y").value(), "6");
  EXPECT_TRUE(move(root, alias_of("./"), root, "w"));
  EXPECT_EQ(get("w/dot").value(), "1");
  EXPECT_TRUE(unlink(root, ".s3~."));
  EXPECT_EQ(code(get(".")), Errc::no_such_key);
  const FileId slash = must(fs().lookup(root, ".s3~%2F")).id;
  EXPECT_EQ(ls(slash), (std::vector<std::string>{".s3~%2F"}));
  EXPECT_TRUE(unlink(slash, ".s3~%2F"));  // only its marker is in it
  EXPECT_TRUE(unlink(root, ".s3~%2F"));
  expect_clean();
}

TEST_F(FsNames, AliasesWithOneStartAreToldApart) {
  const std::string start(260, 's');
  put(start + "1", "1");
  put(start + "2", "2");
  put(start + "2/x", "3");
  EXPECT_EQ(ls(root).size(), 3u);
  EXPECT_NE(alias_of(start + "1"), alias_of(start + "2"));
  EXPECT_TRUE(move(root, alias_of(start + "2"), root, "two"));
  EXPECT_EQ(get("two").value(), "2");
  EXPECT_EQ(get(start + "1").value(), "1");
  EXPECT_EQ(get(start + "2/x").value(), "3");
}

TEST_F(FsNames, RenameFollowsPosix) {
  put("f", "f");
  put("g", "g");
  const FileId f = at("f").id;
  const FileId g = at("g").id;
  const FileId d = mkdir(root, "d").id;
  const Renamed moved = move(root, "f", d, "f2").value();
  EXPECT_LT(moved.from.before, moved.from.after);
  EXPECT_EQ(moved.from.after, change_of(root));
  EXPECT_EQ(moved.to.after, change_of(d));
  EXPECT_EQ(at("d/f2").id, f);
  EXPECT_EQ(get("d/f2").value(), "f");
  EXPECT_EQ(code(get("f")), Errc::no_such_key);
  EXPECT_TRUE(move(d, "f2", root, "g"));
  EXPECT_EQ(at("g").id, f);
  EXPECT_TRUE(gone(g));
  EXPECT_EQ(get("g").value(), "f");
  const Renamed same = move(root, "g", root, "g").value();
  EXPECT_EQ(same.from.before, same.from.after);
  must(fs().link(f, d, "h"));
  EXPECT_TRUE(move(root, "g", d, "h"));  // one inode: nothing happens
  EXPECT_EQ(names(), (std::vector<std::string>{"d/h", "g"}));

  EXPECT_EQ(code(move(root, "none", root, "x")), Errc::not_found);
  EXPECT_EQ(code(move(root, "g", root, "d")), Errc::already_exists);
  EXPECT_EQ(code(move(root, "d", root, "g")), Errc::already_exists);
  must(ns->create_bucket("c", ""));
  EXPECT_EQ(code(move(root, "g", must(fs().bucket_root("c")).id, "g")), Errc::cross_bucket);
  EXPECT_EQ(code(move(root, "g", root, std::string(256, 'x'))), Errc::name_too_long);
  must(fs().make_symlink(root, "l", "t", {}));
  EXPECT_TRUE(move(root, "l", root, "l2"));
  EXPECT_TRUE(move(root, "l2", root, "g"));
  EXPECT_EQ(at("g").type, FileType::symlink);
  EXPECT_EQ(at("d/h").links, 1u);
}

TEST_F(FsNames, DirectoriesMoveWithEverythingBelow) {
  put("a/b/c", "c");
  put("a/b/d/e", "e");
  EXPECT_EQ(get("a/b/d/e").value(), "e");
  const FileId a = at("a").id;
  const FileId b = at("a/b").id;
  const FileId t = mkdir(root, "t").id;
  ASSERT_TRUE(move(a, "b", t, "b2"));
  EXPECT_EQ(at("t/b2").id, b);
  EXPECT_EQ(get("t/b2/d/e").value(), "e");
  EXPECT_EQ(code(get("a/b/c")), Errc::no_such_key);
  EXPECT_EQ(must(fs().parent(b)).id, t);
  EXPECT_EQ(at("a").id, a);  // empty, and stays
  expect_clean();

  EXPECT_EQ(code(move(root, "t", b, "x")), Errc::invalid_argument);
  EXPECT_EQ(code(move(root, "t", t, "x")), Errc::invalid_argument);
  EXPECT_EQ(code(move(root, "a", root, "t")), Errc::not_empty);
  put("a/", "marker");
  ASSERT_TRUE(move(t, "b2", root, "a"));  // over a directory with only its marker
  EXPECT_TRUE(gone(a));
  EXPECT_EQ(names(), (std::vector<std::string>{"a/c", "a/d/e"}));
  const Renamed same = move(root, "a", root, "a").value();
  EXPECT_EQ(same.to.before, same.to.after);
  EXPECT_TRUE(remove("a/c").value());
  EXPECT_TRUE(remove("a/d/e").value());
  EXPECT_EQ(at("a").id, b);
}

TEST_F(FsNames, PathsThatGrewTooLongForKeysAreJustNotKeys) {
  const std::string part(250, 'p');
  FileId at_end = root;
  for (int i = 0; i < 4; ++i) {
    at_end = mkdir(at_end, part).id;
  }
  create(at_end, "short");
  create(at_end, std::string(100, 'f'));
  const std::string path = part + "/" + part + "/" + part + "/" + part + "/";
  EXPECT_EQ(names(), (std::vector<std::string>{path + "short"}));
  EXPECT_EQ(code(run(ns->stat("b", path + std::string(100, 'f')))), Errc::no_such_key);
  EXPECT_EQ(code(run(ns->delete_bucket("b"))), Errc::bucket_not_empty);
  EXPECT_TRUE(unlink(at_end, "short"));
  EXPECT_EQ(code(run(ns->delete_bucket("b"))), Errc::bucket_not_empty);
  EXPECT_EQ(ls(at_end), (std::vector<std::string>{std::string(100, 'f')}));
}

}  // namespace
}  // namespace outcrop::ns
