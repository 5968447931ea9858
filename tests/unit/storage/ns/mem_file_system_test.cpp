// The reference file system itself: what its users build on and a mistake would hide.
#include "tests/support/mem_file_system.h"

#include "storage/base/async.h"
#include "tests/support/ticking_clock.h"

namespace outcrop::test {
namespace {

using ns::FileId;

class MemFiles : public ::testing::Test {
 protected:
  template <class T>
  Result<T> run(Task<T> task) {
    return run_on(io, std::move(task));
  }
  template <class T>
  T must(Task<T> task) {
    Result<T> result = run(std::move(task));
    if (!result) {
      ADD_FAILURE() << result.error().describe();
    }
    return std::move(result).value();
  }
  template <class T>
  Errc error(Task<T> task) {
    const Result<T> result = run(std::move(task));
    EXPECT_FALSE(result);
    return result ? Errc::internal : result.error().code();
  }
  FileId make(std::string_view name) { return must(files.create(root, name, {})).attributes.id; }
  void write(FileId file, std::uint64_t offset, std::string_view text, bool stable = false) {
    must(files.write(file, offset, {Buffer::copy_of(as_bytes(text))}, stable));
  }
  std::string read(FileId file) {
    std::string out;
    for (const Buffer& piece : must(files.read(file, 0, 1 << 20)).data) {
      out.append(as_text(piece.view()));
    }
    return out;
  }
  std::vector<std::string> names(std::uint64_t cookie = 0, std::size_t max = 100) {
    std::vector<std::string> out;
    for (const auto& entry : must(files.read_directory(root, cookie, max, 1 << 20)).entries) {
      out.push_back(entry.name);
    }
    return out;
  }

