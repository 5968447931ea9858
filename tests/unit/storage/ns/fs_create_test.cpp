// Files, directories, symlinks and further names: made, found, and seen by S3.
#include "tests/unit/storage/ns/fs_fixture.h"

namespace outcrop::ns {
namespace {

class FsCreate : public test::FileTest {};

TEST_F(FsCreate, AFileIsAnObjectAtOnce) {
  CreateRequest request;
  request.attributes.mode = 04640;
  request.attributes.uid = 1000;
  request.attributes.size = 5;
  const Created created = must(fs().create(root, "f", request));
  EXPECT_TRUE(created.made);
  EXPECT_LT(created.parent.before, created.parent.after);
  const FileAttributes& a = created.attributes;
  EXPECT_EQ(a.type, FileType::regular);
  EXPECT_EQ(a.mode, 04640u);
  EXPECT_EQ(a.uid, 1000u);
  EXPECT_EQ(a.gid, kNoOwner);
  EXPECT_EQ(a.links, 1u);
  EXPECT_EQ(a.size, 5u);
  EXPECT_EQ(a.used, 0u);
  EXPECT_EQ(a.mtime_ns, a.ctime_ns);
  EXPECT_EQ(get("f").value(), std::string(5, '\0'));
  const ObjectInfo info = must(ns->stat("b", "f"));
  EXPECT_EQ(info.ino, a.id.ino);
  EXPECT_TRUE(info.etag.ends_with("-0"));
  EXPECT_EQ(names(), (std::vector<std::string>{"f"}));
  EXPECT_EQ(must(fs().lookup(root, "f")).change, a.change);
}

TEST_F(FsCreate, ModesOfCreation) {
  const FileAttributes first = create(root, "f");
  EXPECT_EQ(code(run(fs().create(root, "f", {.how = CreateMode::guarded, .attributes = {}}))),
            Errc::already_exists);
  const Created again = must(fs().create(root, "f", {}));
  EXPECT_FALSE(again.made);
  EXPECT_EQ(again.attributes.id, first.id);
  EXPECT_EQ(again.parent.before, again.parent.after);
  EXPECT_EQ(again.parent.after, change_of(root));

  const CreateRequest exclusive{.how = CreateMode::exclusive, .verifier = 0, .attributes = {}};
  EXPECT_EQ(code(run(fs().create(root, "f", exclusive))), Errc::already_exists);
  const Created made = must(fs().create(root, "x", exclusive));
  EXPECT_TRUE(made.made);
  const Created repeated = must(fs().create(root, "x", exclusive));
  EXPECT_FALSE(repeated.made);
  EXPECT_EQ(repeated.attributes.id, made.attributes.id);
  CreateRequest other = exclusive;
  other.verifier = 7;
  EXPECT_EQ(code(run(fs().create(root, "x", other))), Errc::already_exists);

  mkdir(root, "d");
  must(fs().make_symlink(root, "l", "f", {}));
  EXPECT_EQ(code(run(fs().create(root, "d", {}))), Errc::is_directory);
  EXPECT_EQ(code(run(fs().create(root, "l", {}))), Errc::already_exists);
  for (const char* taken : {"f", "d", "l"}) {
    EXPECT_EQ(code(run(fs().make_directory(root, taken, {}))), Errc::already_exists);
    EXPECT_EQ(code(run(fs().make_symlink(root, taken, "t", {}))), Errc::already_exists);
    EXPECT_EQ(code(run(fs().link(first.id, root, taken))), Errc::already_exists);
  }
}

TEST_F(FsCreate, NamesAndPlacesAreChecked) {
  const FileId file = create(root, "f").id;
  EXPECT_EQ(code(run(fs().create(file, "x", {}))), Errc::not_directory);
  EXPECT_EQ(code(run(fs().lookup(file, "x"))), Errc::not_directory);
  EXPECT_EQ(code(run(fs().create({root.root, 999'999}, "x", {}))), Errc::stale);
  EXPECT_EQ(code(run(fs().create({root.root + 1, root.ino}, "x", {}))), Errc::stale);
  EXPECT_EQ(code(run(fs().create(root, std::string(256, 'n'), {}))), Errc::name_too_long);
  for (const char* bad : {"", ".", "..", "a/b", ".s3~x", "\xff"}) {
    EXPECT_EQ(code(run(fs().create(root, bad, {}))), Errc::invalid_argument) << bad;
    EXPECT_EQ(code(run(fs().make_directory(root, bad, {}))), Errc::invalid_argument) << bad;
    EXPECT_EQ(code(run(fs().make_symlink(root, bad, "t", {}))), Errc::invalid_argument) << bad;
    EXPECT_EQ(code(run(fs().link(file, root, bad))), Errc::invalid_argument) << bad;
  }
  create(root, std::string(255, 'n'));
  EXPECT_EQ(code(find(root, "none")), Errc::not_found);
  CreateRequest huge;
  huge.attributes.size = kMaxObjectBytes + 1;
  EXPECT_EQ(code(run(fs().create(root, "huge", huge))), Errc::entity_too_large);
}

TEST_F(FsCreate, DirectoriesAreNoKeysUntilTheyHoldOne) {
  const FileAttributes d = mkdir(root, "d");
  EXPECT_EQ(d.type, FileType::directory);
  EXPECT_EQ(d.mode, 0755u);
  EXPECT_EQ(d.links, 1u);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(names({.prefix = "", .delimiter = "/", .start_after = ""}).empty());
  EXPECT_EQ(code(run(ns->stat("b", "d/"))), Errc::no_such_key);
  create(d.id, "f");
  EXPECT_EQ(names(), (std::vector<std::string>{"d/f"}));
  EXPECT_TRUE(remove("d/f").value());
  EXPECT_EQ(at("d").id, d.id);  // S3 never prunes it
  EXPECT_EQ(must(fs().parent(d.id)).id, root);
  EXPECT_EQ(must(fs().parent(root)).id, root);
  EXPECT_EQ(must(fs().resolve("b", "d")).id, d.id);
  EXPECT_EQ(must(fs().resolve("b", "d/")).id, d.id);
  EXPECT_EQ(must(fs().resolve("b", "")).id, root);
  EXPECT_EQ(code(run(fs().resolve("b", "d/x"))), Errc::not_found);
  EXPECT_EQ(code(run(fs().resolve("none", ""))), Errc::no_such_bucket);
}

TEST_F(FsCreate, SymlinksAreNotShownByS3) {
  const FileAttributes l = must(fs().make_symlink(root, "l", "../t", {})).attributes;
  EXPECT_EQ(l.type, FileType::symlink);
  EXPECT_EQ(l.mode, 0777u);
  EXPECT_EQ(l.size, 4u);
  EXPECT_EQ(must(fs().read_symlink(l.id)), "../t");
  EXPECT_EQ(code(run(fs().read_symlink(root))), Errc::invalid_argument);
  EXPECT_EQ(code(get("l")), Errc::no_such_key);
  EXPECT_FALSE(remove("l").value());
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(code(run(ns->rename("b", "l", "m"))), Errc::no_such_key);
  EXPECT_EQ(code(run(fs().make_symlink(root, "m", "", {}))), Errc::invalid_argument);
  EXPECT_EQ(code(run(fs().make_symlink(root, "m", std::string(4097, 't'), {}))),
            Errc::name_too_long);
  must(fs().make_symlink(root, "m", std::string(4096, 't'), {}));

  PutRequest absent;
  absent.conditions.if_none_match = "*";
  put("l", "object", absent);
  EXPECT_EQ(get("l").value(), "object");
  EXPECT_EQ(at("l").type, FileType::regular);
  EXPECT_TRUE(gone(l.id));
  must(ns->remove("b", "l", {}));
  // Nothing of this keeps the bucket.
  const FileId m = at("m").id;
  const FileId d = mkdir(mkdir(root, "c").id, "d").id;
  must(fs().link(m, d, "m2"));
  must(fs().link(m, mkdir(root, "z").id, "m3"));
  must(fs().set_xattr(d, "user.x", "v", FileSystem::XattrMode::either));
  expect_clean();
  EXPECT_TRUE(names().empty());
  must(ns->delete_bucket("b"));
  expect_clean();
  EXPECT_TRUE(gone(root));
}

TEST_F(FsCreate, SpecialNodesAreForFileClientsOnly) {
  const auto node = [&](FileType type) {
    return fs().make_node(root, "n", type, {.major = 8, .minor = 3}, {});
  };
  for (const FileType type : {FileType::regular, FileType::directory, FileType::symlink}) {
    EXPECT_EQ(code(run(node(type))), Errc::invalid_argument);
  }
  SetAttributes empty;
  empty.size = 0;
  for (const FileType type :
       {FileType::fifo, FileType::socket, FileType::block_device, FileType::character_device}) {
    const FileAttributes n = must(node(type)).attributes;
    EXPECT_EQ(code(run(node(type))), Errc::already_exists);
    EXPECT_EQ(n.type, type);
    EXPECT_EQ(n.mode, 0644u);
    EXPECT_EQ(n.size, 0u);
    EXPECT_EQ(n.device, (is_device(type) ? DeviceNumber{8, 3} : DeviceNumber{}));
    EXPECT_EQ(code(run(fs().read(n.id, 0, 1))), Errc::invalid_argument);
    EXPECT_EQ(code(run(fs().set_attributes(n.id, empty))), Errc::invalid_argument);
    EXPECT_EQ(code(run(fs().read_symlink(n.id))), Errc::invalid_argument);
    must(fs().link(n.id, root, "m"));
    must(fs().rename(root, "n", root, "o"));
    EXPECT_EQ(at("o").type, type);
    EXPECT_EQ(at("o").links, 2u);
    EXPECT_EQ(code(get("o")), Errc::no_such_key);
    EXPECT_TRUE(names().empty());
    expect_clean();
    put("o", "object");  // as over a symlink: the node gives way
    EXPECT_EQ(at("m").links, 1u);
    must(ns->remove("b", "o", {}));
    must(fs().remove(root, "m", RemoveKind::file));
    EXPECT_TRUE(gone(n.id));
    expect_clean();
  }
  must(node(FileType::socket));
  must(ns->delete_bucket("b"));
  expect_clean();
}

TEST_F(FsCreate, EveryNameOfALinkedFileIsAKey) {
  put("f", "data");
  const FileAttributes f = at("f");
  const FileId d = mkdir(root, "d").id;
  const Created linked = must(fs().link(f.id, d, "g"));
  EXPECT_EQ(linked.attributes.links, 2u);
  EXPECT_GT(linked.attributes.change, f.change);
  must(fs().link(f.id, root, "h"));
  expect_clean();
  EXPECT_EQ(at("d/g").id, f.id);
  for (const char* key : {"f", "d/g", "h"}) {
    EXPECT_EQ(get(key).value(), "data");
    EXPECT_EQ(get(key).value(), "data");
  }
  EXPECT_EQ(names(), (std::vector<std::string>{"d/g", "f", "h"}));

  // Attributes of one are those of all, in listings too. (A copy onto another name of the file
  // replaces that name: Cross.ACopyOntoAnotherNameOfAFileLeavesTheSourceAlone.)
  must(ns->copy(
      "b", "f",
      {.source_bucket = "b",
       .source_key = "f",
       .source_conditions = {},
       .conditions = {},
       .replace = ObjectAttributes{.content_type = "t/t", .headers = {}, .user_meta = {}}}));
  expect_clean();
  EXPECT_EQ(must(ns->stat("b", "d/g")).attributes.content_type, "t/t");

  EXPECT_TRUE(remove("f").value());  // the back pointer's name
  expect_clean();
  EXPECT_EQ(at("h").links, 2u);
  put("h", "another");  // replaces the name, not the file
  expect_clean();
  EXPECT_EQ(get("d/g").value(), "data");
  EXPECT_EQ(at("d/g").links, 1u);
  must(fs().link(f.id, root, "f"));
  must(ns->rename("b", "d/g", "moved"));
  expect_clean();
  must(ns->rename("b", "moved", "f"));  // two names of one file
  expect_clean();
  EXPECT_EQ(names(), (std::vector<std::string>{"f", "h"}));
  EXPECT_EQ(at("f").links, 1u);
  EXPECT_EQ(get("f").value(), "data");

  EXPECT_EQ(code(run(fs().link(d, root, "dd"))), Errc::is_directory);
  must(ns->create_bucket("c", ""));
  EXPECT_EQ(code(run(fs().link(f.id, must(fs().bucket_root("c")).id, "x"))), Errc::cross_bucket);
}

TEST_F(FsCreate, WhatAClientUsesBecomesExplicit) {
  put("i/j/k/o");
  const FileId k = at("i/j/k").id;
  create(k, "f");
  EXPECT_TRUE(remove("i/j/k/o").value());
  EXPECT_TRUE(remove("i/j/k/f").value());
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(at("i/j/k").id, k);
  expect_clean();
  EXPECT_EQ(code(run(ns->rename("b", "i/j/", "r/s/"))), Errc::internal);
  EXPECT_EQ(at("r/s/k").id, k);

  put("p/q/o");
  const FileId q = at("p/q").id;
  SetAttributes set;
  set.mode = 0700;
  must(fs().set_attributes(q, set));
  EXPECT_TRUE(remove("p/q/o").value());
  EXPECT_EQ(at("p/q").mode, 0700u);

  put("u/v/o");
  const FileId v = at("u/v").id;
  const OpenHoldPtr open = must(fs().hold(at("u/v/o").id));
  EXPECT_TRUE(remove("u/v/o").value());
  EXPECT_EQ(at("u/v").id, v);

  put("w/o");  // looking does not count
  const FileId w = at("w").id;
  EXPECT_EQ(ls(w), (std::vector<std::string>{"o"}));
  EXPECT_TRUE(remove("w/o").value());
  EXPECT_TRUE(gone(w));
}

}  // namespace
}  // namespace outcrop::ns
