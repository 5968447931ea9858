// Names: CREATE, LOOKUP, REMOVE, RENAME, LINK, READLINK, READDIR, extended attributes.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using A = Nfs4Attributes;
using Directory = Nfs4Test;

Nfs4Compound create_type(std::uint32_t type) {
  Nfs4Compound c;
  c.walk("data").op(Op::create).out.u32(type);
  if (type == 3 || type == 4) {
    c.out.u32(8);
    c.out.u32(3);
  }
  c.out.string("x");
  return c.put(A());
}

TEST_F(Directory, CreateMakesDirectoriesAndLinks) {
  const Nfs4Reply made = client.call(C().walk("data")
                                         .mkdir("d", A().u32(Attribute::mode, 0750))
                                         .getattr({Attribute::mode, Attribute::type}));
  ASSERT_EQ(made.status, Status::ok);
  EXPECT_EQ(made.find(Op::create).set, (AttributeSet{Attribute::mode}));
  EXPECT_LT(made.find(Op::create).numbers[1], made.find(Op::create).numbers[2]);
  EXPECT_EQ(made.last().u32(Attribute::mode), 0750U);
  ASSERT_EQ(status(C().walk("data").symlink("l", "/somewhere")), Status::ok);
  EXPECT_EQ(last(C().walk("data/l").op(Op::readlink)).text, "/somewhere");
  EXPECT_EQ(status(C().walk("data/d").op(Op::readlink)), Status::inval);
  EXPECT_EQ(status(C().walk("data").mkdir("d")), Status::exist);
  EXPECT_EQ(status(C().walk("data").symlink("e", "")), Status::inval);
  EXPECT_EQ(status(C().walk("data/l/x")), Status::symlink);
}

TEST_F(Directory, NothingElseIsCreated) {
  for (const std::uint32_t type : {0U, 1U, 8U, 9U, 77U}) {
    EXPECT_EQ(client.call(create_type(type)).status, Status::badtype) << type;
  }
  EXPECT_EQ(status(C().walk("data").mkdir("d", A().u64(Attribute::size, 0))), Status::inval);
  EXPECT_EQ(status(C().walk("data").mkdir("d", A().u64(Attribute::fileid, 0))), Status::inval);
}

TEST_F(Directory, SpecialNodes) {
  for (const std::uint32_t type : {3U, 4U}) {
    EXPECT_EQ(client.call(create_type(type)).status, Status::perm) << "another user's client";
  }
  client.credentials.uid = 0;
  for (const std::uint32_t type : {3U, 4U, 6U, 7U}) {
    C made = create_type(type);
    const Nfs4Result node = last(made.getattr({Attribute::type, Attribute::rawdev}));
    ASSERT_EQ(node.status, Status::ok) << type;
    EXPECT_EQ(node.u32(Attribute::type), type);
    const bool device = type == 3 || type == 4;
    EXPECT_EQ(node.u64(Attribute::rawdev), device ? std::uint64_t{8} << 32 | 3 : 0);
    EXPECT_EQ(status(C().walk("data").open("x", {})), Status::wrong_type);
    EXPECT_EQ(status(C().walk("data/x").read({}, 0, 1)), Status::wrong_type);
    EXPECT_EQ(status(C().walk("data/x/y")), Status::notdir);
    EXPECT_EQ(status(C().walk("data/x").op(Op::readlink)), Status::inval);
    EXPECT_EQ(status(C().walk("data").named(Op::remove, "x")), Status::ok);
  }
}

// What does not fit was read in vain: with attributes an entry is ten times its name.
TEST_F(Directory, APageReadsNoMoreEntriesThanFit) {
  for (int i = 0; i < 600; ++i) {
    ASSERT_EQ(status(C().walk("data").symlink("name" + std::to_string(1000 + i), "t")), Status::ok);
  }
  const AttributeSet wanted = {Attribute::type,  Attribute::fsid,        Attribute::filehandle,
                               Attribute::owner, Attribute::time_modify, Attribute::fileid};
  const std::size_t before = files.entries_read();
  const std::size_t got =
      last(C().walk("data").readdir(0, wanted, 1 << 16, 1 << 15)).entries.size();
  EXPECT_GT(got, 100u);
  EXPECT_LT(got, 600u);
  EXPECT_LE(files.entries_read() - before, got + got / 20 + 2);
}

TEST_F(Directory, SetGidDirectoriesPassTheirGroupOn) {
  client.credentials.groups = {50};
  ASSERT_EQ(status(C().walk("data").mkdir(
                "d", A().u32(Attribute::mode, 02775).text(Attribute::owner_group, "50"))),
            Status::ok);
  ASSERT_EQ(status(C().walk("data/d").mkdir("e")), Status::ok);
  const Nfs4Result e =
      last(C().walk("data/d/e").getattr({Attribute::owner_group, Attribute::mode}));
  EXPECT_EQ(e.string(Attribute::owner_group), "50");
  EXPECT_EQ(e.u32(Attribute::mode) & 02000U, 02000U);
}

