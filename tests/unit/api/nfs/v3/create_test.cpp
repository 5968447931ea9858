// CREATE, MKDIR, SYMLINK, MKNOD.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

enum How : std::uint32_t { kUnchecked, kGuarded, kExclusive };

class Create : public Nfs3Test {
 protected:
  Reply create(std::string_view name, How how, const ns::SetAttributes& set = {}) {
    return call(kCreate, Args().fh(root_handle()).text(name).u32(how).sattr(set));
  }
  Reply exclusive(std::string_view name, std::uint64_t verifier) {
    return call(kCreate, Args().fh(root_handle()).text(name).u32(kExclusive).u64(verifier));
  }
  Reply mkdir(std::string_view name, const ns::SetAttributes& set = {}) {
    return call(kMkdir, Args().fh(root_handle()).text(name).sattr(set));
  }
  Reply symlink(std::string_view name, std::string_view target) {
    return call(kSymlink, Args().fh(root_handle()).text(name).sattr().text(target));
  }
  struct Made {
    std::string handle;
    Attributes attributes;
    WccData wcc;
  };
  Made made(Reply reply) {
    EXPECT_EQ(reply.nfs(), Status::ok);
    Made m;
    EXPECT_TRUE(reply.in.boolean());
    m.handle = reply.in.string(64);
    m.attributes = read_post_op(reply.in).value_or(Attributes{});
    m.wcc = read_wcc(reply.in);
    EXPECT_TRUE(reply.in.done());
    return m;
  }
  /// Of an error: the directory's attributes are there, and nothing else is.
  Status refused(Reply reply) {
    const WccData wcc = read_wcc(reply.in);
    EXPECT_TRUE(wcc.after);
    EXPECT_FALSE(wcc.before);
    EXPECT_TRUE(reply.in.done());
    return reply.nfs();
  }
  void root_is(std::uint32_t bits, std::uint32_t uid = 1000) {
    ns::SetAttributes set = mode(bits);
    set.uid = set.gid = uid;
    must(files.set_attributes({root, root}, set));
  }
};