  asio::io_context io{1};
  TickingClock clock;
  MemFileSystem files{clock};
  InodeId bucket = files.add_bucket("b");
  FileId root{bucket, bucket};
};

TEST_F(MemFiles, CrashDropsWhatIsNotStable) {
  const FileId file = make("f");
  write(file, 0, "stable", true);
  write(file, 6, " and not");
  EXPECT_TRUE(files.dirty(file.ino));
  EXPECT_EQ(read(file), "stable and not");
  const ns::FileAttributes before = must(files.get_attributes(file));
  const std::uint64_t boot = files.boot_id();
  files.crash();
  EXPECT_NE(files.boot_id(), boot);
  EXPECT_EQ(read(file), "stable");
  EXPECT_GT(must(files.get_attributes(file)).change, before.change);
  write(file, 6, " now");
  must(files.commit(file));
  files.crash();
  EXPECT_EQ(read(file), "stable now");
}

TEST_F(MemFiles, HoldKeepsAnOrphanUntilItEnds) {
  const FileId file = make("f");
  ns::OpenHoldPtr hold = must(files.hold(file));
  const ns::OpenHoldPtr second = must(files.hold(file));
  must(files.remove(root, "f", ns::RemoveKind::file));
  EXPECT_EQ(must(files.get_attributes(file)).links, 0U);
  EXPECT_EQ(error(files.link(file, root, "g")), Errc::stale);
  hold.reset();
  EXPECT_TRUE(run(files.get_attributes(file)));
  files.crash();
  EXPECT_TRUE(run(files.get_attributes(file))) << "a crash leaves orphans";
  must(files.reap_orphans());
  EXPECT_EQ(error(files.get_attributes(file)), Errc::stale);
}

TEST_F(MemFiles, CookiesOutliveTheirEntries) {
  for (const char* name : {"a", "b", "c", "d"}) {
    make(name);
  }
  const auto page = must(files.read_directory(root, 0, 2, 1 << 20));
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_FALSE(page.eof);
  const std::uint64_t cookie = page.entries[1].cookie;
  EXPECT_GT(cookie, 2U);
  must(files.remove(root, "b", ns::RemoveKind::file));
  EXPECT_EQ(names(cookie), (std::vector<std::string>{"c", "d"}));
  must(files.rename(root, "a", root, "z"));
  EXPECT_EQ(names(page.entries[0].cookie), (std::vector<std::string>{"c", "d", "z"}));
  EXPECT_EQ(error(files.read_directory(root, 7, 10, 1 << 20)), Errc::bad_cookie);
}

TEST_F(MemFiles, ListsInTheOrderOfS3) {
  must(files.make_directory(root, "a", {}));
  for (const char* name : {"a.txt", "a-b", "a0"}) {
    make(name);
  }
  EXPECT_EQ(names(), (std::vector<std::string>{"a-b", "a.txt", "a", "a0"}));
}

TEST_F(MemFiles, LinksHaveCookiesOfTheirOwn) {
  const FileId file = make("a");
  EXPECT_EQ(must(files.link(file, root, "b")).attributes.links, 2U);
  const auto page = must(files.read_directory(root, 0, 10, 1 << 20));
  EXPECT_NE(page.entries[0].cookie, page.entries[1].cookie);
  EXPECT_EQ(must(files.remove(root, "a", ns::RemoveKind::any)).id, file);
  EXPECT_EQ(must(files.get_attributes(file)).links, 1U);
}

TEST_F(MemFiles, RenameReplacesAsPosixDoes) {
  const FileId a = make("a");
  const FileId b = make("b");
  must(files.make_directory(root, "d", {}));
  const auto d = must(files.lookup(root, "d")).id;
  must(files.rename(root, "a", root, "b"));
  EXPECT_EQ(must(files.lookup(root, "b")).id, a);
  EXPECT_EQ(error(files.get_attributes(b)), Errc::stale);
  EXPECT_EQ(error(files.rename(root, "b", root, "d")), Errc::already_exists);
  EXPECT_EQ(error(files.rename(root, "d", d, "below")), Errc::invalid_argument);
  must(files.create(d, "x", {}));
  must(files.make_directory(root, "e", {}));
  EXPECT_EQ(error(files.rename(root, "e", root, "d")), Errc::not_empty);
  const auto moved = must(files.rename(root, "d", root, "e"));
  EXPECT_EQ(moved.from.before, moved.to.before);
  EXPECT_EQ(moved.from.after, moved.to.after);
  EXPECT_LT(moved.from.before, moved.from.after);
}

TEST_F(MemFiles, HolesAreWhatWasNotWritten) {
  const FileId file = make("f");
  write(file, 10, "abc");
  write(file, 20, "def");
  EXPECT_EQ(must(files.get_attributes(file)).used, 6U);
  EXPECT_EQ(must(files.seek(file, 0, true)).offset, 10U);
  EXPECT_EQ(must(files.seek(file, 10, false)).offset, 13U);
  EXPECT_EQ(must(files.seek(file, 21, false)).offset, 23U);
  EXPECT_TRUE(must(files.seek(file, 21, false)).eof);
  EXPECT_EQ(error(files.seek(file, 23, true)), Errc::not_found);
  must(files.deallocate(file, 11, 1));
  EXPECT_EQ(read(file),
            std::string(10, '\0') + std::string("a\0c", 3) + std::string(7, '\0') + "def");
  EXPECT_EQ(must(files.seek(file, 10, false)).offset, 11U);
  must(files.allocate(file, 20, 10));
  EXPECT_EQ(must(files.get_attributes(file)).size, 30U);
  EXPECT_TRUE(must(files.seek(file, 23, true)).eof);
}

TEST_F(MemFiles, CloneKeepsHoles) {
  const FileId from = make("from");
  const FileId to = make("to");
  write(from, 2, "ab");
  write(from, 8, "cd");
  write(to, 0, "0123456789");
  EXPECT_EQ(must(files.clone(from, 1, to, 5, 0)), 9U);
  EXPECT_EQ(read(to), std::string("01234\0ab\0\0\0\0cd", 14));
  EXPECT_EQ(must(files.seek(to, 5, true)).offset, 6U);
  EXPECT_EQ(error(files.clone(to, 0, to, 3, 5)), Errc::invalid_argument);
  EXPECT_EQ(error(files.clone(from, 0, to, 0, 11)), Errc::invalid_argument);
  EXPECT_EQ(must(files.clone(to, 0, to, 14, 14)), 14U);
}

TEST_F(MemFiles, ExclusiveCreateIsRepeatable) {
  const ns::CreateRequest request{
      .how = ns::CreateMode::exclusive, .verifier = 7, .attributes = {}};
  const ns::Created first = must(files.create(root, "f", request));
  const ns::Created again = must(files.create(root, "f", request));
  EXPECT_TRUE(first.made);
  EXPECT_FALSE(again.made);
  EXPECT_EQ(first.attributes.id, again.attributes.id);
  EXPECT_EQ(error(files.create(root, "f", {ns::CreateMode::exclusive, 8, {}})),
            Errc::already_exists);
  EXPECT_EQ(error(files.create(root, "f", {ns::CreateMode::guarded, 7, {}})), Errc::already_exists);
}

TEST_F(MemFiles, ExtendedAttributes) {
  using Mode = ns::FileSystem::XattrMode;
  const FileId file = make("f");
  EXPECT_EQ(error(files.get_xattr(file, "user.a")), Errc::no_xattr);
  EXPECT_EQ(error(files.set_xattr(file, "user.a", "1", Mode::replace)), Errc::no_xattr);
  must(files.set_xattr(file, "user.a", "1", Mode::create));
  EXPECT_EQ(error(files.set_xattr(file, "user.a", "2", Mode::create)), Errc::already_exists);
  EXPECT_EQ(must(files.get_xattr(file, "user.a")), "1");
  EXPECT_EQ(
      error(files.set_xattr(file, "user.b", std::string(ns::kMaxXattrBytes, 'x'), Mode::either)),
      Errc::no_space);
  EXPECT_EQ(must(files.list_xattrs(file)), std::vector<std::string>{"user.a"});
  must(files.remove_xattr(file, "user.a"));
  EXPECT_EQ(error(files.remove_xattr(file, "user.a")), Errc::no_xattr);
}

TEST_F(MemFiles, FaultsHitOneCall) {
  files.fail_next("write", Errc::no_space);
  const FileId file = make("f");
  EXPECT_EQ(error(files.write(file, 0, {}, true)), Errc::no_space);
  write(file, 0, "x");
  files.fail_next(Errc::io_error);
  EXPECT_EQ(error(files.get_attributes(file)), Errc::io_error);
  EXPECT_TRUE(run(files.get_attributes(file)));
}

TEST_F(MemFiles, NothingIsMadeWithNamesThatCannotBe) {
  EXPECT_EQ(error(files.create(root, ".s3~x", {})), Errc::invalid_argument);
  EXPECT_EQ(error(files.create(root, "a/b", {})), Errc::invalid_argument);
  EXPECT_EQ(error(files.create(root, std::string(256, 'x'), {})), Errc::name_too_long);
  make(std::string(255, 'x'));
  files.drop_bucket("b");
  EXPECT_EQ(error(files.get_attributes(root)), Errc::stale);
  EXPECT_EQ(error(files.bucket_root("b")), Errc::no_such_bucket);
}

}  // namespace
}  // namespace outcrop::test