TEST_F(Directory, Remove) {
  create("f");
  const Nfs4Result gone = last(C().walk("data").named(Op::remove, "f"));
  EXPECT_EQ(gone.status, Status::ok);
  EXPECT_LT(gone.numbers[1], gone.numbers[2]);
  EXPECT_EQ(status(C().walk("data").named(Op::remove, "f")), Status::noent);
  EXPECT_EQ(status(C().walk("data").named(Op::remove, "top")), Status::notempty);
  EXPECT_EQ(status(C().walk("data").named(Op::remove, "..")), Status::badname);
  EXPECT_EQ(status(C().walk("data/top").named(Op::remove, "sub")), Status::ok);
}

TEST_F(Directory, StickyDirectoriesKeepEntriesOfOthers) {
  client.credentials.uid = 0;
  ASSERT_EQ(status(C().walk("data").mkdir("tmp", A().u32(Attribute::mode, 01777))), Status::ok);
  client.credentials.uid = 1000;
  ASSERT_EQ(status(C().walk("data/tmp").mkdir("mine")), Status::ok);
  client.credentials.uid = 1001;
  EXPECT_EQ(status(C().walk("data/tmp").named(Op::remove, "mine")), Status::access);
  C rename;
  rename.walk("data/tmp").op(Op::savefh).rename("mine", "yours");
  EXPECT_EQ(status(rename), Status::access);
  client.credentials.uid = 1000;
  EXPECT_EQ(status(C().walk("data/tmp").named(Op::remove, "mine")), Status::ok);
}

TEST_F(Directory, Rename) {
  const File file = create("f", "text");
  const auto rename = [&](std::string_view from_dir, std::string_view from, std::string_view to_dir,
                          std::string_view to) {
    return last(C().walk(from_dir).op(Op::savefh).walk(to_dir).rename(from, to));
  };
  const Nfs4Result moved = rename("data", "f", "data/top", "g");
  EXPECT_EQ(moved.status, Status::ok);
  EXPECT_LT(moved.numbers[1], moved.numbers[2]);
  EXPECT_LT(moved.numbers[4], moved.numbers[5]);
  EXPECT_EQ(handle_of("data/top/g"), file.handle);
  EXPECT_EQ(rename("data", "f", "data", "h").status, Status::noent);
  EXPECT_EQ(rename("data/top", "g", "data", "..").status, Status::badname);
  EXPECT_EQ(rename("data", "top", "data/top/sub", "in").status, Status::inval);
  EXPECT_EQ(rename("data/top", "g", "ro", "g").status, Status::rofs);
  EXPECT_EQ(rename("data/top", "g", "dir/sub", "g").status, Status::xdev);
}

TEST_F(Directory, Link) {
  const File file = create("f");
  const Nfs4Result linked =
      last(C().putfh(file.handle).op(Op::savefh).walk("data/top").named(Op::link, "g"));
  EXPECT_EQ(linked.status, Status::ok);
  EXPECT_EQ(last(C().putfh(file.handle).getattr({Attribute::numlinks})).u32(Attribute::numlinks),
            2U);
  EXPECT_EQ(status(C().putfh(file.handle).op(Op::savefh).walk("data/top").named(Op::link, "g")),
            Status::exist);
  EXPECT_EQ(status(C().walk("data/top").op(Op::savefh).walk("data").named(Op::link, "h")),
            Status::isdir);
  EXPECT_EQ(status(C().putfh(file.handle).op(Op::savefh).named(Op::link, "h")), Status::notdir);
}

TEST_F(Directory, SymlinksHaveSeveralNames) {
  ASSERT_EQ(status(C().walk("data").symlink("l", "x")), Status::ok);
  EXPECT_EQ(status(C().walk("data/l").op(Op::savefh).walk("data/top").named(Op::link, "m")),
            Status::ok);
  EXPECT_EQ(handle_of("data/top/m"), handle_of("data/l"));
}

TEST_F(Directory, ReaddirGoesOnBehindItsCookies) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(status(C().walk("data/top").mkdir("d" + std::to_string(100 + i))), Status::ok);
  }
  std::vector<std::string> all;
  std::uint64_t cookie = 0;
  int pages = 0;
  for (bool eof = false; !eof; ++pages) {
    const Nfs4Result page =
        last(C().walk("data/top")
                 .readdir(cookie, {Attribute::fileid, Attribute::filehandle}, 4096, 700));
    ASSERT_EQ(page.status, Status::ok);
    ASSERT_FALSE(page.entries.empty());
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      all.push_back(page.entries[i].first);
      cookie = page.entries[i].second;
      EXPECT_EQ(page.entry_values[i].size(), 2U);
    }
    eof = page.eof;
  }
  EXPECT_GT(pages, 5);
  EXPECT_EQ(all.size(), 51U);
  EXPECT_TRUE(std::ranges::is_sorted(all));
}