TEST_F(Create, GivesHandleAttributesAndTheDirectorysChange) {
  const ns::FileAttributes before = stat({root, root});
  const Made m = made(create("f", kGuarded, mode(0640)));
  EXPECT_EQ(m.attributes.type, 1U);
  EXPECT_EQ(m.attributes.mode, 0640U);
  EXPECT_EQ(m.attributes.uid, 1000U);
  EXPECT_EQ(m.attributes.gid, 1000U);
  EXPECT_EQ(m.handle, lookup("f"));
  ASSERT_TRUE(m.wcc.before) << "nobody else changed the directory";
  EXPECT_EQ(m.wcc.ctime, static_cast<std::uint64_t>(before.ctime_ns / 1'000'000'000) << 32);
  EXPECT_GT(m.wcc.after->ctime, m.wcc.ctime);
}

TEST_F(Create, AnotherChangeInBetweenHidesTheAttributesBefore) {
  bool first = true;
  files.set_hook([&](std::string_view name) -> Task<> {
    if (name == "create" && std::exchange(first, false)) {
      CO_TRYV(co_await files.make_directory({root, root}, "other", {}));
    }
    co_return ok();
  });
  EXPECT_FALSE(made(create("f", kGuarded)).wcc.before);
  files.set_hook({});
}

TEST_F(Create, ModesOfCreation) {
  const ns::FileId file = make_file("f", "data");
  EXPECT_EQ(refused(create("f", kGuarded)), Status::exist);
  EXPECT_EQ(made(create("f", kUnchecked, mode(0600))).attributes.mode, 0644U)
      << "only size applies";
  EXPECT_EQ(content(file), "data");
  EXPECT_EQ(made(create("f", kUnchecked, size(2))).attributes.size, 2U);
  EXPECT_EQ(made(create("g", kUnchecked, size(7))).attributes.size, 7U);
  make_directory("d");
  must(files.make_symlink({root, root}, "l", "t", {}));
  for (const char* name : {"d", "l"}) {
    EXPECT_EQ(refused(create(name, kUnchecked)), Status::exist) << name;
    EXPECT_EQ(refused(exclusive(name, 1)), Status::exist) << name;
  }
}

TEST_F(Create, ExclusiveIsRepeatable) {
  const Made first = made(exclusive("f", 42));
  EXPECT_EQ(made(exclusive("f", 42)).handle, first.handle);
  EXPECT_EQ(refused(exclusive("f", 43)), Status::exist);
  root_is(0555, 5);
  EXPECT_EQ(refused(exclusive("f", 42)), Status::exist);
}

TEST_F(Create, InADirectoryOfOthers) {
  const ns::FileId mine = make_file("mine", "data");
  const ns::FileId theirs = make_file("theirs", "data", 5, 0644);
  const ns::FileId open_to_all = make_file("open", "data", 5, 06777);
  root_is(0755, 5);
  EXPECT_EQ(refused(create("new", kUnchecked)), Status::acces);
  EXPECT_EQ(refused(create("new", kGuarded)), Status::acces);
  EXPECT_EQ(refused(create("mine", kGuarded)), Status::exist);
  EXPECT_EQ(made(create("mine", kUnchecked, size(0))).attributes.size, 0U);
  EXPECT_EQ(made(create("theirs", kUnchecked)).attributes.size, 4U);
  EXPECT_EQ(refused(create("theirs", kUnchecked, size(0))), Status::acces);
  EXPECT_EQ(content(theirs), "data");
  EXPECT_EQ(made(create("open", kUnchecked, size(0))).attributes.mode, 0777U);
  EXPECT_EQ(content(mine) + content(open_to_all), "");
  root_is(0700, 5);
  EXPECT_EQ(refused(create("mine", kUnchecked)), Status::acces) << "no search permission";
}

TEST_F(Create, OwnershipOfWhatIsNew) {
  who.groups = {77};
  ns::SetAttributes set = mode(02755);
  set.uid = 5;
  set.gid = 77;
  const Attributes a = made(create("f", kGuarded, set)).attributes;
  EXPECT_EQ(a.uid, 1000U) << "nobody makes files of others";
  EXPECT_EQ(a.gid, 77U);
  EXPECT_EQ(a.mode, 02755U);
  set.gid = 78;
  EXPECT_EQ(made(create("g", kGuarded, set)).attributes.gid, 1000U);
  who.uid = 0;
  EXPECT_EQ(refused(create("h", kGuarded, set)), Status::acces) << "root is squashed";
}

TEST_F(Create, SetGidDirectories) {
  ns::SetAttributes set = mode(02775);
  set.gid = 88;
  must(files.set_attributes({root, root}, set));
  const Attributes file = made(create("f", kGuarded, mode(02755))).attributes;
  EXPECT_EQ(file.gid, 88U);
  EXPECT_EQ(file.mode, 0755U) << "set-gid of a group that the caller is not in";
  const Attributes directory = made(mkdir("d", mode(0755))).attributes;
  EXPECT_EQ(directory.gid, 88U);
  EXPECT_EQ(directory.mode, 02755U) << "below, it goes on";
}

TEST_F(Create, Mkdir) {
  const Made m = made(mkdir("d", mode(0700)));
  EXPECT_EQ(m.attributes.type, 2U);
  EXPECT_EQ(m.attributes.mode, 0700U);
  EXPECT_TRUE(m.wcc.before);
  EXPECT_EQ(refused(mkdir("d")), Status::exist);
  root_is(0555);
  EXPECT_EQ(refused(mkdir("e")), Status::acces);
}

TEST_F(Create, Symlink) {
  const Made m = made(symlink("l", "../some where"));
  EXPECT_EQ(m.attributes.type, 5U);
  EXPECT_EQ(m.attributes.size, 13U);
  EXPECT_EQ(refused(symlink("l", "x")), Status::exist);
  EXPECT_EQ(refused(symlink("e", "")), Status::inval);
  EXPECT_EQ(symlink("long", std::string(ns::kMaxSymlinkBytes, 'x')).nfs(), Status::ok);
  EXPECT_EQ(refused(symlink("longer", std::string(ns::kMaxSymlinkBytes + 1, 'x'))),
            Status::nametoolong);
}

TEST_F(Create, Mknod) {
  const auto mknod = [&](std::string_view name, std::uint32_t type) {
    Args args;
    args.fh(root_handle()).text(name).u32(type);
    if (type == 3 || type == 4 || type == 6 || type == 7) {
      args.sattr(mode(0620));
    }
    if (type == 3 || type == 4) {
      args.u32(8).u32(3);
    }
    return call(kMknod, args);
  };
  for (const std::uint32_t type : {3U, 4U}) {
    EXPECT_EQ(refused(mknod("dev", type)), Status::perm) << "another user's client";
  }
  for (const std::uint32_t type : {6U, 7U}) {
    const std::string name = std::to_string(type);
    const Made m = made(mknod(name, type));
    EXPECT_EQ(m.attributes.type, type);
    EXPECT_EQ(m.attributes.mode, 0620U);
    EXPECT_EQ(m.attributes.uid, 1000U);
    EXPECT_EQ(m.attributes.rdev, 0U);
    EXPECT_EQ(m.handle, lookup(name));
    EXPECT_EQ(refused(mknod(name, type)), Status::exist);
    EXPECT_EQ(refused(create(name, kUnchecked)), Status::exist);
  }
  EXPECT_EQ(refused(mknod("..", 7)), Status::exist);
  for (const std::uint32_t type : {0U, 1U, 2U, 5U, 8U}) {
    EXPECT_EQ(refused(mknod("n", type)), Status::badtype) << type;
  }
}

TEST_F(Create, DevicesAreMadeByRoot) {
  who.uid = 0;
  const ExportPtr trusting =
      add_export("/trusting", "b", [](Export& e) { e.squash = Squash::none; });
  const std::string top = handle({root, root}, trusting->id);
  const auto device = [&](std::string_view name, std::uint32_t type) {
    return call(kMknod, Args().fh(top).text(name).u32(type).sattr().u32(8).u32(3));
  };
  for (const std::uint32_t type : {3U, 4U}) {
    const Made m = made(device(type == 3 ? "block" : "char", type));
    EXPECT_EQ(m.attributes.type, type);
    EXPECT_EQ(m.attributes.rdev, std::uint64_t{8} << 32 | 3);
  }
}

TEST_F(Create, Names) {
  const std::string longest(255, 'n');
  for (const bool directory : {false, true}) {
    const auto make = [&](std::string_view name) {
      return directory ? mkdir(name) : create(name, kGuarded);
    };
    EXPECT_EQ(refused(make("")), Status::acces);
    EXPECT_EQ(refused(make("a/b")), Status::acces);
    EXPECT_EQ(refused(make(std::string_view("a\0b", 3))), Status::acces);
    EXPECT_EQ(refused(make(".")), Status::exist);
    EXPECT_EQ(refused(make("..")), Status::exist);
    EXPECT_EQ(refused(make(longest + "n")), Status::nametoolong);
    EXPECT_EQ(refused(make(".s3~alias")), Status::inval);
    EXPECT_EQ(make(directory ? longest : longest.substr(1)).nfs(), Status::ok);
  }
  const ns::FileId file = make_file("file");
  EXPECT_EQ(call(kMkdir, Args().fh(handle(file)).text("x").sattr()).nfs(), Status::notdir);
}

TEST_F(Create, GarbageMakesNothing) {
  const Args how = Args().fh(root_handle()).text("f").u32(3).sattr();
  EXPECT_EQ(call(kCreate, how).accepted, AcceptStatus::garbage_arguments);
  const Args trailing = Args().fh(root_handle()).text("f").u32(kGuarded).sattr().u32(0);
  EXPECT_EQ(call(kCreate, trailing).accepted, AcceptStatus::garbage_arguments);
  const Args handle = Args().fh(std::string(65, 'h')).text("f").u32(kGuarded).sattr();
  EXPECT_EQ(call(kCreate, handle).accepted, AcceptStatus::garbage_arguments);
  EXPECT_EQ(files.inodes(), 1U);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