TEST_F(Directory, ReaddirKeepsToItsCounts) {
  ASSERT_EQ(status(C().walk("data/top/sub").mkdir("d")), Status::ok);
  const auto list = [&](std::uint32_t max) {
    return client.call(C().walk("data/top/sub").readdir(0, {}, 0, max)).status;
  };
  EXPECT_EQ(list(0), Status::toosmall);
  EXPECT_EQ(list(43), Status::toosmall);
  EXPECT_EQ(list(44), Status::ok);
  const Nfs4Result one = last(C().walk("data/top").readdir(0, {}, 1));
  EXPECT_EQ(one.entries.size(), 1U);
  EXPECT_EQ(status(C().walk("data").readdir(1, {})), Status::bad_cookie);
  EXPECT_EQ(status(C().walk("data").readdir(2, {})), Status::bad_cookie);
  EXPECT_EQ(status(C().walk("data").readdir(one.entries[0].second, {}, 100, 1000, 5)),
            Status::not_same);
  const File file = create("f");
  EXPECT_EQ(status(C().putfh(file.handle).readdir(0, {})), Status::notdir);
}

TEST_F(Directory, PermissionsOfDirectories) {
  ASSERT_EQ(status(C().walk("data").mkdir("d", A().u32(Attribute::mode, 0711))), Status::ok);
  ASSERT_EQ(status(C().walk("data/d").mkdir("in")), Status::ok);
  client.credentials.uid = 1001;
  client.credentials.gid = 1001;
  EXPECT_EQ(status(C().walk("data/d/in")), Status::ok);
  EXPECT_EQ(status(C().walk("data/d").readdir(0, {})), Status::access);
  EXPECT_EQ(status(C().walk("data/d").mkdir("no")), Status::access);
  client.credentials.uid = 1000;
  ASSERT_EQ(status(C().walk("data/d").setattr({}, A().u32(Attribute::mode, 0600))), Status::ok);
  EXPECT_EQ(status(C().walk("data/d/in")), Status::access);
  EXPECT_EQ(status(C().walk("data/d").op(Op::lookupp)), Status::access);
}

TEST_F(Directory, ExtendedAttributes) {
  const File file = create("f");
  const auto set = [&](std::uint32_t how, std::string_view name, std::string_view value) {
    C c;
    c.putfh(file.handle).op(Op::setxattr).out.u32(how);
    c.out.string(name);
    c.out.string(value);
    return last(c);
  };
  const Nfs4Result first = set(1, "color", "red");
  EXPECT_EQ(first.status, Status::ok);
  EXPECT_LT(first.numbers[1], first.numbers[2]);
  EXPECT_EQ(set(1, "color", "blue").status, Status::exist);
  EXPECT_EQ(set(2, "size", "big").status, Status::noxattr);
  EXPECT_EQ(set(2, "color", "blue").status, Status::ok);
  EXPECT_EQ(set(0, "size", "big").status, Status::ok);
  EXPECT_EQ(set(0, "", "x").status, Status::inval);
  EXPECT_EQ(set(0, std::string(251, 'x'), "x").status, Status::nametoolong);
  EXPECT_EQ(set(0, "big", std::string(ns::kMaxXattrValueBytes + 1, 'x')).status, Status::xattr2big);
  EXPECT_EQ(last(C().putfh(file.handle).named(Op::getxattr, "color")).text, "blue");
  EXPECT_EQ(status(C().putfh(file.handle).named(Op::getxattr, "none")), Status::noxattr);
  const auto list = [&](std::uint64_t cookie, std::uint32_t max) {
    C c;
    c.putfh(file.handle).op(Op::listxattrs).out.u64(cookie);
    c.out.u32(max);
    return last(c);
  };
  const Nfs4Result one = list(0, 16 + 12);
  ASSERT_EQ(one.entries.size(), 1U);
  EXPECT_EQ(one.entries[0].first, "color");
  EXPECT_FALSE(one.eof);
  const Nfs4Result two = list(one.numbers[0], 1000);
  ASSERT_EQ(two.entries.size(), 1U);
  EXPECT_EQ(two.entries[0].first, "size");
  EXPECT_TRUE(two.eof);
  EXPECT_EQ(list(0, 20).status, Status::toosmall);
  EXPECT_EQ(list(99, 1000).status, Status::bad_cookie);
  EXPECT_EQ(status(C().putfh(file.handle).named(Op::removexattr, "color")), Status::ok);
  EXPECT_EQ(status(C().putfh(file.handle).named(Op::removexattr, "color")), Status::noxattr);
  client.credentials.uid = 1001;
  EXPECT_EQ(set(0, "mine", "x").status, Status::access);
  EXPECT_EQ(status(C().putrootfh().named(Op::getxattr, "color")), Status::wrong_type);
}

}  // namespace
}  // namespace outcrop::test
